//! `PutRecordBatch`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>
//!
//! Answered when the records are durable.
//!
//! Differs from AWS: a batch is appended whole or not at all, so FailedPutCount is 0 or the number of records.

use bytes::Bytes;
use kernel::Context;
use serde::{Deserialize, Serialize};
use store::Offset;
use wire::{Operation, Resource};

use super::named;
use super::put_record::{Record, record_id};
use crate::constraint::Violations;
use crate::error::Error;
use crate::limits;
use crate::service::Firehose;

pub(super) struct PutRecordBatch;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    delivery_stream_name: Option<String>,
    /// 1–500, at most 4 MiB together.
    records: Option<Vec<Record>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    failed_put_count: usize,
    encrypted: bool,
    request_responses: Vec<Answer>,
}

/// What became of one record, in the order of the request.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    #[serde(rename_all = "PascalCase")]
    Put { record_id: String },
    #[serde(rename_all = "PascalCase")]
    Failed { error_code: &'static str, error_message: String },
}

impl Operation for PutRecordBatch {
    type Service = Firehose;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "PutRecordBatch";
    const ACTION: &'static str = "firehose:PutRecordBatch";

    fn resource(cx: &Context, request: &Request) -> Resource {
        named(cx, request.delivery_stream_name.as_deref().unwrap_or_default())
    }

    /// # Errors
    /// `ResourceNotFoundException`, `InvalidArgumentException`, `ValidationException`.
    async fn handle(service: &Firehose, cx: &Context, request: Request) -> Result<Response, Error> {
        let mut violations = Violations::default();
        violations.name(request.delivery_stream_name.as_ref());
        violations.required("records", request.records.as_ref());
        if let Some(records) = &request.records {
            violations.length("records", records.len(), 1, limits::BATCH_RECORDS_MAX);
            for (n, record) in records.iter().enumerate() {
                record.constrain(&format!("records.{}.member", n + 1), &mut violations);
            }
        }
        violations.finish()?;
        let records = request.records.into_iter().flatten();
        let records: Vec<Bytes> =
            records.map(|record| record.data.map(|data| data.0).unwrap_or_default()).collect();
        let count = records.len();
        if records.iter().map(Bytes::len).sum::<usize>() > limits::BATCH_BYTES_MAX {
            return Err(Error::invalid("Records size exceeds 4 MB limit"));
        }
        let stream = service.inner.stream(cx, &request.delivery_stream_name.unwrap_or_default())?;
        let (failed_put_count, request_responses) = match service.inner.append(&stream, records).await {
            Ok(first) => {
                let id = |n: usize| record_id(&stream, Offset(first.0 + n as u64));
                (0, (0..count).map(|n| Answer::Put { record_id: id(n) }).collect())
            }
            Err(error @ Error::ServiceUnavailable) => {
                let failed = || Answer::Failed {
                    error_code: "ServiceUnavailableException",
                    error_message: error.to_string(),
                };
                (count, (0..count).map(|_| failed()).collect())
            }
            Err(error) => return Err(error),
        };
        Ok(Response { failed_put_count, encrypted: false, request_responses })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{World, base64};

    fn batch(records: impl IntoIterator<Item = Vec<u8>>) -> Value {
        let records: Vec<_> = records.into_iter().map(|data| json!({"Data": base64(&data)})).collect();
        json!({"DeliveryStreamName": "a", "Records": records})
    }

    #[tokio::test]
    async fn answers_are_aligned_with_records() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let request = batch(["x", "y", "z"].map(|data| data.as_bytes().to_vec()));
        let put = world.call(&firehose, "PutRecordBatch", request).await.unwrap();
        assert_eq!((&put["FailedPutCount"], &put["Encrypted"]), (&json!(0), &json!(false)));
        let ids: Vec<_> =
            put["RequestResponses"].as_array().unwrap().iter().map(|r| &r["RecordId"]).collect();
        assert!(ids.len() == 3 && ids[0] != ids[1] && ids[1] != ids[2]);
        assert_eq!(world.buffered(&firehose, "").await, ["x", "y", "z"]);
    }

    #[tokio::test]
    async fn a_full_log_fails_every_record_of_a_batch_that_is_answered() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        world.log.fill();
        let put = world.call(&firehose, "PutRecordBatch", batch([vec![1], vec![2]])).await.unwrap();
        let failed = json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."});
        assert_eq!(
            put,
            json!({"FailedPutCount": 2, "Encrypted": false, "RequestResponses": [failed, failed]})
        );
    }

    #[tokio::test]
    async fn refusals() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let validation = "ValidationException: 1 validation error detected: Value at ";
        for (request, expect) in [
            (
                json!({"DeliveryStreamName": "b", "Records": [{"Data": ""}]}),
                "ResourceNotFoundException: Firehose b under account 000000000000 not found.".to_owned(),
            ),
            (
                batch([]),
                format!(
                    "{validation}'records' failed to satisfy constraint: Member must have length greater than or equal to 1"
                ),
            ),
            (
                batch(vec![vec![]; 501]),
                format!(
                    "{validation}'records' failed to satisfy constraint: Member must have length less than or equal to 500"
                ),
            ),
            (
                batch([vec![], vec![0; 1_024_001]]),
                format!(
                    "{validation}'records.2.member.data' failed to satisfy constraint: Member must have length less than or equal to 1024000"
                ),
            ),
            (
                batch(vec![vec![0; 900_000]; 5]),
                "InvalidArgumentException: Records size exceeds 4 MB limit".to_owned(),
            ),
        ] {
            let fault = world.call(&firehose, "PutRecordBatch", request).await.unwrap_err();
            assert_eq!(fault.to_string(), expect);
        }
        assert!(world.buffered(&firehose, "").await.is_empty());
    }
}
