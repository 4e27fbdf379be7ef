//! IoT policies: a name and a document that certificates are attached to.
//!
//! Differs from AWS: a policy has one version; CreatePolicyVersion is absent.

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use store::Entity;
use store::table::Stored;

use crate::{Error, Iot, names};

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) name: String,
    /// The JSON text, as it was given.
    pub(crate) document: String,
    pub(crate) created_at: Timestamp,
}

impl Entity for Policy {
    const TABLE: &'static str = "iot_policy";
    const VERSION: u8 = 1;
}

/// The only version there is.
pub(crate) const VERSION_ID: &str = "1";

impl Policy {
    pub(crate) fn arn(cx: &Context, name: &str) -> kernel::Arn {
        cx.arn("iot", &format!("policy/{name}"))
    }
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
}
