//! Types that each of AWS's protocols writes in its own way.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kernel::Timestamp;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::document::{ENTRIES, INSTANT};

/// Bytes: base64 in JSON and in forms, bytes in CBOR.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blob(pub Bytes);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&STANDARD.encode(&self.0))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Blob, E> {
                let bytes = STANDARD.decode(text).map_err(|_| E::custom("invalid base64"))?;
                Ok(Blob(bytes.into()))
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(Bytes::copy_from_slice(bytes)))
            }

            fn visit_byte_buf<E: serde::de::Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                Ok(Blob(bytes.into()))
            }
        }

        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Either)
        } else {
            deserializer.deserialize_byte_buf(Either)
        }
    }
}

/// A map of an answer: in JSON and CBOR a map, in XML a list of entries, each a key and a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entries<T>(pub BTreeMap<String, T>);

impl<T: Serialize> Serialize for Entries<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(ENTRIES, &self.0)
    }
}

/// An instant: in JSON, seconds since the epoch with a fraction; in XML and forms, ISO 8601; in CBOR, tag 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochSeconds(pub Timestamp);

impl Serialize for EpochSeconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(INSTANT, &self.0.as_epoch_seconds())
    }
}

impl<'de> Deserialize<'de> for EpochSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;

        impl<'de> Visitor<'de> for Seconds {
            type Value = f64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a timestamp")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<f64, D::Error> {
                f64::deserialize(inner)
            }
        }

        let seconds = deserializer.deserialize_newtype_struct(INSTANT, Seconds)?;
        // `as` saturates, so an absurd instant stays absurd instead of wrapping.
        Ok(Self(Timestamp::from_millis((seconds * 1000.0).round() as i64)))
    }
}

impl From<Timestamp> for EpochSeconds {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}
