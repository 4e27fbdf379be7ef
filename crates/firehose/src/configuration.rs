//! An S3 destination as clients write it: S3DestinationConfiguration, ExtendedS3DestinationConfiguration and the two updates
//! have one set of members. <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html>
//!
//! Differs from AWS: ZIP, Snappy and HADOOP_SNAPPY, KMS encryption, S3 backup, data format conversion, dynamic
//! partitioning, and every processor but AppendDelimiterToRecord are refused with a sentence that says so.
//! Differs from AWS: a conversion or partitioning that is given and disabled is accepted and not told back.
//! Differs from AWS: the account in a role's ARN need not have twelve digits.
//! Differs from AWS: BucketARN is not looked up when it is given, only when an object is put.

use kernel::Arn;
use serde::Deserialize;
use serde_json::Value;

use crate::constraint::Violations;
use crate::delivery_stream::{CloudWatchLogging, Compression, Processing, Processor, S3Destination};
use crate::error::Error;
use crate::limits;

/// The members, all of them optional here.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct S3Configuration {
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
    #[serde(rename = "BucketARN")]
    bucket_arn: Option<String>,
    prefix: Option<String>,
    error_output_prefix: Option<String>,
    buffering_hints: Option<BufferingHints>,
    compression_format: Option<String>,
    encryption_configuration: Option<EncryptionConfiguration>,
    cloud_watch_logging_options: Option<CloudWatchLoggingOptions>,
    #[serde(flatten)]
    extended: Extended,
}

/// The members of the extended forms only.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Extended {
    processing_configuration: Option<ProcessingConfiguration>,
    s3_backup_mode: Option<String>,
    s3_backup_configuration: Option<Value>,
    s3_backup_update: Option<Value>,
    data_format_conversion_configuration: Option<Switch>,
    dynamic_partitioning_configuration: Option<DynamicPartitioning>,
    file_extension: Option<String>,
    custom_time_zone: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BufferingHints {
    #[serde(rename = "SizeInMBs")]
    size_in_mbs: Option<i64>,
    interval_in_seconds: Option<i64>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptionConfiguration {
    no_encryption_config: Option<String>,
    #[serde(rename = "KMSEncryptionConfig")]
    kms_encryption_config: Option<Value>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CloudWatchLoggingOptions {
    enabled: Option<bool>,
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessingConfiguration {
    enabled: Option<bool>,
    processors: Option<Vec<ProcessorMember>>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessorMember {
    #[serde(rename = "Type")]
    kind: Option<String>,
    parameters: Option<Vec<Parameter>>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    parameter_name: Option<String>,
    parameter_value: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DynamicPartitioning {
    enabled: Option<bool>,
    retry_options: Option<RetryOptions>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RetryOptions {
    duration_in_seconds: Option<i64>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Switch {
    enabled: Option<bool>,
}

impl S3Configuration {
    /// Without the members that the deprecated forms do not have.
    pub(crate) fn plain(self) -> Self {
        Self { extended: Extended::default(), ..self }
    }

    /// The check that comes before all others.
    ///
    /// # Errors
    /// `InvalidParameterValueException`.
    pub(crate) fn check_role(&self) -> Result<(), Error> {
        match self.role_arn.as_deref().map(role) {
            Some(None) => Err(Error::InvalidRole),
            _ => Ok(()),
        }
    }

    /// Whether a role is among the members.
    pub(crate) fn names_role(&self) -> bool {
        self.role_arn.is_some()
    }

    /// What a new destination must have.
    pub(crate) fn require(&self, path: &str, violations: &mut Violations) {
        violations.required(&format!("{path}.roleARN"), self.role_arn.as_ref());
        violations.required(&format!("{path}.bucketARN"), self.bucket_arn.as_ref());
    }

    /// The first layer of validation, of what is given.
    pub(crate) fn constrain(&self, path: &str, violations: &mut Violations) {
        let at = |member: &str| format!("{path}.{member}");
        if let Some(role) = &self.role_arn {
            violations.length(&at("roleARN"), role.chars().count(), 1, limits::ROLE_ARN_CHARS_MAX);
        }
        if let Some(bucket) = &self.bucket_arn {
            let path = at("bucketARN");
            violations.length(&path, bucket.chars().count(), 1, limits::BUCKET_ARN_CHARS_MAX);
            violations.pattern(&path, r"arn:.*:s3:::[\w\.\-]{1,255}", is_bucket_arn(bucket));
        }
        for (member, prefix) in [("prefix", &self.prefix), ("errorOutputPrefix", &self.error_output_prefix)] {
            if let Some(prefix) = prefix {
                violations.length(&at(member), prefix.chars().count(), 0, limits::PREFIX_CHARS_MAX);
            }
        }
        let partitioning = self.extended.dynamic_partitioning_configuration.as_ref();
        let retry = partitioning.and_then(|partitioning| partitioning.retry_options.as_ref());
        if let Some(duration) = retry.and_then(|retry| retry.duration_in_seconds) {
            let path = at("dynamicPartitioningConfiguration.retryOptions.durationInSeconds");
            violations.range(&path, duration, limits::RETRY_DURATION_IN_SECONDS);
        }
        if let Some(hints) = &self.buffering_hints {
            if let Some(size) = hints.size_in_mbs {
                violations.range(&at("bufferingHints.sizeInMBs"), size, limits::SIZE_IN_MBS);
            }
            if let Some(interval) = hints.interval_in_seconds {
                let path = at("bufferingHints.intervalInSeconds");
                violations.range(&path, interval, limits::INTERVAL_IN_SECONDS);
            }
        }
        if let Some(format) = &self.compression_format {
            let set = ["ZIP", "HADOOP_SNAPPY", "Snappy", "GZIP", "UNCOMPRESSED"];
            violations.one_of(&at("compressionFormat"), format, &set);
        }
        if let Some(none) =
            self.encryption_configuration.as_ref().and_then(|e| e.no_encryption_config.as_ref())
        {
            let path = at("encryptionConfiguration.noEncryptionConfig");
            violations.one_of(&path, none, &["NoEncryption"]);
        }
        if let Some(processing) = &self.extended.processing_configuration {
            processing.constrain(&at("processingConfiguration"), violations);
        }
        if let Some(mode) = &self.extended.s3_backup_mode {
            violations.one_of(&at("s3BackupMode"), mode, &["Enabled", "Disabled"]);
        }
        if let Some(extension) = &self.extended.file_extension {
            let path = at("fileExtension");
            violations.length(&path, extension.chars().count(), 0, limits::FILE_EXTENSION_CHARS_MAX);
            violations.pattern(&path, r"^$|\.[0-9a-z!\-_.*'()]+", is_extension(extension));
        }
        if let Some(zone) = &self.extended.custom_time_zone {
            let path = at("customTimeZone");
            violations.length(&path, zone.chars().count(), 0, limits::TIME_ZONE_CHARS_MAX);
            let legal = zone.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '_'));
            violations.pattern(&path, "^$|[a-zA-Z/_]+", legal);
        }
    }

    /// The destination these members describe by themselves: for a new stream.
    ///
    /// # Errors
    /// `InvalidArgumentException`, `InvalidParameterValueException`.
    pub(crate) fn into_destination(self) -> Result<S3Destination, Error> {
        let role_arn = self.role_arn.as_deref().and_then(role).ok_or(Error::InvalidRole)?;
        let (size_in_mbs, interval_in_seconds) = limits::BUFFERING_DEFAULT;
        let fresh = S3Destination {
            role_arn,
            bucket_arn: String::new(),
            prefix: String::new(),
            error_output_prefix: None,
            size_in_mbs,
            interval_in_seconds,
            compression: Compression::Uncompressed,
            logging: CloudWatchLogging::default(),
            processing: None,
            file_extension: None,
            custom_time_zone: None,
        };
        self.merge_into(fresh)
    }

    /// The destination with the members given replaced and the others kept.
    ///
    /// # Errors
    /// `InvalidArgumentException`, for what is not supported and for hints of which one is missing.
    pub(crate) fn merge_into(self, mut destination: S3Destination) -> Result<S3Destination, Error> {
        self.refuse_unsupported()?;
        if let Some(role_arn) = self.role_arn.as_deref().and_then(role) {
            destination.role_arn = role_arn;
        }
        replace(&mut destination.bucket_arn, self.bucket_arn);
        replace(&mut destination.prefix, self.prefix);
        if self.error_output_prefix.is_some() {
            destination.error_output_prefix = self.error_output_prefix;
        }
        match self.buffering_hints {
            None | Some(BufferingHints { size_in_mbs: None, interval_in_seconds: None }) => {}
            Some(BufferingHints { size_in_mbs: Some(size), interval_in_seconds: Some(interval) }) => {
                let checked = "the first layer bounded it";
                destination.size_in_mbs = size.try_into().expect(checked);
                destination.interval_in_seconds = interval.try_into().expect(checked);
            }
            Some(_) => return Err(Error::invalid("SizeInMBs and IntervalInSeconds must be given together")),
        }
        match self.compression_format.as_deref() {
            Some("GZIP") => destination.compression = Compression::Gzip,
            Some(_) => destination.compression = Compression::Uncompressed,
            None => {}
        }
        if let Some(options) = self.cloud_watch_logging_options {
            destination.logging = CloudWatchLogging {
                enabled: options.enabled.unwrap_or(false),
                log_group_name: options.log_group_name,
                log_stream_name: options.log_stream_name,
            };
        }
        if let Some(processing) = self.extended.processing_configuration {
            destination.processing = Some(processing.into_processing());
        }
        if self.extended.file_extension.is_some() {
            destination.file_extension = self.extended.file_extension;
        }
        if self.extended.custom_time_zone.is_some() {
            destination.custom_time_zone = self.extended.custom_time_zone;
        }
        Ok(destination)
    }

    fn refuse_unsupported(&self) -> Result<(), Error> {
        let unsupported = |what: &str| Err(Error::invalid(format!("{what} is not supported here yet.")));
        let extended = &self.extended;
        let on = |switch: &Option<Switch>, omitted: bool| {
            switch.as_ref().is_some_and(|switch| switch.enabled.unwrap_or(omitted))
        };
        if let Some(format @ ("ZIP" | "Snappy" | "HADOOP_SNAPPY")) = self.compression_format.as_deref() {
            return unsupported(&format!("The compression format {format}"));
        }
        if self.encryption_configuration.as_ref().is_some_and(|e| e.kms_encryption_config.is_some()) {
            return unsupported("KMSEncryptionConfig");
        }
        // A conversion that does not say whether it is enabled is.
        if on(&extended.data_format_conversion_configuration, true) {
            return unsupported("Data format conversion");
        }
        let partitioning = extended.dynamic_partitioning_configuration.as_ref();
        if partitioning.is_some_and(|partitioning| partitioning.enabled == Some(true)) {
            return unsupported("Dynamic partitioning");
        }
        let backup = extended.s3_backup_configuration.is_some() || extended.s3_backup_update.is_some();
        if backup || extended.s3_backup_mode.as_deref() == Some("Enabled") {
            return unsupported("S3 backup");
        }
        Ok(())
    }
}

impl ProcessingConfiguration {
    fn constrain(&self, path: &str, violations: &mut Violations) {
        let types = [
            "Decompression",
            "Lambda",
            "RecordDeAggregation",
            "MetadataExtraction",
            "AppendDelimiterToRecord",
            "CloudWatchLogProcessing",
        ];
        let names = [
            "DataMessageExtraction",
            "NumberOfRetries",
            "Delimiter",
            "RoleArn",
            "JsonParsingEngine",
            "SubRecordType",
            "MetadataExtractionQuery",
            "BufferIntervalInSeconds",
            "LambdaArn",
            "BufferSizeInMBs",
            "CompressionFormat",
        ];
        for (n, processor) in self.processors.iter().flatten().enumerate() {
            let path = format!("{path}.processors.{}.member", n + 1);
            violations.required(&format!("{path}.type"), processor.kind.as_ref());
            if let Some(kind) = &processor.kind {
                violations.one_of(&format!("{path}.type"), kind, &types);
            }
            for (n, parameter) in processor.parameters.iter().flatten().enumerate() {
                let path = format!("{path}.parameters.{}.member", n + 1);
                let (name, value) = (format!("{path}.parameterName"), format!("{path}.parameterValue"));
                violations.required(&name, parameter.parameter_name.as_ref());
                violations.required(&value, parameter.parameter_value.as_ref());
                if let Some(given) = &parameter.parameter_name {
                    violations.one_of(&name, given, &names);
                }
                if let Some(given) = &parameter.parameter_value {
                    violations.length(&value, given.chars().count(), 1, limits::PARAMETER_VALUE_CHARS_MAX);
                    violations.pattern(&value, r"^(?!\s*$).+", !given.trim().is_empty());
                }
            }
        }
    }

    fn into_processing(self) -> Processing {
        let pair = |parameter: Parameter| {
            (parameter.parameter_name.unwrap_or_default(), parameter.parameter_value.unwrap_or_default())
        };
        let processor = |processor: ProcessorMember| Processor {
            kind: processor.kind.unwrap_or_default(),
            parameters: processor.parameters.into_iter().flatten().map(pair).collect(),
        };
        Processing {
            // Omitted means disabled here, unlike with data format conversion.
            enabled: self.enabled.unwrap_or(false),
            processors: self.processors.into_iter().flatten().map(processor).collect(),
        }
    }
}

fn replace(old: &mut String, new: Option<String>) {
    if let Some(new) = new {
        *old = new;
    }
}

/// A role's ARN: `arn:aws:iam::<digits>:role/<path and name>`.
fn role(text: &str) -> Option<Arn> {
    let arn: Arn = text.parse().ok()?;
    let name = arn.resource().strip_prefix("role/")?;
    let legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c);
    let digits = !arn.account().is_empty() && arn.account().bytes().all(|b| b.is_ascii_digit());
    let is_role = arn.service() == "iam"
        && arn.region().is_empty()
        && digits
        && !name.is_empty()
        && name.chars().all(legal);
    is_role.then_some(arn)
}

fn is_bucket_arn(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.strip_prefix("arn:")
        .and_then(|rest| rest.rsplit_once(":s3:::"))
        .is_some_and(|(_, bucket)| (1..=255).contains(&bucket.chars().count()) && bucket.chars().all(legal))
}

fn is_extension(text: &str) -> bool {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "!-_.*'()".contains(c);
    text.is_empty() || text.strip_prefix('.').is_some_and(|rest| !rest.is_empty() && rest.chars().all(legal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        assert!(role("arn:aws:iam::1234567890:role/service-role/iot.firehose").is_some());
        assert!(role("arn:aws-cn:iam::123456789012:role/a").is_some());
        for bad in [
            "",
            "arn:aws:iam::123456789012:user/a",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam:::role/a",
            "arn:aws:iam::12345678901x:role/a",
            "arn:aws:s3:::bucket",
            "arn:aws:iam::123456789012:role/a b",
        ] {
            assert!(role(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn buckets_and_extensions() {
        assert!(is_bucket_arn("arn:aws:s3:::pydata.iot.pipeline"));
        for bad in ["", "arn:aws:s3:::", "bucket", "arn:aws:s3:::a/b", "arn:aws:iam::1:role/a"] {
            assert!(!is_bucket_arn(bad), "{bad}");
        }
        for good in ["", ".json", ".tar.gz", ".a'(b)"] {
            assert!(is_extension(good), "{good}");
        }
        for bad in [".", "json", ".JSON", ".a/b"] {
            assert!(!is_extension(bad), "{bad}");
        }
    }
}
