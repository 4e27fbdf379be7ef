//! A delivery stream as it is stored, and what delivering to its destination takes.
//!
//! A stream that is deleted and created again is another incarnation: it has a new generation, and with it a new
//! intake log, so that nothing of the old one can reach the new one.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chrono_tz::Tz;
use kernel::{AccountId, Arn, Region, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Entity, LogId};

use crate::error::Error;
use crate::object_key::KeyFormat;
use crate::prefix;

/// A delivery stream, by account, region and name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeliveryStream {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    /// 1–64 of `[a-zA-Z0-9_.-]`.
    pub(crate) name: String,
    /// Never the same for two incarnations of one name.
    pub(crate) generation: String,
    /// 1, and one more for each update of the destination.
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
    /// Only told back: no stream is throttled.
    pub(crate) throughput_hint_in_mbs: Option<u32>,
    pub(crate) destination: S3Destination,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Entity for DeliveryStream {
    const TABLE: &'static str = "firehose_delivery_stream";
    const VERSION: u8 = 1;
}

/// Where objects go and what they are like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct S3Destination {
    pub(crate) role_arn: Arn,
    /// `arn:aws:s3:::bucket`.
    pub(crate) bucket_arn: String,
    pub(crate) prefix: String,
    pub(crate) error_output_prefix: Option<String>,
    pub(crate) size_in_mbs: u32,
    pub(crate) interval_in_seconds: u32,
    pub(crate) compression: Compression,
    pub(crate) logging: CloudWatchLogging,
    pub(crate) processing: Option<Processing>,
    /// With its dot; empty for none.
    pub(crate) file_extension: Option<String>,
    pub(crate) custom_time_zone: Option<String>,
}

/// The form of an object's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Compression {
    #[serde(rename = "UNCOMPRESSED")]
    Uncompressed,
    #[serde(rename = "GZIP")]
    Gzip,
}

/// Where errors of delivery would be logged. Only told back: they are in the node's own log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CloudWatchLogging {
    pub(crate) enabled: bool,
    pub(crate) log_group_name: Option<String>,
    pub(crate) log_stream_name: Option<String>,
}

/// What happens to records before they are buffered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Processing {
    pub(crate) enabled: bool,
    pub(crate) processors: Vec<Processor>,
}

/// One step of it, with its parameters in the order given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Processor {
    pub(crate) kind: String,
    pub(crate) parameters: Vec<(String, String)>,
}

impl DeliveryStream {
    /// The parts of its key.
    pub(crate) fn parts(&self) -> [&str; 3] {
        [self.account.as_str(), self.region.as_str(), &self.name]
    }

    /// The parts of the key of its delivery intent.
    pub(crate) fn intent_parts(&self) -> [&str; 4] {
        [self.account.as_str(), self.region.as_str(), &self.name, &self.generation]
    }

    /// Its intake.
    pub(crate) fn log(&self) -> LogId {
        LogId::new("firehose", &self.intent_parts())
    }

    /// Its ARN.
    pub(crate) fn arn(&self) -> Arn {
        let resource = format!("deliverystream/{}", self.name);
        Arn::new("firehose", self.region.as_str(), self.account.as_str(), &resource)
    }
}

/// A destination with everything parsed that intake and delivery need.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) bucket: String,
    pub(crate) role: Arn,
    pub(crate) key: KeyFormat,
    pub(crate) size_bytes: u64,
    pub(crate) interval: Duration,
    pub(crate) compression: Compression,
    /// Goes behind every record.
    pub(crate) delimiter: Option<Bytes>,
}

impl Target {
    /// # Errors
    /// `InvalidArgumentException` for what can only be seen by parsing: this is the second layer of validation.
    pub(crate) fn of(stream: &DeliveryStream) -> Result<Self, Error> {
        let destination = &stream.destination;
        let errors = destination.error_output_prefix.as_deref().unwrap_or_default();
        let prefix = prefix::check(&destination.prefix, errors)?;
        let time_zone = match destination.custom_time_zone.as_deref() {
            None | Some("") => Tz::UTC,
            Some(name) => name
                .parse()
                .map_err(|_| Error::invalid(format!("CustomTimeZone {name} is not a known time zone.")))?,
        };
        let (_, bucket) = destination
            .bucket_arn
            .split_once(":::")
            .ok_or_else(|| Error::invalid(format!("{} names no bucket.", destination.bucket_arn)))?;
        let extension = match (destination.file_extension.as_deref(), destination.compression) {
            (Some(extension), _) if !extension.is_empty() => extension,
            (_, Compression::Gzip) => ".gz",
            (_, Compression::Uncompressed) => "",
        };
        Ok(Self {
            bucket: bucket.to_owned(),
            role: destination.role_arn.clone(),
            key: KeyFormat {
                name: stream.name.clone(),
                version: stream.version,
                prefix,
                time_zone,
                extension: extension.to_owned(),
            },
            size_bytes: u64::from(destination.size_in_mbs) * 1024 * 1024,
            interval: Duration::from_secs(destination.interval_in_seconds.into()),
            compression: destination.compression,
            delimiter: delimiter(destination.processing.as_ref())?,
        })
    }
}

/// The delimiter that an enabled AppendDelimiterToRecord asks for: a line feed when it names none.
fn delimiter(processing: Option<&Processing>) -> Result<Option<Bytes>, Error> {
    let Some(processing) = processing.filter(|processing| processing.enabled) else { return Ok(None) };
    if let Some(other) = processing.processors.iter().find(|p| p.kind != "AppendDelimiterToRecord") {
        return Err(Error::invalid(format!("The processor type {} is not supported here yet.", other.kind)));
    }
    let [processor] = processing.processors.as_slice() else {
        return match processing.processors.len() {
            0 => Ok(None),
            _ => Err(Error::invalid("Cannot have more than 1 AppendDelimiterToRecord processor.")),
        };
    };
    match processor.parameters.as_slice() {
        [] => Ok(Some(Bytes::from_static(b"\n"))),
        [(name, value)] if name == "Delimiter" => Ok(Some(Bytes::from(unescape(value)))),
        [(name, _)] => {
            Err(Error::invalid(format!("The parameter {name} is not one of AppendDelimiterToRecord.")))
        }
        _ => Err(Error::invalid("Duplicate ProcessorParameter passed to ProcessingConfiguration.")),
    }
}

/// A delimiter as templates write it: `\n` for a line feed.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('\\') | None => out.push('\\'),
                Some(other) => out.extend(['\\', other]),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = include_str!("../entities/firehose_delivery_stream/v1.json");

    #[test]
    fn version_1_is_read_as_it_was_written() {
        let stored = [&[1], V1.as_bytes()].concat();
        let stream: DeliveryStream = store::entity::decode(&stored).unwrap();
        assert_eq!((stream.name.as_str(), stream.version), ("iot_boto3", 2));
        assert_eq!(stream.destination.compression, Compression::Gzip);
        assert_eq!(stream.tags["stage"], "dev");
        assert_eq!(stream.log().as_str(), "firehose/000000000000/us-east-1/iot_boto3/1f-00c0ffee");
        let written: serde_json::Value = serde_json::to_value(&stream).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(V1).unwrap());
        let target = Target::of(&stream).unwrap();
        assert_eq!((target.bucket.as_str(), target.size_bytes), ("pydata.iot.pipeline", 5_242_880));
        assert_eq!(target.delimiter.as_deref(), Some(b"\n".as_slice()));
    }

    #[test]
    fn escapes_in_a_delimiter() {
        for (text, expect) in
            [(r"\n", "\n"), ("\n", "\n"), (r"\r\n", "\r\n"), (r"a\\b", r"a\b"), (r"\q", r"\q"), (r"\", r"\")]
        {
            assert_eq!(unescape(text), expect);
        }
    }
}
