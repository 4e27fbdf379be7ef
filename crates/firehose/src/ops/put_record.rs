//! `PutRecord`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecord.html>
//!
//! Answered when the record is durable.
//!
//! Differs from AWS: the record's id tells its position; it is opaque all the same.

use kernel::Context;
use serde::{Deserialize, Serialize};
use store::Offset;
use wire::{Blob, Operation, Resource};

use super::named;
use crate::constraint::Violations;
use crate::error::Error;
use crate::limits;
use crate::registry::Stream;
use crate::service::Firehose;

pub(super) struct PutRecord;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    delivery_stream_name: Option<String>,
    record: Option<Record>,
}

/// A record on the wire.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Record {
    /// At most 1,000 KiB; may be empty.
    pub(super) data: Option<Blob>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    record_id: String,
    encrypted: bool,
}

impl Record {
    pub(super) fn constrain(&self, path: &str, violations: &mut Violations) {
        let path = format!("{path}.data");
        violations.required(&path, self.data.as_ref());
        if let Some(data) = &self.data {
            violations.length(&path, data.0.len(), 0, limits::RECORD_BYTES_MAX);
        }
    }
}

/// The id of a record.
pub(super) fn record_id(stream: &Stream, offset: Offset) -> String {
    wire::page::token(&format!("{}/{:020}", stream.log, offset.0))
}

impl Operation for PutRecord {
    type Service = Firehose;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "PutRecord";
    const ACTION: &'static str = "firehose:PutRecord";

    fn resource(cx: &Context, request: &Request) -> Resource {
        named(cx, request.delivery_stream_name.as_deref().unwrap_or_default())
    }

    /// # Errors
    /// `ResourceNotFoundException`, `ServiceUnavailableException`, `ValidationException`.
    async fn handle(service: &Firehose, cx: &Context, request: Request) -> Result<Response, Error> {
        let mut violations = Violations::default();
        violations.name(request.delivery_stream_name.as_ref());
        violations.required("record", request.record.as_ref());
        if let Some(record) = &request.record {
            record.constrain("record", &mut violations);
        }
        violations.finish()?;
        let stream = service.inner.stream(cx, &request.delivery_stream_name.unwrap_or_default())?;
        let data = request.record.and_then(|record| record.data).unwrap_or_default();
        let offset = service.inner.append(&stream, vec![data.0]).await?;
        Ok(Response { record_id: record_id(&stream, offset), encrypted: false })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::{World, base64};

    #[tokio::test]
    async fn a_record_has_an_id_of_its_own_and_is_buffered_as_it_is() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let mut ids = Vec::new();
        for data in ["abc", "", "abc"] {
            let request = json!({"DeliveryStreamName": "a", "Record": {"Data": base64(data.as_bytes())}});
            let put = world.call(&firehose, "PutRecord", request).await.unwrap();
            assert_eq!(put["Encrypted"], false);
            ids.push(put["RecordId"].as_str().unwrap().to_owned());
        }
        ids.dedup();
        assert_eq!(ids.len(), 3);
        assert_eq!(world.buffered(&firehose, "").await, ["abc", "", "abc"]);
        let counters = firehose.inner.metrics.counters();
        let value = |name| counters.iter().find(|s| s.metric.name == name).map(|s| s.value);
        assert_eq!(value("firehose_incoming_records_total"), Some(3));
        assert_eq!(value("firehose_incoming_bytes_total"), Some(6));
    }

    #[tokio::test]
    async fn a_delimiter_goes_behind_every_record() {
        let world = World::new();
        let firehose = world.start().await;
        let processing = json!({"ProcessingConfiguration": {"Enabled": true, "Processors": [
            {"Type": "AppendDelimiterToRecord", "Parameters": [
                {"ParameterName": "Delimiter", "ParameterValue": "\\n"}]}]}});
        world.create(&firehose, "a", processing).await;
        world.put(&firehose, "a", &["x", "y"]).await;
        assert_eq!(world.buffered(&firehose, "").await, ["x\n", "y\n"]);
    }

    #[tokio::test]
    async fn refusals() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let at = |path: &str| format!("Value at '{path}' failed to satisfy constraint: Member must");
        let validation = "ValidationException: 1 validation error detected: ";
        for (request, expect) in [
            (
                json!({"DeliveryStreamName": "b", "Record": {"Data": ""}}),
                "ResourceNotFoundException: Firehose b under account 000000000000 not found.".to_owned(),
            ),
            (json!({"DeliveryStreamName": "a"}), format!("{validation}{} not be null", at("record"))),
            (
                json!({"DeliveryStreamName": "a", "Record": {}}),
                format!("{validation}{} not be null", at("record.data")),
            ),
            (
                json!({"DeliveryStreamName": "a", "Record": {"Data": base64(&vec![0; 1_024_001])}}),
                format!("{validation}{} have length less than or equal to 1024000", at("record.data")),
            ),
        ] {
            let fault = world.call(&firehose, "PutRecord", request).await.unwrap_err();
            assert_eq!(fault.to_string(), expect);
        }
        let full = json!({"DeliveryStreamName": "a", "Record": {"Data": base64(&vec![0; 1_024_000])}});
        world.call(&firehose, "PutRecord", full.clone()).await.unwrap();
        world.log.fill();
        let fault = world.call(&firehose, "PutRecord", full).await.unwrap_err();
        assert_eq!(
            (fault.status, fault.to_string().as_str()),
            (503, "ServiceUnavailableException: Slow down.")
        );
    }
}
