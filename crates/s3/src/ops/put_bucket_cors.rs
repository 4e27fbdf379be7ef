//! `PutBucketCors`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html>
//!
//! Differs from AWS: `Content-MD5` and checksums of the body are neither required nor compared; the signature covers the body.

use s3s::dto::{PutBucketCorsInput, PutBucketCorsOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::cors::CorsRule;
use crate::{Error, S3, cors};

/// # Errors
/// `NoSuchBucket`, `MalformedXML`, `InvalidRequest`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<PutBucketCorsInput>,
) -> Result<S3Response<PutBucketCorsOutput>, Error> {
    let input = request.input;
    let rules: Vec<CorsRule> = input
        .cors_configuration
        .cors_rules
        .into_iter()
        .map(|rule| CorsRule {
            id: rule.id,
            allowed_origins: rule.allowed_origins,
            allowed_methods: rule.allowed_methods,
            allowed_headers: rule.allowed_headers.unwrap_or_default(),
            expose_headers: rule.expose_headers.unwrap_or_default(),
            max_age_seconds: rule.max_age_seconds,
        })
        .collect();
    cors::check(&rules)?;
    s3.change_bucket(caller, &input.bucket, |bucket| {
        bucket.cors.clone_from(&rules);
        Ok(())
    })
    .await?;
    Ok(S3Response::new(PutBucketCorsOutput {}))
}
