//! `DeleteBucket`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html>

use s3s::dto::{DeleteBucketInput, DeleteBucketOutput};
use s3s::{S3Request, S3Response};

use crate::authorize::Caller;
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `BucketNotEmpty`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<DeleteBucketInput>,
) -> Result<S3Response<DeleteBucketOutput>, Error> {
    s3.delete_bucket(caller, &request.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketOutput {}))
}

#[cfg(test)]
mod tests {
    use crate::testing::Client;

    #[tokio::test]
    async fn only_an_empty_bucket_is_deleted_and_its_uploads_with_it() {
        let client = Client::with_bucket().await;
        client.put("/lake/k", "hello").await.expect("200");
        client.delete("/lake").await.expect("409 BucketNotEmpty");
        client.delete("/lake/k").await.expect("204");
        let upload = client.call("POST", "/lake/k?uploads", &[], "").await.expect("200");
        let upload_id = upload.element("UploadId").unwrap();
        client.put(&format!("/lake/k?partNumber=1&uploadId={upload_id}"), "x").await.expect("200");
        client.delete("/lake").await.expect("204");
        assert_eq!(client.blobs().await, 0);
        client.delete("/lake").await.expect("404 NoSuchBucket");
        client.put("/lake/k", "hello").await.expect("404 NoSuchBucket");
        assert!(client.metrics.gauges().is_empty());
    }

    #[tokio::test]
    async fn a_put_and_a_deletion_do_not_both_win() {
        for _ in 0..20 {
            let client = Client::with_bucket().await;
            let (put, delete) = futures::join!(client.put("/lake/k", "x"), client.delete("/lake"));
            match (put.status, delete.status) {
                (200, 409) => assert_eq!(client.get("/lake/k").await.text(), "x"),
                (404, 204) => assert_eq!(client.blobs().await, 0),
                other => panic!("{other:?}"),
            }
        }
    }
}
