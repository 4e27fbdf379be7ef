//! An entry of the action queue: what one rule still has to do about one message.
//!
//! ```text
//!   version u8 = 1 │ header bytes u32 LE │ output bytes u32 LE │ header, JSON │ output │ original
//! ```
//!
//! It says everything there is to do, so that it is carried out even if the rule is changed or deleted meanwhile; only the error
//! action is the rule's present one. The original payload is there only if there was an error action that may want it.

use bytes::{BufMut, Bytes, BytesMut};
use kernel::{AccountId, Arn, Region};
use serde::{Deserialize, Serialize};

use crate::actions::{Effect, Failure};
use crate::origin::Origin;

const VERSION: u8 = 1;
const FIXED_BYTES: usize = 9;

/// What one rule still has to do about one message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) rule: String,
    pub(crate) origin: Origin,
    pub(crate) work: Vec<Work>,
    /// Of actions that were tried at once.
    pub(crate) failures: Vec<Failure>,
    /// What SELECT made of the message.
    #[serde(skip)]
    pub(crate) output: Bytes,
    /// The payload of the message.
    #[serde(skip)]
    pub(crate) original: Bytes,
}

/// An effect and who carries it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) role: Arn,
    pub(crate) effect: Effect,
}

/// Why bytes are no entry.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("the entry has the unknown version {0}")]
    UnknownVersion(u8),
    #[error("the entry is cut short")]
    Truncated,
    #[error("the entry's header is not what it should be")]
    Header(#[from] serde_json::Error),
}

impl Entry {
    pub(crate) fn encode(&self) -> Result<Bytes, serde_json::Error> {
        let header = serde_json::to_vec(self)?;
        let bytes = FIXED_BYTES + header.len() + self.output.len() + self.original.len();
        let mut out = BytesMut::with_capacity(bytes);
        out.put_u8(VERSION);
        for part in [header.len(), self.output.len()] {
            out.put_u32_le(u32::try_from(part).expect("a header and an output are far below 4 GiB"));
        }
        out.put_slice(&header);
        out.put_slice(&self.output);
        out.put_slice(&self.original);
        Ok(out.freeze())
    }

    pub(crate) fn decode(bytes: &Bytes) -> Result<Self, DecodeError> {
        let version = *bytes.first().ok_or(DecodeError::Truncated)?;
        if version != VERSION {
            return Err(DecodeError::UnknownVersion(version));
        }
        let length = |at: usize| {
            let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
            field.map(u32::from_le_bytes).map(|length| length as usize).ok_or(DecodeError::Truncated)
        };
        let header_end = FIXED_BYTES.checked_add(length(1)?).ok_or(DecodeError::Truncated)?;
        let output_end = header_end.checked_add(length(5)?).ok_or(DecodeError::Truncated)?;
        if output_end > bytes.len() {
            return Err(DecodeError::Truncated);
        }
        let mut entry: Self = serde_json::from_slice(&bytes.slice(FIXED_BYTES..header_end))?;
        entry.output = bytes.slice(header_end..output_end);
        entry.original = bytes.slice(output_end..);
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1 as it was first written: it is decoded for ever.
    const VERSION_1: &str = r#"{"account":"000000000000","region":"us-east-1","rule":"r","origin":{"topic":"a","clientId":"c","traceId":"t","timestampMs":7,"hops":1},"work":[{"role":"arn:aws:iam::1234567890:role/x","effect":{"s3":{"bucket":"b","key":"k"}}},{"role":"arn:aws:iam::1234567890:role/x","effect":{"republish":{"topic":"t","qos":1,"properties":{"payloadIsUtf8":true,"correlationData":"AAE="}}}},{"role":"arn:aws:iam::1234567890:role/x","effect":{"firehose":{"deliveryStream":"s","separator":"\n","batch":false,"sqlVersion":"2016-03-23"}}}],"failures":[{"failedAction":"S3Action","failedResource":"b","errorMessage":"m"}]}"#;

    fn version_1() -> Bytes {
        let mut out = BytesMut::new();
        out.put_u8(1);
        out.put_u32_le(VERSION_1.len() as u32);
        out.put_u32_le(3);
        out.put_slice(VERSION_1.as_bytes());
        out.put_slice(b"outoriginal");
        out.freeze()
    }

    #[test]
    fn version_1_is_read_and_written() {
        let entry = Entry::decode(&version_1()).unwrap();
        assert_eq!((&entry.output[..], &entry.original[..]), (&b"out"[..], &b"original"[..]));
        assert_eq!((entry.work.len(), entry.origin.client_id.as_deref()), (3, Some("c")));
        assert_eq!(entry.encode().unwrap(), version_1());
    }

    #[test]
    fn what_is_cut_or_of_another_version_is_no_entry() {
        let whole = version_1();
        for length in 0..whole.len() - "original".len() {
            assert!(Entry::decode(&whole.slice(..length)).is_err(), "{length}");
        }
        let mut newer = whole.to_vec();
        newer[0] = 2;
        assert!(matches!(Entry::decode(&newer.into()), Err(DecodeError::UnknownVersion(2))));
    }
}
