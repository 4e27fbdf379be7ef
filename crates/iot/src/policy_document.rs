//! IoT policies: a name and up to five versions of a document, one of which is in force for the certificates it is attached to.
//!
//! 1. A policy always has a default version, which is among its versions.
//! 2. The number of a version is given once: a deleted one does not come back.

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Entity;
use store::entity::DecodeError;
use store::table::Stored;

use crate::limits::POLICY_VERSIONS_MAX;
use crate::tags::Tags;
use crate::{Error, Iot, names, scope};

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) name: String,
    /// The oldest first.
    pub(crate) versions: Vec<Version>,
    pub(crate) default_version: u64,
    /// The number that the newest version has or had.
    pub(crate) last_version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    pub(crate) tags: Tags,
}

/// A version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) number: u64,
    /// The JSON text, as it was given.
    pub(crate) document: String,
    pub(crate) created_at: Timestamp,
}

impl Entity for Policy {
    const TABLE: &'static str = "iot_policy";
    const VERSION: u8 = 2;

    /// A policy of version 1 had one document.
    fn upgrade(version: u8, old: Value) -> Result<Value, DecodeError> {
        if version != 1 {
            return Err(DecodeError::UnknownVersion { table: Self::TABLE, version });
        }
        let created_at = &old["created_at"];
        Ok(json!({
            "name": old["name"],
            "versions": [{"number": 1, "document": old["document"], "created_at": created_at}],
            "default_version": 1,
            "last_version": 1,
            "created_at": created_at,
            "modified_at": created_at,
            "tags": {},
        }))
    }
}

impl Policy {
    /// A policy of one version.
    pub(crate) fn new(name: String, document: String, tags: Tags, now: Timestamp) -> Self {
        let first = Version { number: 1, document, created_at: now };
        Self {
            name,
            versions: vec![first],
            default_version: 1,
            last_version: 1,
            created_at: now,
            modified_at: now,
            tags,
        }
    }

    pub(crate) fn arn(cx: &Context, name: &str) -> kernel::Arn {
        cx.arn("iot", &format!("policy/{name}"))
    }

    /// The document that is in force.
    pub(crate) fn document(&self) -> &str {
        let default = self.versions.iter().find(|version| version.number == self.default_version);
        &default.expect("invariant 1").document
    }

    /// The version of this id.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `InvalidRequestException` for what is no id.
    pub(crate) fn version(&self, id: &str) -> Result<&Version, Error> {
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
            let shown: String = id.chars().take(256).collect();
            return Err(Error::InvalidRequest(format!(
                "1 validation error detected: Value '{shown}' at 'policyVersionId' failed to satisfy constraint: Member must \
                 satisfy regular expression pattern: [0-9]+"
            )));
        }
        self.versions
            .iter()
            .find(|version| id.parse() == Ok(version.number))
            .ok_or_else(|| Error::NotFound(format!("Policy version not found: {id} (name={})", self.name)))
    }

    /// Adds a version, which does not become the default.
    ///
    /// # Errors
    /// `VersionsLimitExceededException`.
    pub(crate) fn add_version(&mut self, document: String, now: Timestamp) -> Result<u64, Error> {
        if self.versions.len() >= POLICY_VERSIONS_MAX {
            return Err(Error::VersionsLimitExceeded(format!(
                "The policy already has the maximum number of versions ({POLICY_VERSIONS_MAX}) (name={})",
                self.name
            )));
        }
        self.last_version += 1;
        self.versions.push(Version { number: self.last_version, document, created_at: now });
        self.modified_at = now;
        Ok(self.last_version)
    }
}

/// # Errors
/// `MalformedPolicyException`.
pub(crate) fn check_document(document: &str) -> Result<(), Error> {
    policy::Document::parse_identity(document, policy::IOT_DOCUMENT_CHARS_MAX)
        .map(drop)
        .map_err(|error| Error::MalformedPolicy(format!("Policy document is Malformed: {error}")))
}

impl Iot {
    /// # Errors
    /// `ResourceNotFoundException`.
    pub(crate) async fn policy(&self, cx: &Context, name: &str) -> Result<Stored<Policy>, Error> {
        names::POLICY.check(name)?;
        let key = [cx.account.as_str(), cx.region.as_str(), name];
        let stored = self.policies.get(&key).await?;
        stored.ok_or_else(|| Error::NotFound(format!("Policy not found: {name}")))
    }

    /// Changes a policy, and tells its certificates if another document is in force now.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, and those of the change.
    pub(crate) async fn change_policy<T>(
        &self,
        cx: &Context,
        name: &str,
        change: impl FnOnce(&mut Policy) -> Result<T, Error> + Send,
    ) -> Result<T, Error> {
        let mut turn = self.turn().await?;
        let Stored { mut entity, revision } = self.policy(cx, name).await?;
        let before = entity.default_version;
        let done = change(&mut entity)?;
        if entity.default_version != before {
            for (parts, _) in self.attachments.list(&scope(&cx.account, &cx.region)).await? {
                let [_, _, certificate_id, attached] = parts.as_slice() else { continue };
                if attached == name {
                    turn.touches_certificate(cx, certificate_id);
                }
            }
        }
        let key = [cx.account.as_str(), cx.region.as_str(), name];
        self.policies.update(&key, &entity, revision).await?;
        turn.settle(self).await?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads() {
        let json = r#"{"name":"p","document":"{}","created_at":1500000000000}"#;
        let bytes = [b"\x01".as_slice(), json.as_bytes()].concat();
        let policy: Policy = store::entity::decode(&bytes).unwrap();
        let now = Timestamp::from_millis(1_500_000_000_000);
        assert_eq!(policy, Policy::new("p".to_owned(), "{}".to_owned(), Tags::new(), now));
        assert_eq!(policy.document(), "{}");
    }
}
