//! `ListObjectVersions`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
//!
//! As of a bucket without versioning: each object is its own only version, named `null`.

use s3s::dto::{
    ListObjectVersionsInput, ListObjectVersionsOutput, Object, ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::convert::{self, Encoding, check_version, given};
use crate::limits::LIST_MAX;
use crate::listing::{self, After, Listing};
use crate::ops::list_objects_v2::lines;
use crate::{Error, S3};

/// The version id of an object that was put without versioning.
const NULL: &str = "null";

/// # Errors
/// `NoSuchBucket`, `InvalidArgument`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<ListObjectVersionsInput>,
) -> Result<S3Response<ListObjectVersionsOutput>, Error> {
    let input = request.input;
    let encoding = Encoding::new(input.encoding_type)?;
    let max = convert::page_size(input.max_keys, "maxKeys", LIST_MAX)?;
    let prefix = input.prefix.unwrap_or_default();
    let delimiter = given(input.delimiter);
    let key_marker = input.key_marker.unwrap_or_default();
    let version_id_marker = given(input.version_id_marker);
    if key_marker.is_empty() && version_id_marker.is_some() {
        return Err(Error::argument("A version-id marker cannot be specified without a key marker."));
    }
    check_version(version_id_marker.as_deref())?;
    let after = match key_marker.as_str() {
        "" => After::Start,
        marker => After::marker(marker, &prefix, delimiter.as_deref()),
    };
    let home = s3.bucket(caller, &input.bucket).await?.entity;
    let listing = Listing { prefix: &prefix, delimiter: delimiter.as_deref(), after, max };
    let page = listing::list(&s3.objects, &input.bucket, &listing).await?;
    s3.met(caller, &input.bucket)?;
    let is_truncated = Some(page.next.is_some());
    let (next_key_marker, next_version_id_marker) = match page.next {
        Some(After::Key(key)) => (Some(encoding.text(&key)), Some(NULL.to_owned())),
        Some(After::Prefix(prefix)) => (Some(encoding.text(&prefix)), None),
        Some(After::Start) | None => (None, None),
    };
    let (contents, common_prefixes) = lines(page.items, &encoding, Some(&convert::owner(&home.account)));
    Ok(S3Response::new(ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(encoding.text(&prefix)),
        key_marker: Some(encoding.text(&key_marker)),
        version_id_marker: Some(version_id_marker.unwrap_or_default()),
        max_keys: convert::count(max),
        is_truncated,
        next_key_marker,
        next_version_id_marker,
        versions: Some(contents.into_iter().map(version).collect()),
        delete_markers: None,
        common_prefixes: Some(common_prefixes),
        delimiter: delimiter.map(|delimiter| encoding.text(&delimiter)),
        encoding_type: encoding.named(),
        request_charged: None,
    }))
}

fn version(object: Object) -> ObjectVersion {
    ObjectVersion {
        checksum_algorithm: object.checksum_algorithm,
        checksum_type: object.checksum_type,
        e_tag: object.e_tag,
        is_latest: Some(true),
        key: object.key,
        last_modified: object.last_modified,
        owner: object.owner,
        restore_status: None,
        size: object.size,
        storage_class: Some(ObjectVersionStorageClass::from_static(ObjectVersionStorageClass::STANDARD)),
        version_id: Some(NULL.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Client;

    #[tokio::test]
    async fn every_object_is_its_own_latest_version() {
        let client = Client::with_bucket().await;
        for key in ["a/1", "a/2", "b", "d"] {
            client.put(&format!("/lake/{key}"), "x").await.expect("200");
        }
        let first = client.get("/lake?versions&max-keys=3").await.expect("200");
        assert_eq!(first.elements("Key"), ["a/1", "a/2", "b"]);
        assert_eq!(first.elements("VersionId"), ["null"; 3]);
        assert_eq!(first.elements("IsLatest"), ["true"; 3]);
        assert_eq!((first.elements("Owner").len(), first.elements("DeleteMarker").len()), (3, 0));
        let next = (first.element("NextKeyMarker"), first.element("NextVersionIdMarker"));
        assert_eq!(next, (Some("b"), Some("null")));
        let second = client.get("/lake?versions&key-marker=b&version-id-marker=null").await.expect("200");
        assert_eq!((second.elements("Key"), second.element("IsTruncated")), (vec!["d"], Some("false")));
        client.delete("/lake/d?versionId=null").await.expect("204");
        assert!(client.get("/lake?versions&prefix=d").await.expect("200").elements("Key").is_empty());
    }

    #[tokio::test]
    async fn a_marker_may_be_a_common_prefix_and_a_strange_one_is_refused() {
        let client = Client::with_bucket().await;
        for key in ["a/1", "a/2", "b"] {
            client.put(&format!("/lake/{key}"), "x").await.expect("200");
        }
        let first = client.get("/lake?versions&delimiter=%2F&max-keys=1").await.expect("200");
        assert_eq!(
            (first.element("NextKeyMarker"), first.element("NextVersionIdMarker")),
            (Some("a/"), None)
        );
        let second = client.get("/lake?versions&delimiter=%2F&key-marker=a%2F").await.expect("200");
        assert_eq!(second.elements("Key"), ["b"]);
        client.get("/lake?versions&version-id-marker=null").await.expect("400 InvalidArgument");
        client.get("/lake?versions&key-marker=b&version-id-marker=7").await.expect("400 InvalidArgument");
        client.get("/nolake?versions").await.expect("404 NoSuchBucket");
    }
}
