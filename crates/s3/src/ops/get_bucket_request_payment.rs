//! `GetBucketRequestPayment`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketRequestPayment.html>

use s3s::dto::{GetBucketRequestPaymentInput, GetBucketRequestPaymentOutput, Payer};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketRequestPaymentInput>,
) -> Result<S3Response<GetBucketRequestPaymentOutput>, Error> {
    s3.bucket(caller, &request.input.bucket).await?;
    let payer = Payer::from_static(Payer::BUCKET_OWNER);
    Ok(S3Response::new(GetBucketRequestPaymentOutput { payer: Some(payer) }))
}
