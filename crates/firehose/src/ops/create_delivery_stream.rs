//! `CreateDeliveryStream`: <https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html>
//!
//! Differs from AWS: the stream is ACTIVE at once; AWS takes up to a minute in CREATING.
//! Differs from AWS: only DirectPut streams to S3; every other source, destination and encryption is refused with a sentence
//! that says so.
//! Differs from AWS: ThroughputHintInMBs is only told back.
//! Differs from AWS: at the quota the sentence does not list the names of all streams.

use std::collections::BTreeMap;

use kernel::{Arn, Context};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Operation, Resource};

use super::{Tag, constrain_tags, named};
use crate::configuration::S3Configuration;
use crate::constraint::Violations;
use crate::delivery_stream::{DeliveryStream, Target};
use crate::error::Error;
use crate::limits;
use crate::service::Firehose;

pub(super) struct CreateDeliveryStream;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    delivery_stream_name: Option<String>,
    /// DirectPut when omitted.
    delivery_stream_type: Option<String>,
    direct_put_source_configuration: Option<DirectPutSourceConfiguration>,
    s3_destination_configuration: Option<S3Configuration>,
    extended_s3_destination_configuration: Option<S3Configuration>,
    tags: Option<Vec<Tag>>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DirectPutSourceConfiguration {
    #[serde(rename = "ThroughputHintInMBs")]
    throughput_hint_in_mbs: Option<i64>,
}

/// Members that are refused when they are given.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Others {
    kinesis_stream_source_configuration: Option<Value>,
    #[serde(rename = "MSKSourceConfiguration")]
    msk_source_configuration: Option<Value>,
    database_source_configuration: Option<Value>,
    delivery_stream_encryption_configuration_input: Option<Value>,
    redshift_destination_configuration: Option<Value>,
    elasticsearch_destination_configuration: Option<Value>,
    amazonopensearchservice_destination_configuration: Option<Value>,
    amazon_open_search_serverless_destination_configuration: Option<Value>,
    splunk_destination_configuration: Option<Value>,
    http_endpoint_destination_configuration: Option<Value>,
    snowflake_destination_configuration: Option<Value>,
    iceberg_destination_configuration: Option<Value>,
}

#[derive(Serialize)]
pub(super) struct Response {
    #[serde(rename = "DeliveryStreamARN")]
    delivery_stream_arn: Arn,
}

const TYPES: [&str; 4] = ["DirectPut", "KinesisStreamAsSource", "MSKAsSource", "DatabaseAsSource"];

impl Others {
    /// Destinations that are not S3, by the names in a sentence.
    fn destinations(&self) -> impl Iterator<Item = &'static str> {
        [
            ("Redshift", &self.redshift_destination_configuration),
            ("Elasticsearch", &self.elasticsearch_destination_configuration),
            ("OpenSearch Service", &self.amazonopensearchservice_destination_configuration),
            ("OpenSearch Serverless", &self.amazon_open_search_serverless_destination_configuration),
            ("Splunk", &self.splunk_destination_configuration),
            ("HTTP endpoint", &self.http_endpoint_destination_configuration),
            ("Snowflake", &self.snowflake_destination_configuration),
            ("Iceberg", &self.iceberg_destination_configuration),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.as_ref().map(|_| name))
    }
}

impl Request {
    /// The first layer of validation.
    fn constrain(&self) -> Result<(), Error> {
        let s3 = self.s3_destination_configuration.as_ref();
        let extended = self.extended_s3_destination_configuration.as_ref();
        for configuration in [s3, extended].into_iter().flatten() {
            configuration.check_role()?;
        }
        let mut violations = Violations::default();
        violations.name(self.delivery_stream_name.as_ref());
        if let Some(kind) = &self.delivery_stream_type {
            violations.one_of("deliveryStreamType", kind, &TYPES);
        }
        if let Some(direct) = &self.direct_put_source_configuration {
            let path = "directPutSourceConfiguration.throughputHintInMBs";
            violations.required(path, direct.throughput_hint_in_mbs.as_ref());
            if let Some(hint) = direct.throughput_hint_in_mbs {
                violations.range(path, hint, limits::THROUGHPUT_HINT_IN_MBS);
            }
        }
        let named = [("s3DestinationConfiguration", s3), ("extendedS3DestinationConfiguration", extended)];
        for (path, configuration) in named {
            if let Some(configuration) = configuration {
                configuration.require(path, &mut violations);
                configuration.constrain(path, &mut violations);
            }
        }
        if let Some(tags) = &self.tags {
            constrain_tags(tags, &mut violations);
        }
        violations.finish()
    }

    /// The one destination, which must be S3, and a source that must be the caller.
    fn into_configuration(self) -> Result<S3Configuration, Error> {
        let unsupported = |what: &str| Err(Error::invalid(format!("{what} is not supported here yet.")));
        let plain = self.s3_destination_configuration.map(S3Configuration::plain);
        let s3: Vec<_> = plain.into_iter().chain(self.extended_s3_destination_configuration).collect();
        let others: Vec<_> = self.others.destinations().collect();
        if s3.len() + others.len() != 1 {
            return Err(Error::invalid("Exactly one destination configuration is supported for a Firehose"));
        }
        let kind = self.delivery_stream_type.as_deref().unwrap_or("DirectPut");
        if self.others.kinesis_stream_source_configuration.is_some() && kind != "KinesisStreamAsSource" {
            return Err(Error::invalid(
                "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type",
            ));
        }
        if kind != "DirectPut" {
            return unsupported(&format!("The delivery stream type {kind}"));
        }
        if self.others.msk_source_configuration.is_some() {
            return unsupported("MSKSourceConfiguration");
        }
        if self.others.database_source_configuration.is_some() {
            return unsupported("DatabaseSourceConfiguration");
        }
        if self.others.delivery_stream_encryption_configuration_input.is_some() {
            return unsupported("DeliveryStreamEncryptionConfigurationInput");
        }
        match (s3.into_iter().next(), others.first()) {
            (Some(configuration), _) => Ok(configuration),
            (None, other) => unsupported(&format!("The {} destination", other.unwrap_or(&"given"))),
        }
    }
}

impl Operation for CreateDeliveryStream {
    type Service = Firehose;
    type Request = Request;
    type Response = Response;
    type Error = Error;

    const NAME: &'static str = "CreateDeliveryStream";
    const ACTION: &'static str = "firehose:CreateDeliveryStream";

    fn resource(cx: &Context, request: &Request) -> Resource {
        named(cx, request.delivery_stream_name.as_deref().unwrap_or_default())
    }

    /// # Errors
    /// `ResourceInUseException`, `LimitExceededException`, `InvalidArgumentException`, `ValidationException`,
    /// `AccessDeniedException`.
    async fn handle(service: &Firehose, cx: &Context, mut request: Request) -> Result<Response, Error> {
        request.constrain()?;
        let hint = request.direct_put_source_configuration.as_ref();
        let throughput_hint_in_mbs =
            hint.and_then(|hint| hint.throughput_hint_in_mbs).and_then(|hint| hint.try_into().ok());
        let tags: BTreeMap<_, _> = request
            .tags
            .take()
            .into_iter()
            .flatten()
            .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
            .collect();
        let stream = DeliveryStream {
            account: cx.account.clone(),
            region: cx.region.clone(),
            name: request.delivery_stream_name.clone().unwrap_or_default(),
            generation: service.inner.new_generation(),
            version: 1,
            created_at: service.inner.clock.now(),
            updated_at: None,
            throughput_hint_in_mbs,
            destination: request.into_configuration()?.into_destination()?,
            tags,
        };
        Target::of(&stream)?;
        service.inner.check_role(cx, &stream)?;
        service.inner.create(&stream).await?;
        Ok(Response { delivery_stream_arn: stream.arn() })
    }
}

#[cfg(test)]
mod tests {
    use kernel::Region;
    use serde_json::json;
    use store::table::Stored;

    use super::*;
    use crate::testing::{World, merged};

    const ROLE: &str = "arn:aws:iam::1234567890:role/firehose_delivery_role";
    const BUCKET: &str = "arn:aws:s3:::lake";

    /// Creates `a` to an extended S3 destination with these members; the code and sentence of the refusal.
    async fn refusal(members: Value) -> (String, String) {
        let destination = merged(json!({"RoleARN": ROLE, "BucketARN": BUCKET}), members);
        refusal_of(json!({"DeliveryStreamName": "a", "ExtendedS3DestinationConfiguration": destination}))
            .await
    }

    async fn refusal_of(request: Value) -> (String, String) {
        let world = World::new();
        let firehose = world.start().await;
        let fault = world.call(&firehose, "CreateDeliveryStream", request).await.unwrap_err();
        assert_eq!(fault.status, 400);
        assert!(firehose.inner.registry.all().is_empty());
        (fault.code, fault.message)
    }

    #[tokio::test]
    async fn the_members_of_a_script_for_aws_create_a_stream() {
        let world = World::new();
        let firehose = world.start().await;
        let request = json!({
            "DeliveryStreamName": "iot_boto3",
            "S3DestinationConfiguration": {
                "RoleARN": ROLE, "BucketARN": "arn:aws:s3:::pydata.iot.pipeline", "Prefix": "heartrate_data/",
                "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
                "CompressionFormat": "UNCOMPRESSED",
                "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
            },
        });
        let created = world.call(&firehose, "CreateDeliveryStream", request.clone()).await.unwrap();
        let arn = "arn:aws:firehose:us-east-1:000000000000:deliverystream/iot_boto3";
        assert_eq!(created, json!({"DeliveryStreamARN": arn}));
        let fault = world.call(&firehose, "CreateDeliveryStream", request).await.unwrap_err();
        assert_eq!(
            (fault.status, fault.to_string().as_str()),
            (400, "ResourceInUseException: Firehose iot_boto3 under accountId 000000000000 already exists")
        );
    }

    #[tokio::test]
    async fn violations_of_the_model_are_told_together() {
        let (code, sentence) = refusal(json!({
            "BucketARN": "lake",
            "BufferingHints": {"SizeInMBs": 129, "IntervalInSeconds": 901},
            "CompressionFormat": "SNAPPY",
            "EncryptionConfiguration": {"NoEncryptionConfig": "None"},
            "ProcessingConfiguration": {"Processors": [
                {"Type": "Lambda", "Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": "x"},
                                                   {"ParameterName": "LambdaArn", "ParameterValue": " "}]},
                {"Type": "Nope"}]},
            "FileExtension": "json", "CustomTimeZone": "Etc/GMT+5", "S3BackupMode": "On",
        }))
        .await;
        assert_eq!(code, "ValidationException");
        let path = "extendedS3DestinationConfiguration";
        let expect = [
            ("bucketARN", r"Member must satisfy regular expression pattern: arn:.*:s3:::[\w\.\-]{1,255}"),
            ("bufferingHints.sizeInMBs", "Member must have value less than or equal to 128"),
            ("bufferingHints.intervalInSeconds", "Member must have value less than or equal to 900"),
            (
                "compressionFormat",
                "Member must satisfy enum value set: [ZIP, HADOOP_SNAPPY, Snappy, GZIP, UNCOMPRESSED]",
            ),
            (
                "encryptionConfiguration.noEncryptionConfig",
                "Member must satisfy enum value set: [NoEncryption]",
            ),
            (
                "processingConfiguration.processors.1.member.parameters.2.member.parameterValue",
                r"Member must satisfy regular expression pattern: ^(?!\s*$).+",
            ),
            (
                "processingConfiguration.processors.2.member.type",
                "Member must satisfy enum value set: [Decompression, Lambda, RecordDeAggregation, \
                 MetadataExtraction, AppendDelimiterToRecord, CloudWatchLogProcessing]",
            ),
            ("s3BackupMode", "Member must satisfy enum value set: [Enabled, Disabled]"),
            ("fileExtension", r"Member must satisfy regular expression pattern: ^$|\.[0-9a-z!\-_.*'()]+"),
            ("customTimeZone", "Member must satisfy regular expression pattern: ^$|[a-zA-Z/_]+"),
        ]
        .map(|(member, text)| format!("Value at '{path}.{member}' failed to satisfy constraint: {text}"));
        assert_eq!(sentence, format!("10 validation errors detected: {}", expect.join("; ")));
    }

    #[tokio::test]
    async fn what_is_missing_is_told() {
        let request = json!({"S3DestinationConfiguration": {}, "DirectPutSourceConfiguration": {}});
        let (code, sentence) = refusal_of(request).await;
        assert_eq!(code, "ValidationException");
        for path in [
            "deliveryStreamName",
            "directPutSourceConfiguration.throughputHintInMBs",
            "s3DestinationConfiguration.roleARN",
            "s3DestinationConfiguration.bucketARN",
        ] {
            let part = format!("Value at '{path}' failed to satisfy constraint: Member must not be null");
            assert!(sentence.contains(&part), "{sentence}");
        }
    }

    #[tokio::test]
    async fn a_role_is_one_that_the_caller_may_pass_and_the_stream_assume() {
        let world = World::new();
        let firehose = world.start().await;
        let request = json!({"DeliveryStreamName": "a",
                             "S3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": BUCKET}});
        let refused = async || {
            let fault = world.call(&firehose, "CreateDeliveryStream", request.clone()).await.unwrap_err();
            assert!(firehose.inner.registry.all().is_empty());
            fault.to_string()
        };
        world.roles.set_forbidden("iam:PassRole", true);
        assert_eq!(
            refused().await,
            "AccessDeniedException: User: arn:aws:iam::000000000000:root is not authorized to perform: iam:PassRole on \
             resource: arn:aws:iam::1234567890:role/firehose_delivery_role because no identity-based policy allows the \
             iam:PassRole action"
        );
        world.roles.set_forbidden("iam:PassRole", false);
        world.roles.set_gone(ROLE, true);
        assert_eq!(
            refused().await,
            "InvalidArgumentException: Firehose is unable to assume role \
             arn:aws:iam::1234567890:role/firehose_delivery_role. Please check the role provided."
        );
    }

    #[tokio::test]
    async fn a_bad_role_comes_before_everything() {
        let members = json!({"RoleARN": "arn:aws:iam::1234567890:user/x", "CompressionFormat": "nope"});
        let expect = ("InvalidParameterValueException".to_owned(), "Invalid role ARN.".to_owned());
        assert_eq!(refusal(members).await, expect);
    }

    #[tokio::test]
    async fn arguments_that_are_well_formed_and_wrong() {
        let append = |parameters: Value| {
            json!({"ProcessingConfiguration": {"Enabled": true,
                   "Processors": [{"Type": "AppendDelimiterToRecord", "Parameters": parameters}]}})
        };
        let delimiter = json!({"ParameterName": "Delimiter", "ParameterValue": ";"});
        for (members, expect) in [
            (
                json!({"BufferingHints": {"SizeInMBs": 1}}),
                "SizeInMBs and IntervalInSeconds must be given together",
            ),
            (
                json!({"Prefix": "!{timestamp:yyyy}/"}),
                "Ths supplied prefix(es) do not satisfy the following constraint: ErrorOutputPrefix cannot be null \
                 or empty when Prefix contains expressions",
            ),
            (
                json!({"Prefix": "!{partitionKeyFromQuery:a}/", "ErrorOutputPrefix": "e/"}),
                "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning \
                 is enabled.",
            ),
            (json!({"CustomTimeZone": "Mars/Base"}), "CustomTimeZone Mars/Base is not a known time zone."),
            (json!({"CompressionFormat": "ZIP"}), "The compression format ZIP is not supported here yet."),
            (
                json!({"CompressionFormat": "Snappy"}),
                "The compression format Snappy is not supported here yet.",
            ),
            (
                json!({"CompressionFormat": "HADOOP_SNAPPY"}),
                "The compression format HADOOP_SNAPPY is not supported here yet.",
            ),
            (
                json!({"EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": "k"}}}),
                "KMSEncryptionConfig is not supported here yet.",
            ),
            (
                json!({"DataFormatConversionConfiguration": {}}),
                "Data format conversion is not supported here yet.",
            ),
            (
                json!({"DynamicPartitioningConfiguration": {"Enabled": true}}),
                "Dynamic partitioning is not supported here yet.",
            ),
            (json!({"S3BackupMode": "Enabled"}), "S3 backup is not supported here yet."),
            (json!({"S3BackupConfiguration": {}}), "S3 backup is not supported here yet."),
            (
                json!({"ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Lambda"}]}}),
                "The processor type Lambda is not supported here yet.",
            ),
            (
                json!({"ProcessingConfiguration": {"Enabled": true, "Processors":
                       [{"Type": "AppendDelimiterToRecord"}, {"Type": "AppendDelimiterToRecord"}]}}),
                "Cannot have more than 1 AppendDelimiterToRecord processor.",
            ),
            (
                append(json!([delimiter, delimiter])),
                "Duplicate ProcessorParameter passed to ProcessingConfiguration.",
            ),
            (
                append(json!([{"ParameterName": "LambdaArn", "ParameterValue": "x"}])),
                "The parameter LambdaArn is not one of AppendDelimiterToRecord.",
            ),
        ] {
            let expect = ("InvalidArgumentException".to_owned(), expect.to_owned());
            assert_eq!(refusal(members).await, expect);
        }
    }

    #[tokio::test]
    async fn one_destination_and_a_source_we_have() {
        let s3 = json!({"RoleARN": ROLE, "BucketARN": BUCKET});
        let one = "Exactly one destination configuration is supported for a Firehose";
        let refused = |what: &str| format!("{what} is not supported here yet.");
        for (members, expect) in [
            (json!({}), one.to_owned()),
            (
                json!({"S3DestinationConfiguration": s3, "ExtendedS3DestinationConfiguration": s3}),
                one.to_owned(),
            ),
            (json!({"S3DestinationConfiguration": s3, "SplunkDestinationConfiguration": {}}), one.to_owned()),
            (json!({"SplunkDestinationConfiguration": {}}), refused("The Splunk destination")),
            (
                json!({"S3DestinationConfiguration": s3, "DeliveryStreamType": "MSKAsSource"}),
                refused("The delivery stream type MSKAsSource"),
            ),
            (
                json!({"S3DestinationConfiguration": s3, "KinesisStreamSourceConfiguration": {}}),
                "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type"
                    .to_owned(),
            ),
            (
                json!({"S3DestinationConfiguration": s3, "MSKSourceConfiguration": {}}),
                refused("MSKSourceConfiguration"),
            ),
            (
                json!({"S3DestinationConfiguration": s3, "DatabaseSourceConfiguration": {}}),
                refused("DatabaseSourceConfiguration"),
            ),
            (
                json!({"S3DestinationConfiguration": s3, "DeliveryStreamEncryptionConfigurationInput": {}}),
                refused("DeliveryStreamEncryptionConfigurationInput"),
            ),
        ] {
            let request = merged(json!({"DeliveryStreamName": "a"}), members);
            assert_eq!(refusal_of(request).await, ("InvalidArgumentException".to_owned(), expect));
        }
    }

    #[tokio::test]
    async fn the_quota_is_per_account_and_region() {
        let world = World::new();
        let firehose = world.start().await;
        world.create(&firehose, "template", json!({})).await;
        let template = firehose.inner.registry.all()[0].state();
        for n in 1..limits::STREAMS_MAX {
            let mut entity = template.stored.entity.clone();
            entity.name = format!("s{n}");
            let stored = Stored { entity, revision: template.stored.revision };
            firehose.inner.registry.publish(stored, &firehose.inner.metrics).unwrap();
        }
        let request = json!({"DeliveryStreamName": "one-more",
                             "S3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": BUCKET}});
        let fault = world.call(&firehose, "CreateDeliveryStream", request.clone()).await.unwrap_err();
        assert_eq!(
            fault.to_string(),
            "LimitExceededException: You have already consumed your firehose quota of 5000 hoses."
        );
        let elsewhere: Region = "eu-west-1".parse().unwrap();
        world.call_in(&firehose, &elsewhere, "CreateDeliveryStream", request).await.unwrap();
    }
}
