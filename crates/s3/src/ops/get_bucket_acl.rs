//! `GetBucketAcl`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html>

use s3s::dto::{GetBucketAclInput, GetBucketAclOutput, Grant, Grantee, Permission, Type};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::{self};
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketAclInput>,
) -> Result<S3Response<GetBucketAclOutput>, Error> {
    let home = s3.bucket(caller, &request.input.bucket).await?.entity;
    let owner = convert::owner(&home.account);
    let everything = Grant {
        grantee: Some(Grantee {
            display_name: None,
            email_address: None,
            id: owner.id.clone(),
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        }),
        permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
    };
    Ok(S3Response::new(GetBucketAclOutput { grants: Some(vec![everything]), owner: Some(owner) }))
}
