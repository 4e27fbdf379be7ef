//! Stored types: named, versioned, and upgradable from what an earlier release wrote.
//!
//! An entity is kept as one byte of version followed by JSON. Reading an older version upgrades it step by
//! step through [`Entity::upgrade`]. Golden files under `entities/<TABLE>/` of each crate hold one sample
//! of every version ever released.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type kept in a [`crate::Table`].
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// First part of the key of every entity of this type: unique in the workspace, never renamed.
    const TABLE: &'static str;

    /// Version of the form that [`Serialize`] writes.
    const VERSION: u8;

    /// Turns the JSON of `version` into that of `version + 1`. Called for versions below [`Entity::VERSION`] only.
    ///
    /// # Errors
    /// When there is no such version.
    fn upgrade(version: u8, _old: serde_json::Value) -> Result<serde_json::Value, DecodeError> {
        Err(DecodeError::UnknownVersion { table: Self::TABLE, version })
    }
}

/// Why bytes are not an entity.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a later release, or not by us.
    #[error("{table} entity has the unknown version {version}")]
    UnknownVersion {
        /// The table.
        table: &'static str,
        /// The version found.
        version: u8,
    },
    /// Not the JSON expected.
    #[error("{table} entity does not decode")]
    Json {
        /// The table.
        table: &'static str,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}

/// The stored form.
pub fn encode<E: Entity>(entity: &E) -> Vec<u8> {
    let mut out = vec![E::VERSION];
    serde_json::to_writer(&mut out, entity).expect("entities have string keys and no failing Serialize");
    out
}

/// The entity behind its stored form, upgraded if it is old.
///
/// # Errors
/// [`DecodeError`] for bytes no release has written.
pub fn decode<E: Entity>(bytes: &[u8]) -> Result<E, DecodeError> {
    let json_error = |source| DecodeError::Json { table: E::TABLE, source };
    let (version, json) = bytes.split_first().unwrap_or((&0, &[]));
    let mut version = *version;
    if version == E::VERSION {
        return serde_json::from_slice(json).map_err(json_error);
    }
    if version == 0 || version > E::VERSION {
        return Err(DecodeError::UnknownVersion { table: E::TABLE, version });
    }
    let mut value = serde_json::from_slice(json).map_err(json_error)?;
    while version < E::VERSION {
        value = E::upgrade(version, value)?;
        version += 1;
    }
    serde_json::from_value(value).map_err(json_error)
}
