//! A delivery that is decided: which records go into which object. Written before the object is, so that whoever goes on
//! after a crash does the same.

use kernel::{Arn, Timestamp};
use ports::RecordRange;
use serde::{Deserialize, Serialize};
use store::{Entity, Record};

use crate::delivery_stream::Compression;
use crate::limits;

/// The one delivery a stream has under way, by account, region, name and generation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeliveryIntent {
    /// The records: `first` is the oldest of the log.
    pub(crate) records: RecordRange,
    /// When the oldest of them arrived.
    pub(crate) oldest_at: Timestamp,
    /// The stream's version by which this was decided.
    pub(crate) version: u64,
    pub(crate) role: Arn,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) compression: Compression,
}

impl Entity for DeliveryIntent {
    const TABLE: &'static str = "firehose_delivery_intent";
    const VERSION: u8 = 1;
}

/// How far an object reaches, record by record: delivery decides by it and the hot read foretells it.
pub(crate) struct Extent {
    oldest_at: Timestamp,
    bytes: u64,
}

impl Extent {
    /// That of an object which begins with this record.
    pub(crate) fn of(first: &Record) -> Self {
        Self { oldest_at: first.appended_at, bytes: first.payload.len() as u64 }
    }

    /// Whether the record that follows goes into the same object.
    pub(crate) fn takes(&mut self, record: &Record) -> bool {
        self.bytes += record.payload.len() as u64;
        Self::is_one(self.bytes, self.oldest_at, record.appended_at)
    }

    /// Whether records of so many bytes, the oldest and newest of which arrived then, are one object.
    pub(crate) fn is_one(bytes: u64, oldest_at: Timestamp, newest_at: Timestamp) -> bool {
        bytes <= limits::OBJECT_BYTES_MAX && newest_at.since(oldest_at) <= limits::OBJECT_SPAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = include_str!("../entities/firehose_delivery_intent/v1.json");

    #[test]
    fn version_1_is_read_as_it_was_written() {
        let stored = [&[1], V1.as_bytes()].concat();
        let intent: DeliveryIntent = store::entity::decode(&stored).unwrap();
        assert_eq!((intent.records.first, intent.records.next), (17, 42));
        assert_eq!(intent.compression, Compression::Uncompressed);
        let written: serde_json::Value = serde_json::to_value(&intent).unwrap();
        assert_eq!(written, serde_json::from_str::<serde_json::Value>(V1).unwrap());
    }
}
