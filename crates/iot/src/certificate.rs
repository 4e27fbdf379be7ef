//! Device certificates and the policies attached to them.

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use store::Entity;
use store::table::Stored;

use crate::{Error, Iot};

/// Whether a certificate may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    /// It may.
    Active,
    /// It may not, until it is made active again.
    Inactive,
    /// It may not ever again.
    Revoked,
}

/// A registered certificate. Its private key is not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) certificate_id: String,
    pub(crate) certificate_pem: String,
    pub(crate) status: Status,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

impl Entity for Certificate {
    const TABLE: &'static str = "iot_certificate";
    const VERSION: u8 = 1;
}

/// A policy attached to a certificate. Key: account, region, certificate id, policy name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attachment {}

impl Entity for Attachment {
    const TABLE: &'static str = "iot_policy_attachment";
    const VERSION: u8 = 1;
}

impl Certificate {
    pub(crate) fn arn(cx: &Context, id: &str) -> kernel::Arn {
        cx.arn("iot", &format!("cert/{id}"))
    }

    pub(crate) fn is_active(&self) -> bool {
        self.status == Status::Active
    }
}

impl Iot {
    /// # Errors
    /// `ResourceNotFoundException`.
    pub(crate) async fn certificate(&self, cx: &Context, id: &str) -> Result<Stored<Certificate>, Error> {
        let missing = || Error::NotFound(format!("The certificate {id} does not exist."));
        if id.len() != 64 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::InvalidRequest(format!(
                "1 validation error detected: Value '{}' at 'certificateId' failed to satisfy constraint: Member must satisfy regular expression pattern: (0x)?[a-fA-F0-9]+",
                id.chars().take(256).collect::<String>()
            )));
        }
        let key = [cx.account.as_str(), cx.region.as_str(), id];
        self.certificates.get(&key).await?.ok_or_else(missing)
    }
}
