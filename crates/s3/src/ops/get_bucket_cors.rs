//! `GetBucketCors`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html>

use s3s::dto::{CORSRule, GetBucketCorsInput, GetBucketCorsOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `NoSuchCORSConfiguration`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetBucketCorsInput>,
) -> Result<S3Response<GetBucketCorsOutput>, Error> {
    let rules = s3.bucket(caller, &request.input.bucket).await?.entity.cors;
    if rules.is_empty() {
        return Err(Error::NoSuchCORSConfiguration);
    }
    let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
    let rules = rules.into_iter().map(|rule| CORSRule {
        id: rule.id,
        allowed_origins: rule.allowed_origins,
        allowed_methods: rule.allowed_methods,
        allowed_headers: some(rule.allowed_headers),
        expose_headers: some(rule.expose_headers),
        max_age_seconds: rule.max_age_seconds,
    });
    Ok(S3Response::new(GetBucketCorsOutput { cors_rules: Some(rules.collect()) }))
}
