//! Things: a name, attributes, a version that grows with each change.

use std::collections::BTreeMap;

use kernel::{Context, Timestamp};
use serde::{Deserialize, Serialize};
use store::Entity;
use store::table::Stored;

use crate::limits::THING_ATTRIBUTES_MAX;
use crate::{Error, Iot, names};

/// A thing of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Thing {
    pub(crate) name: String,
    /// A UUID: two things of the same name, one after the other, differ by it.
    pub(crate) id: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
}

impl Entity for Thing {
    const TABLE: &'static str = "iot_thing";
    const VERSION: u8 = 1;
}

/// A certificate attached to a thing. Key: account, region, certificate id, thing name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThingPrincipal {}

impl Entity for ThingPrincipal {
    const TABLE: &'static str = "iot_thing_principal";
    const VERSION: u8 = 1;
}

impl Thing {
    pub(crate) fn arn(cx: &Context, name: &str) -> kernel::Arn {
        cx.arn("iot", &format!("thing/{name}"))
    }
}

/// Attributes as requests carry them: `{"attributes": {…}, "merge": false}`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct AttributePayload {
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) merge: bool,
}

/// # Errors
/// `InvalidRequestException` for illegal or too many attributes.
pub(crate) fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), Error> {
    if attributes.len() > THING_ATTRIBUTES_MAX {
        return Err(Error::InvalidRequest(format!(
            "A thing without a thing type can have at most {THING_ATTRIBUTES_MAX} attributes"
        )));
    }
    let legal = |text: &str, also: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || "_.,@/:#-".contains(c) || also.contains(c))
    };
    for (name, value) in attributes {
        if name.is_empty() || name.len() > 128 || !legal(name, "") {
            return Err(Error::InvalidRequest(format!("Invalid attribute name: {name}")));
        }
        if value.len() > 800 || !legal(value, "[]") {
            return Err(Error::InvalidRequest(format!("Invalid value of the attribute {name}")));
        }
    }
    Ok(())
}

impl Iot {
    /// # Errors
    /// `ResourceNotFoundException`.
    pub(crate) async fn thing(&self, cx: &Context, name: &str) -> Result<Stored<Thing>, Error> {
        names::THING.check(name)?;
        let key = [cx.account.as_str(), cx.region.as_str(), name];
        let stored = self.things.get(&key).await?;
        stored.ok_or_else(|| Error::NotFound(format!("Thing {name} cannot be found.")))
    }
}
