//! `GetObject`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
//!
//! Differs from AWS: `partNumber` is refused; a Range that does not parse is `InvalidArgument`, where AWS sends the whole object.

use s3s::dto::{GetObjectInput, GetObjectOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::condition::ReadCondition;
use crate::convert::{self, check_version, refuse, set_checksum};
use crate::{Error, S3, tags};

/// What an object without a type is said to be.
pub(crate) const UNKNOWN_TYPE: &str = "binary/octet-stream";

/// # Errors
/// `NoSuchBucket`, `NoSuchKey`, `InvalidRange`, `PreconditionFailed`, `NotModified`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<GetObjectInput>,
) -> Result<S3Response<GetObjectOutput>, Error> {
    let input = request.input;
    refuse!(input, Error::NotImplemented; part_number, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5);
    check_version(input.version_id.as_deref())?;
    let condition = ReadCondition {
        if_match: convert::tags(input.if_match),
        if_none_match: convert::tags(input.if_none_match),
        if_modified_since: input.if_modified_since.as_ref().map(convert::timestamp),
        if_unmodified_since: input.if_unmodified_since.as_ref().map(convert::timestamp),
    };
    let wanted = input.range;
    let choose = move |size: u64| match wanted {
        Some(range) => range.check(size).map_err(|_| Error::InvalidRange),
        None => Ok(0..size),
    };
    let name = (input.bucket.as_str(), input.key.as_str());
    let (object, range, body) =
        s3.open_object(caller, name, |object| condition.check(object), choose).await?;
    let whole = input.range.is_none();
    // A checksum of the whole says nothing of a range.
    let checksum = object.checksum.filter(|_| input.checksum_mode.is_some() && whole);
    let described = object.described;
    // Whether there are tags is told to whom may read them.
    let tag_count = match tags::count(&described.tags) {
        Some(count) => {
            let asked = s3.allow_existing(caller, "s3:GetObjectTagging", name, &[]).await;
            asked.is_ok().then_some(count)
        }
        None => None,
    };
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(convert::outgoing(body)),
        content_length: convert::length(range.end - range.start),
        content_range: (!whole).then(|| content_range(&range, object.size)),
        content_type: Some(described.content_type.unwrap_or_else(|| UNKNOWN_TYPE.to_owned())),
        content_encoding: described.content_encoding,
        content_language: described.content_language,
        content_disposition: described.content_disposition,
        cache_control: described.cache_control,
        expires: described.expires.map(convert::time),
        e_tag: Some(convert::etag(&object.etag)),
        last_modified: Some(convert::time(object.last_modified)),
        metadata: convert::metadata_out(&described.metadata),
        tag_count,
        checksum_type: convert::checksum_type(checksum.as_ref()),
        ..GetObjectOutput::default()
    };
    set_checksum!(output, checksum.as_ref());
    Ok(S3Response::new(output))
}

/// `bytes 0-9/100`
pub(crate) fn content_range(range: &std::ops::Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use crate::testing::Client;

    #[tokio::test]
    async fn ranges() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "0123456789").await.expect("200");
        client.put("/lake/empty", "").await.expect("200");
        let check = async |uri: &str, range: &str, outcome: &str, body: &str| {
            let answer = client.call("GET", uri, &[("range", range)], "").await.expect(outcome);
            if answer.status < 400 {
                assert_eq!(answer.text(), body, "{range}");
            }
        };
        check("/lake/k", "bytes=2-4", "206", "234").await;
        check("/lake/k", "bytes=8-", "206", "89").await;
        check("/lake/k", "bytes=8-100", "206", "89").await;
        check("/lake/k", "bytes=-3", "206", "789").await;
        check("/lake/k", "bytes=-30", "206", "0123456789").await;
        check("/lake/k", "bytes=10-", "416 InvalidRange", "").await;
        check("/lake/k", "bytes=-0", "416 InvalidRange", "").await;
        check("/lake/empty", "bytes=0-", "416 InvalidRange", "").await;
        assert_eq!(client.get("/lake/empty").await.expect("200").text(), "");
        let head = client.call("HEAD", "/lake/k", &[("range", "bytes=2-4")], "").await.expect("206");
        assert_eq!(head.header("content-range"), Some("bytes 2-4/10"));
    }

    #[tokio::test]
    async fn conditions() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
        let several = format!("\"x\", {etag}");
        let check = async |name: &str, value: &str, outcome: &str| {
            let answer = client.call("GET", "/lake/k", &[(name, value)], "").await.expect(outcome);
            if answer.status == 304 {
                assert_eq!((answer.header("etag"), answer.body.len()), (Some(etag), 0));
            }
        };
        check("if-match", etag, "200").await;
        check("if-match", &several, "200").await;
        check("if-match", "\"x\"", "412 PreconditionFailed").await;
        check("if-none-match", etag, "304").await;
        check("if-none-match", &several, "304").await;
        check("if-none-match", "\"x\"", "200").await;
        check("if-modified-since", "Sat, 26 Aug 2017 07:47:12 GMT", "304").await;
        check("if-modified-since", "Sat, 26 Aug 2017 07:47:11 GMT", "200").await;
        check("if-unmodified-since", "Sat, 26 Aug 2017 07:47:11 GMT", "412 PreconditionFailed").await;
    }

    #[tokio::test]
    async fn the_answers_headers_may_be_chosen() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        let uri = "/lake/k?response-content-type=text%2Fcsv&response-content-disposition=attachment";
        let answer = client.get(uri).await.expect("200");
        assert_eq!(answer.header("content-type"), Some("text/csv"));
        assert_eq!(answer.header("content-disposition"), Some("attachment"));
        assert_eq!(client.get("/lake/k").await.header("content-type"), Some("binary/octet-stream"));
    }

    #[tokio::test]
    async fn what_is_not_there() {
        let client = Client::with_bucket().await;
        let answer = client.get("/lake/k").await.expect("404 NoSuchKey");
        assert_eq!(answer.element("Message"), Some("The specified key does not exist."));
        client.get("/nolake/k").await.expect("404 NoSuchBucket");
        client.put("/lake/k", "hello").await.expect("200");
        client.get("/lake/k?versionId=null").await.expect("200");
        client.get("/lake/k?versionId=7").await.expect("400 InvalidArgument");
        client.get("/lake/k?partNumber=1").await.expect("501 NotImplemented");
    }

    /// The disk lost what an entity names: that is a bug to be told, not a missing key.
    #[tokio::test]
    async fn a_lost_blob_is_an_internal_error() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        let mut blobs = client.blobs.list(None);
        while let Some(blob) = futures::StreamExt::next(&mut blobs).await {
            object_store::ObjectStoreExt::delete(&*client.blobs, &blob.unwrap().location).await.unwrap();
        }
        client.get("/lake/k").await.expect("500 InternalError");
    }
}
