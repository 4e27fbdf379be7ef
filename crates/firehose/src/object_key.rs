//! The key of an object: `prefix stream-version-yyyy-MM-dd-HH-mm-ss-uuid extension`, where the time is the arrival of the
//! oldest record. <https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html>
//!
//! All of it derives from the stream and its oldest record: asking twice gives the same key, so that the hot read names
//! the object that delivery will write, and a delivery that is repeated overwrites itself.
//!
//! Differs from AWS: the UUID and random strings are hashes of the record's position; AWS draws them.

use chrono_tz::Tz;
use kernel::Timestamp;
use sha2::{Digest, Sha256};
use store::{LogId, Offset};

use crate::prefix::Prefix;

/// What a key is made of, besides the oldest record.
#[derive(Clone, Debug)]
pub(crate) struct KeyFormat {
    /// The stream's name.
    pub(crate) name: String,
    /// The stream's version.
    pub(crate) version: u64,
    /// What comes before the name.
    pub(crate) prefix: Prefix,
    /// In which prefix and name tell the time.
    pub(crate) time_zone: Tz,
    /// What comes last, with its dot; may be empty.
    pub(crate) extension: String,
}

impl KeyFormat {
    /// Whether any key can be under `prefix`.
    pub(crate) fn may_be_under(&self, prefix: &str) -> bool {
        let constant = self.prefix.constant();
        constant.starts_with(prefix) || prefix.starts_with(constant)
    }

    /// The key of the object that begins with this record.
    pub(crate) fn key(&self, log: &LogId, first: Offset, arrived_at: Timestamp) -> String {
        let at = arrived_at.utc().with_timezone(&self.time_zone);
        let prefix = self.prefix.evaluate(&at, |n| random_string(log, first, n));
        let time = at.format("%Y-%m-%d-%H-%M-%S");
        let Self { name, version, extension, .. } = self;
        format!("{prefix}{name}-{version}-{time}-{}{extension}", uuid(log, first))
    }
}

fn hash(purpose: &str, log: &LogId, first: Offset, n: usize) -> [u8; 32] {
    Sha256::digest(format!("{purpose}/{log}/{}/{n}", first.0)).into()
}

/// A UUID of version 8: bits of our own making (RFC 9562 §5.8).
fn uuid(log: &LogId, first: Offset) -> String {
    let hash = hash("uuid", log, first, 0);
    let mut bytes: [u8; 16] = std::array::from_fn(|i| hash[i]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let groups = [&bytes[..4], &bytes[4..6], &bytes[6..8], &bytes[8..10], &bytes[10..]];
    groups.map(hex::encode).join("-")
}

/// Eleven letters and digits.
fn random_string(log: &LogId, first: Offset, n: usize) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let hash = hash("random-string", log, first, n);
    hash.iter().take(11).map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(prefix: &str, time_zone: Tz, extension: &str) -> KeyFormat {
        KeyFormat {
            name: "iot_boto3".to_owned(),
            version: 3,
            prefix: Prefix::parse(prefix).unwrap(),
            time_zone,
            extension: extension.to_owned(),
        }
    }

    #[test]
    fn a_key_tells_prefix_name_version_arrival_and_extension() {
        let log = LogId::from_name("firehose/0/r/n/g");
        let at = Timestamp::from_millis(1_503_733_632_345);
        let key = format("heartrate_data/", Tz::UTC, ".gz").key(&log, Offset(7), at);
        let (name, uuid) =
            key.split_at("heartrate_data/2017/08/26/07/iot_boto3-3-2017-08-26-07-47-12-".len());
        assert_eq!(name, "heartrate_data/2017/08/26/07/iot_boto3-3-2017-08-26-07-47-12-");
        let lengths: Vec<_> = uuid.strip_suffix(".gz").unwrap().split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        let tokyo = format("", Tz::Asia__Tokyo, "").key(&log, Offset(7), at);
        assert!(tokyo.starts_with("2017/08/26/16/iot_boto3-3-2017-08-26-16-47-12-"), "{tokyo}");
    }

    #[test]
    fn the_same_record_has_the_same_key_and_another_another() {
        let (log, other) = (LogId::from_name("firehose/a"), LogId::from_name("firehose/b"));
        let format = format("!{firehose:random-string}/!{firehose:random-string}/", Tz::UTC, "");
        let key = |log: &LogId, first| format.key(log, Offset(first), Timestamp::EPOCH);
        assert_eq!(key(&log, 1), key(&log, 1));
        assert_ne!(key(&log, 1), key(&log, 2));
        assert_ne!(key(&log, 1), key(&other, 1));
        let text = key(&log, 1);
        let mut parts = text.split('/');
        let (first, second) = (parts.next().unwrap(), parts.next().unwrap());
        assert_eq!((first.len(), second.len()), (11, 11));
        assert_ne!(first, second);
    }
}
