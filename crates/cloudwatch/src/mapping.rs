//! Which of our metrics are which of AWS's: one row each.
//!
//! Sources: <https://docs.aws.amazon.com/iot/latest/developerguide/metrics_dimensions.html>,
//! <https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html>,
//! <https://docs.aws.amazon.com/athena/latest/ug/query-metrics-viewing.html>.
//!
//! What AWS has no name for and an operator asks for first is in the namespace `Headwater`.
//!
//! Differs from AWS: S3's storage metrics are there every minute, and its request metrics without a metrics configuration, as filter
//! `EntireBucket`.

/// One row.
pub(crate) struct Row {
    /// Our metric's name.
    pub(crate) ours: &'static str,
    /// Only of series whose label has one of these values.
    pub(crate) only: &'static [(&'static str, &'static [&'static str])],
    pub(crate) namespace: &'static str,
    pub(crate) metric: &'static str,
    /// Name, and the label whose value it has; `=` before a fixed value, `^` before a label that is written in capitals, `+` before one
    /// that is written with a capital.
    pub(crate) dimensions: &'static [(&'static str, &'static str)],
    pub(crate) unit: &'static str,
    /// What our value is multiplied by; of an event, what it counts as.
    pub(crate) scale: f64,
}

const STREAM: &[(&str, &str)] = &[("DeliveryStreamName", "stream")];
const PROTOCOL: &[(&str, &str)] = &[("Protocol", "^protocol")];
const MQTT: &[(&str, &str)] = &[("Protocol", "=MQTT")];
const RULE: &[(&str, &str)] = &[("RuleName", "rule")];
const ACTION: &[(&str, &str)] = &[("ActionType", "+action"), ("RuleName", "rule")];
const BUCKET: &[(&str, &str)] = &[("BucketName", "bucket"), ("FilterId", "=EntireBucket")];
const STORED: &[(&str, &str)] = &[("BucketName", "bucket"), ("StorageType", "=StandardStorage")];
const OBJECTS: &[(&str, &str)] = &[("BucketName", "bucket"), ("StorageType", "=AllStorageTypes")];
const QUERY: &[(&str, &str)] = &[("QueryState", "^state"), ("QueryType", "type"), ("WorkGroup", "workgroup")];

const IOT: &str = "AWS/IoT";
const FIREHOSE: &str = "AWS/Firehose";
const S3: &str = "AWS/S3";
const ATHENA: &str = "AWS/Athena";
const OWN: &str = "Headwater";

/// A counter of events.
const fn count(ours: &'static str, namespace: &'static str, metric: &'static str) -> Row {
    Row { ours, only: &[], namespace, metric, dimensions: &[], unit: "Count", scale: 1.0 }
}

impl Row {
    const fn only(self, only: &'static [(&'static str, &'static [&'static str])]) -> Self {
        Self { only, ..self }
    }

    const fn by(self, dimensions: &'static [(&'static str, &'static str)]) -> Self {
        Self { dimensions, ..self }
    }

    const fn in_unit(self, unit: &'static str, scale: f64) -> Self {
        Self { unit, scale, ..self }
    }
}

/// Every row.
pub(crate) const MAPPING: &[Row] = &[
    // --- AWS/IoT: the message broker
    count("iot_connects_total", IOT, "Connect.Success").only(&[("result", &["success"])]).by(MQTT),
    count("iot_connects_total", IOT, "Connect.AuthError").only(&[("result", &["auth_error"])]).by(MQTT),
    count("iot_connects_total", IOT, "Connect.ClientError").only(&[("result", &["client_error"])]).by(MQTT),
    count("iot_connects_total", IOT, "Connect.ServerError").only(&[("result", &["server_error"])]).by(MQTT),
    count("iot_connects_total", IOT, "Connect.Throttle").only(&[("result", &["throttle"])]).by(MQTT),
    count("iot_publish_in_total", IOT, "PublishIn.Success").only(&[("result", &["success"])]).by(PROTOCOL),
    count("iot_publish_in_total", IOT, "PublishIn.AuthError")
        .only(&[("result", &["auth_error"])])
        .by(PROTOCOL),
    count("iot_publish_in_total", IOT, "PublishIn.ClientError")
        .only(&[("result", &["client_error"])])
        .by(PROTOCOL),
    count("iot_publish_in_total", IOT, "PublishIn.ServerError")
        .only(&[("result", &["server_error"])])
        .by(PROTOCOL),
    count("iot_publish_in_total", IOT, "PublishIn.Throttle").only(&[("result", &["throttle"])]).by(PROTOCOL),
    count("iot_publish_out_total", IOT, "PublishOut.Success").by(MQTT),
    count("iot_subscribes_total", IOT, "Subscribe.Success").only(&[("result", &["success"])]).by(MQTT),
    count("iot_subscribes_total", IOT, "Subscribe.AuthError").only(&[("result", &["auth_error"])]).by(MQTT),
    count("iot_subscribes_total", IOT, "Subscribe.ClientError")
        .only(&[("result", &["client_error"])])
        .by(MQTT),
    count("iot_subscribes_total", IOT, "Subscribe.ServerError")
        .only(&[("result", &["server_error"])])
        .by(MQTT),
    count("iot_subscribes_total", IOT, "Subscribe.Throttle").only(&[("result", &["throttle"])]).by(MQTT),
    count("iot_unsubscribes_total", IOT, "Unsubscribe.Success").only(&[("result", &["success"])]).by(MQTT),
    count("iot_unsubscribes_total", IOT, "Unsubscribe.ClientError")
        .only(&[("result", &["client_error"])])
        .by(MQTT),
    count("iot_unsubscribes_total", IOT, "Unsubscribe.ServerError")
        .only(&[("result", &["server_error"])])
        .by(MQTT),
    count("iot_unsubscribes_total", IOT, "Unsubscribe.Throttle").only(&[("result", &["throttle"])]).by(MQTT),
    // --- AWS/IoT: the rules engine
    count("iot_topic_match_total", IOT, "TopicMatch").by(RULE),
    count("iot_rule_executed_total", IOT, "RulesExecuted").only(&[("result", &["success"])]),
    count("iot_rule_action_total", IOT, "Success").only(&[("result", &["success"])]).by(ACTION),
    count("iot_rule_action_total", IOT, "Failure").only(&[("result", &["failure"])]).by(ACTION),
    count("iot_rule_error_action_total", IOT, "ErrorActionSuccess")
        .only(&[("result", &["success"])])
        .by(ACTION),
    count("iot_rule_error_action_total", IOT, "ErrorActionFailure")
        .only(&[("result", &["failure"])])
        .by(ACTION),
    count("iot_rule_not_found_total", IOT, "RuleNotFound"),
    // --- AWS/Firehose
    count("firehose_incoming_records_total", FIREHOSE, "IncomingRecords").by(STREAM),
    count("firehose_incoming_bytes_total", FIREHOSE, "IncomingBytes").by(STREAM).in_unit("Bytes", 1.0),
    count("firehose_delivered_records_total", FIREHOSE, "DeliveryToS3.Records").by(STREAM),
    count("firehose_delivered_objects_total", FIREHOSE, "DeliveryToS3.ObjectCount").by(STREAM),
    count("firehose_delivered_objects_total", FIREHOSE, "DeliveryToS3.Success").by(STREAM),
    // A one for each object, a zero for each attempt that failed: the average is the rate of success.
    count("firehose_failed_attempts_total", FIREHOSE, "DeliveryToS3.Success")
        .by(STREAM)
        .in_unit("Count", 0.0),
    count("firehose_oldest_age_ms", FIREHOSE, "DeliveryToS3.DataFreshness")
        .by(STREAM)
        .in_unit("Seconds", 1e-3),
    // --- AWS/S3
    count("s3_objects", S3, "NumberOfObjects").by(OBJECTS),
    count("s3_object_bytes", S3, "BucketSizeBytes").by(STORED).in_unit("Bytes", 1.0),
    count("s3_requests_total", S3, "AllRequests").by(BUCKET),
    count("s3_requests_total", S3, "GetRequests").only(&[("kind", &["get"])]).by(BUCKET),
    count("s3_requests_total", S3, "PutRequests").only(&[("kind", &["put"])]).by(BUCKET),
    count("s3_requests_total", S3, "DeleteRequests").only(&[("kind", &["delete"])]).by(BUCKET),
    count("s3_requests_total", S3, "HeadRequests").only(&[("kind", &["head"])]).by(BUCKET),
    count("s3_requests_total", S3, "PostRequests").only(&[("kind", &["post"])]).by(BUCKET),
    count("s3_requests_total", S3, "ListRequests").only(&[("kind", &["list"])]).by(BUCKET),
    count("s3_errors_total", S3, "4xxErrors").only(&[("class", &["4xx"])]).by(BUCKET),
    count("s3_errors_total", S3, "5xxErrors").only(&[("class", &["5xx"])]).by(BUCKET),
    count("s3_bytes_downloaded_total", S3, "BytesDownloaded").by(BUCKET).in_unit("Bytes", 1.0),
    count("s3_bytes_uploaded_total", S3, "BytesUploaded").by(BUCKET).in_unit("Bytes", 1.0),
    count("s3_first_byte_micros", S3, "FirstByteLatency").by(BUCKET).in_unit("Milliseconds", 1e-3),
    // --- AWS/Athena
    count("athena_total_time_micros", ATHENA, "TotalExecutionTime").by(QUERY).in_unit("Milliseconds", 1e-3),
    count("athena_engine_time_micros", ATHENA, "EngineExecutionTime").by(QUERY).in_unit("Milliseconds", 1e-3),
    count("athena_queue_time_micros", ATHENA, "QueryQueueTime").by(QUERY).in_unit("Milliseconds", 1e-3),
    count("athena_planning_time_micros", ATHENA, "QueryPlanningTime").by(QUERY).in_unit("Milliseconds", 1e-3),
    count("athena_service_time_micros", ATHENA, "ServiceProcessingTime")
        .by(QUERY)
        .in_unit("Milliseconds", 1e-3),
    count("athena_processed_bytes", ATHENA, "ProcessedBytes").by(QUERY).in_unit("Bytes", 1.0),
    // --- what tells whether a promise is in danger
    count("iot_ack_latency_micros", OWN, "AcknowledgeLatency").in_unit("Milliseconds", 1e-3),
    count("iot_connections", OWN, "Connections"),
    count("iot_persistent_sessions", OWN, "PersistentSessions"),
    count("iot_retained_messages", OWN, "RetainedMessages"),
    count("log_commit_duration_micros", OWN, "LogSyncLatency").in_unit("Milliseconds", 1e-3),
    count("log_refused_total", OWN, "LogRefused"),
    count("log_segments", OWN, "LogSegments"),
    count("disk_free_bytes", OWN, "DiskFree").in_unit("Bytes", 1.0),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::UNITS;

    #[test]
    fn every_row_has_a_unit_of_the_model_and_no_two_are_the_same() {
        let mut seen = std::collections::BTreeSet::new();
        for row in MAPPING {
            assert!(UNITS.contains(&row.unit), "{}", row.metric);
            assert!(row.dimensions.is_sorted(), "{}", row.metric);
            assert!(seen.insert((row.namespace, row.metric, row.ours)), "{}", row.metric);
        }
    }
}
