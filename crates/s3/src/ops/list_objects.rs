//! `ListObjects`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>

use s3s::dto::{ListObjectsInput, ListObjectsOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::{self, Encoding, given};
use crate::limits::LIST_MAX;
use crate::listing::{self, After, Listing};
use crate::ops::list_objects_v2::lines;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `InvalidArgument`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<ListObjectsInput>,
) -> Result<S3Response<ListObjectsOutput>, Error> {
    let input = request.input;
    let encoding = Encoding::new(input.encoding_type)?;
    let max = convert::page_size(input.max_keys, "maxKeys", LIST_MAX)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = given(input.delimiter);
    let marker = input.marker.unwrap_or_default();
    let after = match marker.as_str() {
        "" => After::Start,
        marker => After::marker(marker, &prefix, delimiter.as_deref()),
    };
    let home = s3.bucket(caller, &input.bucket).await?.entity;
    let listing = Listing { prefix: &prefix, delimiter: delimiter.as_deref(), after, max };
    let page = listing::list(&s3.objects, &input.bucket, &listing).await?;
    s3.met(caller, &input.bucket)?;
    let is_truncated = Some(page.next.is_some());
    // Without a delimiter the client goes on from the last key.
    let next_marker = page.next.filter(|_| delimiter.is_some()).map(|next| match next {
        After::Key(key) | After::Prefix(key) => encoding.text(&key),
        After::Start => String::new(),
    });
    let (contents, common_prefixes) = lines(page.items, &encoding, Some(&convert::owner(&home.account)));
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encoding.text(&prefix)),
        marker: Some(encoding.text(&marker)),
        max_keys: convert::count(max),
        is_truncated,
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        delimiter: delimiter.map(|delimiter| encoding.text(&delimiter)),
        next_marker,
        encoding_type: encoding.named(),
        request_charged: None,
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::Client;

    #[tokio::test]
    async fn a_marker_may_be_a_common_prefix() {
        let client = Client::with_bucket().await;
        for key in ["a/1", "a/2", "b", "c/1", "d"] {
            client.put(&format!("/lake/{key}"), "x").await.expect("200");
        }
        let first = client.get("/lake?delimiter=%2F&max-keys=1").await.expect("200");
        assert_eq!((first.element("NextMarker"), first.element("IsTruncated")), (Some("a/"), Some("true")));
        let second = client.get("/lake?delimiter=%2F&marker=a%2F").await.expect("200");
        assert_eq!(second.elements("Key"), ["b", "d"]);
        assert_eq!(second.elements("CommonPrefixes"), ["<Prefix>c/</Prefix>"]);
        let plain = client.get("/lake?max-keys=2").await.expect("200");
        assert_eq!((plain.elements("Key"), plain.element("NextMarker")), (vec!["a/1", "a/2"], None));
        assert_eq!(client.get("/lake?marker=a%2F2").await.elements("Key"), ["b", "c/1", "d"]);
    }
}
