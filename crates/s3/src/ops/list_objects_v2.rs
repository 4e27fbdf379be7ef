//! `ListObjectsV2`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
    Owner,
};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::{self, Encoding, given};
use crate::limits::LIST_MAX;
use crate::listing::{self, After, Item, Listing};
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `InvalidArgument`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<ListObjectsV2Input>,
) -> Result<S3Response<ListObjectsV2Output>, Error> {
    let input = request.input;
    let encoding = Encoding::new(input.encoding_type)?;
    let max = convert::page_size(input.max_keys, "maxKeys", LIST_MAX)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = given(input.delimiter);
    let start_after = given(input.start_after);
    // A token wins over `start-after`.
    let after = match (&input.continuation_token, &start_after) {
        (Some(token), _) => After::from_token(token)
            .ok_or_else(|| Error::argument("The continuation token provided is incorrect"))?,
        (None, Some(key)) => After::Key(key.clone()),
        (None, None) => After::Start,
    };
    let home = s3.bucket(caller, &input.bucket).await?.entity;
    let listing = Listing { prefix: &prefix, delimiter: delimiter.as_deref(), after, max };
    let page = listing::list(&s3.objects, &input.bucket, &listing).await?;
    s3.met(caller, &input.bucket)?;
    let key_count = convert::count(page.items.len());
    let next = page.next.as_ref().map(After::token);
    let owner = convert::owner(&home.account);
    let owner = (input.fetch_owner == Some(true)).then_some(&owner);
    let (contents, common_prefixes) = lines(page.items, &encoding, owner);
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encoding.text(&prefix)),
        max_keys: convert::count(max),
        key_count,
        continuation_token: input.continuation_token,
        is_truncated: Some(next.is_some()),
        next_continuation_token: next,
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        delimiter: delimiter.map(|delimiter| encoding.text(&delimiter)),
        start_after: start_after.map(|start_after| encoding.text(&start_after)),
        encoding_type: encoding.named(),
        request_charged: None,
    }))
}

/// The lines of a listing in the shapes of the wire.
pub(crate) fn lines(
    items: Vec<Item>,
    encoding: &Encoding,
    owner: Option<&Owner>,
) -> (Vec<Object>, Vec<CommonPrefix>) {
    let (mut contents, mut common_prefixes) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Prefix(prefix) => {
                common_prefixes.push(CommonPrefix { prefix: Some(encoding.text(&prefix)) })
            }
            Item::Object(key, object) => contents.push(Object {
                checksum_algorithm: object
                    .checksum
                    .as_ref()
                    .map(|checksum| vec![ChecksumAlgorithm::from_static(checksum.algorithm.name())]),
                checksum_type: convert::checksum_type(object.checksum.as_ref()),
                e_tag: Some(convert::etag(&object.etag)),
                key: Some(encoding.text(&key)),
                last_modified: Some(convert::time(object.last_modified)),
                owner: owner.cloned(),
                restore_status: None,
                size: convert::length(object.size),
                storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            }),
        }
    }
    (contents, common_prefixes)
}

#[cfg(test)]
mod tests {
    use crate::testing::Client;

    #[tokio::test]
    async fn pages_with_prefix_and_delimiter() {
        let client = Client::with_bucket().await;
        for key in ["a/1", "a/2", "b", "c/1", "d"] {
            client.put(&format!("/lake/{key}"), "x").await.expect("200");
        }
        let first = client.get("/lake?list-type=2&delimiter=%2F&max-keys=2").await.expect("200");
        assert_eq!((first.element("KeyCount"), first.element("IsTruncated")), (Some("2"), Some("true")));
        assert_eq!(first.elements("Key"), ["b"]);
        assert_eq!(first.elements("Prefix").last(), Some(&"a/"));
        let token = first.element("NextContinuationToken").unwrap();
        let uri = format!("/lake?list-type=2&delimiter=%2F&max-keys=2&continuation-token={token}");
        let second = client.get(&uri).await.expect("200");
        assert_eq!((second.elements("Key"), second.element("IsTruncated")), (vec!["d"], Some("false")));
        let inside = client.get("/lake?list-type=2&prefix=a%2F&start-after=a%2F1").await.expect("200");
        assert_eq!(inside.elements("Key"), ["a/2"]);
        assert!(inside.elements("Owner").is_empty());
        let owned = client.get("/lake?list-type=2&fetch-owner=true&max-keys=1").await.expect("200");
        assert_eq!(owned.elements("Owner").len(), 1);
        client.get("/lake?list-type=2&continuation-token=%21").await.expect("400 InvalidArgument");
        client.get("/lake?list-type=2&max-keys=-1").await.expect("400 InvalidArgument");
        client.get("/lake?list-type=2&encoding-type=rot13").await.expect("400 InvalidArgument");
        client.get("/nolake?list-type=2").await.expect("404 NoSuchBucket");
        let none = client.get("/lake?list-type=2&max-keys=0").await.expect("200");
        assert_eq!((none.element("KeyCount"), none.element("IsTruncated")), (Some("0"), Some("false")));
    }

    #[tokio::test]
    async fn keys_are_escaped_when_the_client_asks() {
        let client = Client::with_bucket().await;
        client.put("/lake/a%20%2B%C3%A9/b", "x").await.expect("200");
        let answer = client.get("/lake?list-type=2&encoding-type=url").await.expect("200");
        assert_eq!(answer.elements("Key"), ["a%20%2B%C3%A9/b"]);
    }
}
