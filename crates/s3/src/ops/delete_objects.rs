//! `DeleteObjects`: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
//!
//! Each key is authorised and deleted by itself; one that fails does not keep the others.
//!
//! Differs from AWS: `Content-MD5` and checksums of the body are neither required nor compared; the signature covers the body.

use futures::{StreamExt, stream};
use kernel::ServiceError;
use s3s::dto::{DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ObjectIdentifier};
use s3s::{S3Request, S3Response, dto};
use wire::Fault;

use crate::authorize::{Caller, Target};
use crate::condition::{Tags, WriteCondition};
use crate::conditions::of_version;
use crate::convert::{check_version, refuse};
use crate::limits::{DELETE_KEYS_MAX, DELETES_AT_ONCE};
use crate::{Error, S3};

/// # Errors
/// `NoSuchBucket`, `MalformedXML`.
pub(crate) async fn handle(
    s3: &S3,
    caller: &Caller,
    request: S3Request<DeleteObjectsInput>,
) -> Result<S3Response<DeleteObjectsOutput>, Error> {
    let input = request.input;
    refuse!(input, Error::NotImplemented; mfa);
    let objects = input.delete.objects;
    if objects.is_empty() || objects.len() > DELETE_KEYS_MAX {
        return Err(Error::MalformedXML);
    }
    s3.bucket(caller, &input.bucket).await?;
    let outcomes = objects.into_iter().map(|object| async {
        let (key, version_id) = (Some(object.key.clone()), object.version_id.clone());
        (key, version_id, delete(s3, caller, &input.bucket, object).await)
    });
    let mut outcomes = stream::iter(outcomes).buffered(DELETES_AT_ONCE);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    while let Some((key, version_id, outcome)) = outcomes.next().await {
        match outcome {
            Ok(()) => deleted.push(DeletedObject { key, version_id, ..DeletedObject::default() }),
            Err(error) => {
                let Fault { message, .. } = Fault::from_service(&error);
                let code = Some(error.code().to_owned());
                errors.push(dto::Error { code, message: Some(message), key, version_id });
            }
        }
    }
    let quiet = input.delete.quiet == Some(true);
    Ok(S3Response::new(DeleteObjectsOutput {
        deleted: (!quiet).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..DeleteObjectsOutput::default()
    }))
}

async fn delete(s3: &S3, caller: &Caller, bucket: &str, object: ObjectIdentifier) -> Result<(), Error> {
    refuse!(object, Error::NotImplemented; last_modified_time, size);
    let action = match object.version_id {
        Some(_) => of_version("s3:DeleteObject"),
        None => "s3:DeleteObject",
    };
    s3.allow(caller, action, Target::Object(bucket, &object.key))?;
    check_version(object.version_id.as_deref())?;
    let condition = match object.e_tag {
        Some(etag) => WriteCondition::Match(Tags::These(vec![etag.into_value()])),
        None => WriteCondition::None,
    };
    s3.delete_object(caller, bucket, &object.key, &condition).await
}

#[cfg(test)]
mod tests {
    use crate::testing::Client;

    #[tokio::test]
    async fn each_key_by_itself() {
        let client = Client::with_bucket().await;
        for key in ["a", "b", "c"] {
            client.put(&format!("/lake/{key}"), "x").await.expect("200");
        }
        let objects = |keys: &[&str]| -> String {
            keys.iter().map(|key| format!("<Object><Key>{key}</Key></Object>")).collect()
        };
        let body = format!("<Delete>{}</Delete>", objects(&["a", "none", "forbidden"]));
        let answer = client.call("POST", "/lake?delete", &[], body).await.expect("200");
        assert_eq!(answer.elements("Key"), ["a", "none", "forbidden"]);
        assert_eq!(answer.elements("Code"), ["AccessDenied"]);
        let quiet = format!("<Delete><Quiet>true</Quiet>{}</Delete>", objects(&["b"]));
        let answer = client.call("POST", "/lake?delete", &[], quiet).await.expect("200");
        assert!(answer.elements("Key").is_empty());
        assert_eq!(client.get("/lake?list-type=2").await.elements("Key"), ["c"]);
        let many: Vec<String> = (0..1001).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let body = format!("<Delete>{}</Delete>", objects(&many));
        client.call("POST", "/lake?delete", &[], body).await.expect("400 MalformedXML");
        client
            .call("POST", "/nolake?delete", &[], format!("<Delete>{}</Delete>", objects(&["a"])))
            .await
            .expect("404 NoSuchBucket");
    }
}
