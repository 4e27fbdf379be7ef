//! `DescribeDeliveryStream`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DescribeDeliveryStream.html>
//!
//! A stream has one destination, described in the deprecated and in the extended form; so Limit and
//! ExclusiveStartDestinationId change nothing.
//!
//! Differs from AWS: the status stays ACTIVE while delivery fails and is tried again, as there; no FailureDescription.

use kernel::{Arn, Context};
use serde::{Deserialize, Serialize};
use wire::{EpochSeconds, Operation, Resource};

use super::named;
use crate::constraint::Violations;
use crate::delivery_stream::{DeliveryStream, Processing, Processor, S3Destination};
use crate::error::Error;
use crate::limits;
use crate::service::Firehose;

pub(super) struct DescribeDeliveryStream;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    delivery_stream_name: Option<String>,
    /// 1–10,000.
    limit: Option<i64>,
    exclusive_start_destination_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Response {
    delivery_stream_description: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    delivery_stream_name: String,
    #[serde(rename = "DeliveryStreamARN")]
    delivery_stream_arn: Arn,
    delivery_stream_status: &'static str,
    delivery_stream_encryption_configuration: Status,
    delivery_stream_type: &'static str,
    version_id: String,
    create_timestamp: EpochSeconds,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_timestamp: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    destinations: [Destination; 1],
    has_more_destinations: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Source {
    direct_put_source_description: DirectPut,
}

#[derive(Serialize)]
struct DirectPut {
    #[serde(rename = "ThroughputHintInMBs")]
    throughput_hint_in_mbs: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    destination_id: &'static str,
    s3_destination_description: S3,
    extended_s3_destination_description: ExtendedS3,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct S3 {
    #[serde(rename = "RoleARN")]
    role_arn: Arn,
    #[serde(rename = "BucketARN")]
    bucket_arn: String,
    prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_output_prefix: Option<String>,
    buffering_hints: BufferingHints,
    compression_format: crate::delivery_stream::Compression,
    encryption_configuration: Encryption,
    cloud_watch_logging_options: Logging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExtendedS3 {
    #[serde(flatten)]
    s3: S3,
    s3_backup_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    processing_configuration: Option<ProcessingConfiguration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_time_zone: Option<String>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct BufferingHints {
    #[serde(rename = "SizeInMBs")]
    size_in_mbs: u32,
    interval_in_seconds: u32,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Encryption {
    no_encryption_config: &'static str,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Logging {
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_stream_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessingConfiguration {
    enabled: bool,
    processors: Vec<ProcessorMember>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessorMember {
    #[serde(rename = "Type")]
    kind: String,
    parameters: Vec<Parameter>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    parameter_name: String,
    parameter_value: String,
}

/// The id of every stream's one destination.
pub(super) const DESTINATION_ID: &str = "destinationId-000000000001";

impl From<&S3Destination> for Destination {
    fn from(destination: &S3Destination) -> Self {
        let S3Destination { size_in_mbs, interval_in_seconds, .. } = *destination;
        let logging = destination.logging.clone();
        let s3 = S3 {
            role_arn: destination.role_arn.clone(),
            bucket_arn: destination.bucket_arn.clone(),
            prefix: destination.prefix.clone(),
            error_output_prefix: destination.error_output_prefix.clone(),
            buffering_hints: BufferingHints { size_in_mbs, interval_in_seconds },
            compression_format: destination.compression,
            encryption_configuration: Encryption { no_encryption_config: "NoEncryption" },
            cloud_watch_logging_options: Logging {
                enabled: logging.enabled,
                log_group_name: logging.log_group_name,
                log_stream_name: logging.log_stream_name,
            },
        };
        Self {
            destination_id: DESTINATION_ID,
            s3_destination_description: s3.clone(),
            extended_s3_destination_description: ExtendedS3 {
                s3,
                s3_backup_mode: "Disabled",
                processing_configuration: destination.processing.clone().map(processing_configuration),
                file_extension: destination.file_extension.clone().filter(|text| !text.is_empty()),
                custom_time_zone: destination.custom_time_zone.clone().filter(|text| !text.is_empty()),
            },
        }
    }
}

fn processing_configuration(processing: Processing) -> ProcessingConfiguration {
    let parameter = |(parameter_name, parameter_value)| Parameter { parameter_name, parameter_value };
    let member = |processor: Processor| ProcessorMember {
        kind: processor.kind,
        parameters: processor.parameters.into_iter().map(parameter).collect(),
    };
    let processors = processing.processors.into_iter().map(member).collect();
    ProcessingConfiguration { enabled: processing.enabled, processors }
}

impl From<&DeliveryStream> for Description {
    fn from(stream: &DeliveryStream) -> Self {
        let source = |throughput_hint_in_mbs| Source {
            direct_put_source_description: DirectPut { throughput_hint_in_mbs },
        };
        Self {
            delivery_stream_name: stream.name.clone(),
            delivery_stream_arn: stream.arn(),
            delivery_stream_status: "ACTIVE",
            delivery_stream_encryption_configuration: Status { status: "DISABLED" },
            delivery_stream_type: "DirectPut",
            version_id: stream.version.to_string(),
            create_timestamp: stream.created_at.into(),
            last_update_timestamp: stream.updated_at.map(EpochSeconds),
            source: stream.throughput_hint_in_mbs.map(source),
            destinations: [Destination::from(&stream.destination)],
            has_more_destinations: false,
        }
    }
}

impl Operation for DescribeDeliveryStream {
    type Service = Firehose;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "DescribeDeliveryStream";
    const ACTION: &'static str = "firehose:DescribeDeliveryStream";

    fn resource(cx: &Context, request: &Request) -> Resource {
        named(cx, request.delivery_stream_name.as_deref().unwrap_or_default())
    }

    /// # Errors
    /// `ResourceNotFoundException`.
    async fn handle(service: &Firehose, cx: &Context, request: Request) -> Result<Response, Error> {
        let mut violations = Violations::default();
        violations.name(request.delivery_stream_name.as_ref());
        if let Some(limit) = request.limit {
            violations.range("limit", limit, (1, limits::LIST_MAX_AND_DEFAULT.0));
        }
        if let Some(id) = &request.exclusive_start_destination_id {
            let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
            violations.length("exclusiveStartDestinationId", id.len(), 1, limits::DESTINATION_ID_CHARS_MAX);
            violations.pattern("exclusiveStartDestinationId", "[a-zA-Z0-9-]+", id.chars().all(legal));
        }
        violations.finish()?;
        let stream = service.inner.stream(cx, &request.delivery_stream_name.unwrap_or_default())?;
        Ok(Response { delivery_stream_description: Description::from(&stream.state().stored.entity) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::World;

    #[tokio::test]
    async fn defaults_are_told_in_both_forms() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let request = json!({"DeliveryStreamName": "a"});
        let described = world.call(&firehose, "DescribeDeliveryStream", request).await.unwrap();
        let s3 = json!({
            "RoleARN": "arn:aws:iam::1234567890:role/firehose_delivery_role",
            "BucketARN": "arn:aws:s3:::lake",
            "Prefix": "",
            "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
            "CompressionFormat": "UNCOMPRESSED",
            "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
            "CloudWatchLoggingOptions": {"Enabled": false},
        });
        let mut extended = s3.clone();
        extended["S3BackupMode"] = "Disabled".into();
        let expect = json!({"DeliveryStreamDescription": {
            "DeliveryStreamName": "a",
            "DeliveryStreamARN": "arn:aws:firehose:us-east-1:000000000000:deliverystream/a",
            "DeliveryStreamStatus": "ACTIVE",
            "DeliveryStreamEncryptionConfiguration": {"Status": "DISABLED"},
            "DeliveryStreamType": "DirectPut",
            "VersionId": "1",
            "CreateTimestamp": 1_503_733_632.345,
            "Destinations": [{
                "DestinationId": "destinationId-000000000001",
                "S3DestinationDescription": s3,
                "ExtendedS3DestinationDescription": extended,
            }],
            "HasMoreDestinations": false,
        }});
        assert_eq!(described, expect);
    }

    #[tokio::test]
    async fn the_id_of_a_destination_has_its_form() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "a", json!({})).await;
        let request = json!({"DeliveryStreamName": "a", "ExclusiveStartDestinationId": "a b"});
        let described = world.call(&firehose, "DescribeDeliveryStream", request).await;
        assert_eq!(
            described.unwrap_err().to_string(),
            "ValidationException: 1 validation error detected: Value at 'exclusiveStartDestinationId' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9-]+"
        );
    }

    #[tokio::test]
    async fn what_was_given_is_told_back_also_after_a_restart() {
        let world = World::new();
        let firehose = world.start().await;
        let members = json!({
            "Prefix": "p/!{timestamp:yyyy}/", "ErrorOutputPrefix": "e/!{firehose:error-output-type}/",
            "CompressionFormat": "GZIP", "FileExtension": ".json.gz", "CustomTimeZone": "Asia/Tokyo",
            "CloudWatchLoggingOptions": {"Enabled": true, "LogGroupName": "g", "LogStreamName": "s"},
            "ProcessingConfiguration": {"Processors": [{"Type": "Lambda", "Parameters": [
                {"ParameterName": "LambdaArn", "ParameterValue": "x"}]}]},
            "S3BackupMode": "Disabled",
            "DataFormatConversionConfiguration": {"Enabled": false},
            "DynamicPartitioningConfiguration": {"Enabled": false},
        });
        world.create(&firehose, "a", members).await;
        let firehose = world.start().await;
        let request = json!({"DeliveryStreamName": "a"});
        let described = world.call(&firehose, "DescribeDeliveryStream", request).await.unwrap();
        let destination = &described["DeliveryStreamDescription"]["Destinations"][0];
        let extended = &destination["ExtendedS3DestinationDescription"];
        for (member, expect) in [
            ("Prefix", json!("p/!{timestamp:yyyy}/")),
            ("ErrorOutputPrefix", json!("e/!{firehose:error-output-type}/")),
            ("CompressionFormat", json!("GZIP")),
            ("FileExtension", json!(".json.gz")),
            ("CustomTimeZone", json!("Asia/Tokyo")),
            ("CloudWatchLoggingOptions", json!({"Enabled": true, "LogGroupName": "g", "LogStreamName": "s"})),
            (
                "ProcessingConfiguration",
                json!({"Enabled": false, "Processors": [{"Type": "Lambda", "Parameters": [
                       {"ParameterName": "LambdaArn", "ParameterValue": "x"}]}]}),
            ),
        ] {
            assert_eq!(extended[member], expect, "{member}");
        }
        assert!(destination["S3DestinationDescription"].get("FileExtension").is_none());
    }

    #[tokio::test]
    async fn the_hint_of_a_direct_put_is_told_back() {
        let world = World::new();
        let firehose = world.start().await;
        let request = json!({"DeliveryStreamName": "a", "DirectPutSourceConfiguration": {"ThroughputHintInMBs": 7},
            "S3DestinationConfiguration": {"RoleARN": "arn:aws:iam::1:role/r", "BucketARN": "arn:aws:s3:::lake"}});
        world.call(&firehose, "CreateDeliveryStream", request).await.unwrap();
        let request = json!({"DeliveryStreamName": "a"});
        let described = world.call(&firehose, "DescribeDeliveryStream", request).await.unwrap();
        let source = &described["DeliveryStreamDescription"]["Source"];
        assert_eq!(source, &json!({"DirectPutSourceDescription": {"ThroughputHintInMBs": 7}}));
    }

    #[tokio::test]
    async fn refusals() {
        let world = World::new();
        let firehose = world.start().await;
        for (request, expect) in [
            (
                json!({"DeliveryStreamName": "a"}),
                "ResourceNotFoundException: Firehose a under account 000000000000 not found.",
            ),
            (
                json!({"DeliveryStreamName": "a", "Limit": 0}),
                "ValidationException: 1 validation error detected: Value at 'limit' failed to satisfy constraint: \
                 Member must have value greater than or equal to 1",
            ),
        ] {
            let fault = world.call(&firehose, "DescribeDeliveryStream", request).await.unwrap_err();
            assert_eq!(fault.to_string(), expect);
        }
    }
}
