//! `ListBuckets`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>

use s3s::dto::{Bucket, ListBucketsInput, ListBucketsOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3, convert};

/// # Errors
/// `InvalidArgument`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<ListBucketsInput>,
) -> Result<S3Response<ListBucketsOutput>, Error> {
    let input = request.input;
    let max = match input.max_buckets {
        None => usize::MAX,
        Some(max @ 1..=10_000) => usize::try_from(max).unwrap_or(usize::MAX),
        Some(_) => {
            return Err(Error::argument("Argument max-buckets must be an integer between 1 and 10000"));
        }
    };
    let after = input
        .continuation_token
        .as_deref()
        .map(|token| {
            wire::page::position(token)
                .ok_or_else(|| Error::argument("The continuation token provided is incorrect"))
        })
        .transpose()?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let mut buckets: Vec<Bucket> = s3
        .directory
        .of(&caller.account)
        .into_iter()
        .filter(|(name, known)| {
            name.starts_with(&prefix)
                && after.as_ref().is_none_or(|after| name > after)
                && input.bucket_region.as_ref().is_none_or(|region| region == known.bucket.region.as_str())
        })
        .map(|(name, known)| Bucket {
            name: Some(name),
            creation_date: Some(convert::time(known.bucket.created_at)),
            bucket_region: Some(known.bucket.region.to_string()),
        })
        .collect();
    let truncated = buckets.len() > max;
    buckets.truncate(max);
    let last = buckets.last().and_then(|bucket| bucket.name.as_deref()).filter(|_| truncated);
    Ok(S3Response::new(ListBucketsOutput {
        continuation_token: last.map(wire::page::token),
        buckets: Some(buckets),
        owner: Some(convert::owner(&caller.account)),
        prefix: input.prefix,
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::Client;

    #[tokio::test]
    async fn pages_and_prefixes() {
        let client = Client::new();
        for name in ["aaa", "aab", "bbb"] {
            client.put(&format!("/{name}"), "").await.expect("200");
        }
        let first = client.get("/?max-buckets=2").await.expect("200");
        assert_eq!(first.elements("Name"), ["aaa", "aab"]);
        let token = first.element("ContinuationToken").unwrap();
        let second = client.get(&format!("/?max-buckets=2&continuation-token={token}")).await.expect("200");
        assert_eq!((second.elements("Name"), second.element("ContinuationToken")), (vec!["bbb"], None));
        assert_eq!(client.get("/?prefix=b").await.elements("Name"), ["bbb"]);
        client.get("/?max-buckets=0").await.expect("400 InvalidArgument");
        client.get("/?continuation-token=%21").await.expect("400 InvalidArgument");
    }
}
