//! `GetBucketAcl`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html>

use kernel::Context;
use s3s::dto::{GetBucketAclInput, GetBucketAclOutput, Grant, Grantee, Permission, Type};
use s3s::{S3Request, S3Response};

use crate::convert::{self, check_owner};
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    cx: &Context,
    request: S3Request<GetBucketAclInput>,
) -> Result<S3Response<GetBucketAclOutput>, Error> {
    check_owner(cx, request.input.expected_bucket_owner.as_deref())?;
    s3.bucket(cx, &request.input.bucket).await?;
    let owner = convert::owner(cx);
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
