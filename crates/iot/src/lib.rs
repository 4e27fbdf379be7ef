//! AWS IoT Core's control plane: things, certificates, policies and topic rules.
//!
//! What devices and messages need of it is kept in memory ([`ports::Devices`], [`ports::TopicRules`]), so that the path of a
//! published message reads no store (invariant A9).
//!
//! 1. Every change is committed first and then applied to the caches, before the operation answers: a device may connect with a
//!    certificate the moment CreateKeysAndCertificate has returned.
//! 2. A private key is returned once, at its creation, and never stored, but for the CA's own.

mod authority;
mod certificate;
mod error;
mod limits;
mod names;
mod ops;
mod policy_document;
mod registry;
mod rule;
mod tags;
mod thing;

use std::sync::Arc;

use kernel::{AccountId, Clock, Entropy, Region};
use ports::{CheckRule, PortFuture, tokio_watch};
use store::{MetaStore, Table};
use wire::{Descriptor, Protocol};

use crate::authority::Authority;
use crate::certificate::{Attachment, Certificate};
pub use crate::error::Error;
pub use crate::ops::OPERATIONS;
use crate::policy_document::Policy;
use crate::registry::Registry;
use crate::rule::Rule;
use crate::thing::{Thing, ThingPrincipal};

/// IoT: <https://docs.aws.amazon.com/iot/latest/apireference/Welcome.html>
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "iot",
    protocol: Protocol::RestJson,
    validation_code: "InvalidRequestException",
};

/// What the control plane must be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The host name that DescribeEndpoint answers: where devices connect. The server's certificate is made for it.
    pub endpoint_address: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { endpoint_address: "localhost".to_owned() }
    }
}

/// The control plane of every account and region of the node.
pub struct Iot {
    config: Config,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    check_rule: Arc<dyn CheckRule>,
    things: Table<Thing>,
    thing_principals: Table<ThingPrincipal>,
    certificates: Table<Certificate>,
    policies: Table<Policy>,
    attachments: Table<Attachment>,
    rules: Table<Rule>,
    authorities: Table<Authority>,
    registry: Registry,
    /// One change at a time: a cache entry is never overwritten by an older one.
    changing: tokio::sync::Mutex<()>,
}

impl Iot {
    /// A control plane over these stores. Call [`Iot::recover`] before anything else.
    pub fn new(
        config: Config,
        meta: &Arc<dyn MetaStore>,
        check_rule: Arc<dyn CheckRule>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
    ) -> Self {
        Self {
            config,
            clock,
            entropy,
            check_rule,
            things: Table::new(Arc::clone(meta)),
            thing_principals: Table::new(Arc::clone(meta)),
            certificates: Table::new(Arc::clone(meta)),
            policies: Table::new(Arc::clone(meta)),
            attachments: Table::new(Arc::clone(meta)),
            rules: Table::new(Arc::clone(meta)),
            authorities: Table::new(Arc::clone(meta)),
            registry: Registry::default(),
            changing: tokio::sync::Mutex::new(()),
        }
    }

    /// Fills the caches from the store, and creates the CA at the first start.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn recover(&self) -> Result<(), Error> {
        self.registry.set_authority(self.load_or_create_authority().await?);
        for (parts, stored) in self.certificates.list(&[]).await? {
            let [account, region, _] = parts.as_slice() else { continue };
            let (account, region) = (account.parse(), region.parse());
            if let (Ok(account), Ok(region)) = (account, region) {
                self.refresh_certificate(&account, &region, &stored.entity.certificate_id).await?;
            }
        }
        self.refresh_rules().await
    }
}

impl ports::TopicRules for Iot {
    fn rules(&self) -> tokio_watch::Receiver<Arc<Vec<ports::ScopedRule>>> {
        self.registry.rules()
    }
}

impl ports::Devices for Iot {
    fn identity(&self, certificate_id: &str) -> Option<Arc<ports::DeviceIdentity>> {
        self.registry.identity(certificate_id)
    }

    fn epoch(&self) -> tokio_watch::Receiver<u64> {
        self.registry.epoch()
    }

    fn ca_certificate_pem(&self) -> Arc<str> {
        self.registry.authority().certificate_pem.as_str().into()
    }

    fn server_certificate<'a>(&'a self, names: &'a [String]) -> PortFuture<'a, (String, String)> {
        Box::pin(async move {
            authority::server_certificate(&self.registry.authority(), names, &*self.clock)
                .map_err(|error| ports::PortError::internal(Box::new(error)))
        })
    }
}

/// Where a resource lives: the first parts of its key.
fn scope<'a>(account: &'a AccountId, region: &'a Region) -> [&'a str; 2] {
    [account.as_str(), region.as_str()]
}
