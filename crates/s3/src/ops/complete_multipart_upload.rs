//! `CompleteMultipartUpload`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
//!
//! Differs from AWS: completing an upload a second time is `NoSuchUpload` at once.

use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::condition::WriteCondition;
use crate::convert::{self, checksum_of, refuse, set_checksum};
use crate::multipart::{Claim, Named, UploadName};
use crate::{Error, S3};

/// # Errors
/// `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `MalformedXML`, `PreconditionFailed`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Result<S3Response<CompleteMultipartUploadOutput>, Error> {
    let mut input = request.input;
    refuse!(input, Error::NotImplemented; sse_customer_algorithm, sse_customer_key, sse_customer_key_md5);
    let size = input.mpu_object_size.and_then(|size| u64::try_from(size).ok());
    let kind = input.checksum_type.as_ref().map(|kind| kind.as_str().to_owned());
    let claim = Claim { checksum: checksum_of!(input)?, kind, size };
    let condition =
        WriteCondition::new(convert::tags(input.if_match.take()), convert::tags(input.if_none_match.take()))?;
    let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let named: Vec<Named> = parts
        .into_iter()
        .map(|mut part| {
            Ok(Named {
                number: part.part_number.ok_or(Error::MalformedXML)?,
                checksum: checksum_of!(part)?,
                etag: part.e_tag.map(s3s::dto::ETag::into_value),
            })
        })
        .collect::<Result<_, Error>>()?;
    let name = UploadName { bucket: &input.bucket, key: &input.key, upload_id: &input.upload_id };
    let object = s3.complete_upload(caller, name, &named, &claim, &condition).await?;
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        e_tag: Some(convert::etag(&object.etag)),
        checksum_type: convert::checksum_type(object.checksum.as_ref()),
        bucket: Some(input.bucket),
        key: Some(input.key),
        ..CompleteMultipartUploadOutput::default()
    };
    set_checksum!(output, object.checksum.as_ref());
    Ok(S3Response::new(output))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::metrics::OBJECTS;
    use crate::testing::{Answer, Client, LAKE};

    const MIB: usize = 1024 * 1024;

    struct Upload<'a> {
        client: &'a Client,
        upload_id: String,
    }

    impl<'a> Upload<'a> {
        async fn begin(client: &'a Client, headers: &[(&str, &str)]) -> Self {
            let answer = client.call("POST", "/lake/k?uploads", headers, "").await.expect("200");
            Self { client, upload_id: answer.element("UploadId").unwrap().to_owned() }
        }

        fn uri(&self, number: u32) -> String {
            format!("/lake/k?partNumber={number}&uploadId={}", self.upload_id)
        }

        async fn part(&self, number: u32, body: impl Into<Bytes>) -> String {
            self.client.put(&self.uri(number), body).await.expect("200").header("etag").unwrap().to_owned()
        }

        async fn complete(&self, parts: &[(u32, &str)]) -> Answer {
            self.complete_with(&[], parts).await
        }

        async fn complete_with(&self, headers: &[(&str, &str)], parts: &[(u32, &str)]) -> Answer {
            let parts: String = parts
                .iter()
                .map(|(number, etag)| {
                    format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
                })
                .collect();
            let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
            self.client.call("POST", &format!("/lake/k?uploadId={}", self.upload_id), headers, body).await
        }
    }

    #[tokio::test]
    async fn parts_become_an_object_without_being_written_again() {
        let client = Client::with_bucket().await;
        let upload = Upload::begin(&client, &[("content-type", "text/plain")]).await;
        let first = vec![b'a'; 5 * MIB];
        let a = upload.part(2, first.clone()).await;
        upload.part(3, "dropped").await;
        upload.part(7, "replaced").await;
        let b = upload.part(7, "tail").await;
        client.get("/lake/k").await.expect("404 NoSuchKey");
        let answer = upload.complete(&[(2, &a), (7, &b)]).await.expect("200");
        // What `md5(md5(first) ‖ md5("tail"))` gives, with the number of parts.
        assert_eq!(answer.element("ETag"), Some("\"30dcfd3901d1c613b7fb532281748544-2\""));
        assert_eq!(client.blobs().await, 2);
        let get = client.get("/lake/k").await.expect("200");
        assert_eq!(get.body.len(), 5 * MIB + 4);
        assert!(get.body.ends_with(b"atail"));
        assert_eq!(get.header("content-type"), Some("text/plain"));
        let range =
            client.call("GET", "/lake/k", &[("range", "bytes=5242878-5242881")], "").await.expect("206");
        assert_eq!(range.text(), "aata");
        assert_eq!(client.metrics.gauge(&OBJECTS, &LAKE).value(), 1);
        upload.complete(&[(2, &a), (7, &b)]).await.expect("404 NoSuchUpload");
        client.put("/lake/k", "small").await.expect("200");
        assert_eq!(client.blobs().await, 1);
    }

    #[tokio::test]
    async fn a_completion_is_refused() {
        let client = Client::with_bucket().await;
        let upload = Upload::begin(&client, &[]).await;
        let a = upload.part(1, "small").await;
        let b = upload.part(2, "small too").await;
        upload.complete(&[(1, &a), (2, &b)]).await.expect("400 EntityTooSmall");
        upload.complete(&[(2, &b), (1, &a)]).await.expect("400 InvalidPartOrder");
        upload.complete(&[(1, &a), (1, &a)]).await.expect("400 InvalidPartOrder");
        upload.complete(&[(1, &b)]).await.expect("400 InvalidPart");
        upload.complete(&[(3, &b)]).await.expect("400 InvalidPart");
        upload.complete(&[(0, &b)]).await.expect("400 InvalidArgument");
        upload.complete(&[]).await.expect("400 MalformedXML");
        client.put(&upload.uri(0), "x").await.expect("400 InvalidArgument");
        client.put(&upload.uri(10_001), "x").await.expect("400 InvalidArgument");
        client.put("/lake/k?partNumber=1&uploadId=none", "x").await.expect("404 NoSuchUpload");
        client.put("/lake/k?partNumber=1&uploadId=a%00b", "x").await.expect("404 NoSuchUpload");
        // And none of this has hurt the upload.
        upload.complete(&[(2, &b)]).await.expect("200");
        assert_eq!(client.get("/lake/k").await.text(), "small too");
        assert_eq!(client.blobs().await, 1);
    }

    #[tokio::test]
    async fn a_claim_that_cannot_be_compared_is_refused() {
        let client = Client::with_bucket().await;
        let upload = Upload::begin(&client, &[]).await;
        let part = client.put(&upload.uri(1), "tail").await.expect("200");
        let etag = part.header("etag").unwrap();
        for (header, value, message) in [
            (
                "x-amz-checksum-crc32",
                "NhCmhg==",
                "Checksum Type mismatch occurred, expected checksum Type: null, actual checksum Type: crc32",
            ),
            (
                "x-amz-checksum-type",
                "FULL_OBJECT",
                "The upload was created using the null checksum mode. The complete request must use the same checksum mode.",
            ),
        ] {
            let answer =
                upload.complete_with(&[(header, value)], &[(1, etag)]).await.expect("400 InvalidRequest");
            assert_eq!(answer.element("Message"), Some(message));
        }
        upload.complete(&[(1, etag)]).await.expect("200");
    }

    #[tokio::test]
    async fn checksums_of_parts_become_the_objects() {
        let client = Client::with_bucket().await;
        let headers = [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "FULL_OBJECT")];
        let upload = Upload::begin(&client, &headers).await;
        let body = vec![0; 5 * MIB];
        let algorithm = [("x-amz-checksum-algorithm", "CRC32")];
        let a = client.call("PUT", &upload.uri(1), &algorithm, body.clone()).await.expect("200");
        assert!(a.header("x-amz-checksum-crc32").is_some());
        let b = client.put(&upload.uri(2), "tail").await.expect("200");
        let etags = [a.header("etag").unwrap(), b.header("etag").unwrap()];
        let answer = upload.complete(&[(1, etags[0]), (2, etags[1])]).await.expect("200");
        assert_eq!(answer.element("ChecksumType"), Some("FULL_OBJECT"));
        let whole = [body, b"tail".to_vec()].concat();
        let put = client.call("PUT", "/lake/whole", &algorithm, whole).await.expect("200");
        assert_eq!(answer.element("ChecksumCRC32"), put.header("x-amz-checksum-crc32"));
        let head =
            client.call("HEAD", "/lake/k", &[("x-amz-checksum-mode", "ENABLED")], "").await.expect("200");
        assert_eq!(head.header("x-amz-checksum-crc32"), put.header("x-amz-checksum-crc32"));
    }

    #[tokio::test]
    async fn an_abort_leaves_nothing_and_listings_show_what_is_there() {
        let client = Client::with_bucket().await;
        let upload = Upload::begin(&client, &[]).await;
        for number in 1..4 {
            upload.part(number, "x").await;
        }
        let parts =
            client.get(&format!("/lake/k?uploadId={}&max-parts=2", upload.upload_id)).await.expect("200");
        assert_eq!(
            (parts.elements("PartNumber"), parts.element("NextPartNumberMarker")),
            (vec!["1", "2"], Some("2"))
        );
        let rest = client.get(&format!("/lake/k?uploadId={}&part-number-marker=2", upload.upload_id)).await;
        assert_eq!((rest.elements("PartNumber"), rest.element("IsTruncated")), (vec!["3"], Some("false")));

        client.call("POST", "/lake/dir/x?uploads", &[], "").await.expect("200");
        client.call("POST", "/lake/z?uploads", &[], "").await.expect("200");
        let uploads = client.get("/lake?uploads&delimiter=%2F&max-uploads=2").await.expect("200");
        assert_eq!((uploads.elements("Key"), uploads.element("NextKeyMarker")), (vec!["k"], Some("k")));
        assert_eq!(uploads.elements("CommonPrefixes"), ["<Prefix>dir/</Prefix>"]);
        let marker = uploads.element("NextUploadIdMarker").unwrap();
        let uri = format!("/lake?uploads&delimiter=%2F&key-marker=k&upload-id-marker={marker}");
        assert_eq!(client.get(&uri).await.expect("200").elements("Key"), ["z"]);

        client.delete(&format!("/lake/k?uploadId={}", upload.upload_id)).await.expect("204");
        client.delete(&format!("/lake/k?uploadId={}", upload.upload_id)).await.expect("404 NoSuchUpload");
        assert_eq!(client.blobs().await, 0);
    }

    #[tokio::test]
    async fn a_part_may_be_copied() {
        let client = Client::with_bucket().await;
        client.put("/lake/source", "0123456789").await.expect("200");
        let upload = Upload::begin(&client, &[]).await;
        let copy = async |range: &str, outcome: &str| {
            let headers = [("x-amz-copy-source", "lake/source"), ("x-amz-copy-source-range", range)];
            client.call("PUT", &upload.uri(1), &headers, "").await.expect(outcome)
        };
        copy("bytes=5-10", "400 InvalidArgument").await;
        copy("bytes=5-", "400 InvalidArgument").await;
        let copied = copy("bytes=2-5", "200").await;
        upload.complete(&[(1, copied.element("ETag").unwrap())]).await.expect("200");
        assert_eq!(client.get("/lake/k").await.text(), "2345");
    }
}
