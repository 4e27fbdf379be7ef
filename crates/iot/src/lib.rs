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
mod crl;
mod error;
mod issue;
mod limits;
mod names;
mod ops;
mod policy_document;
mod registered_ca;
mod registry;
mod rule;
mod tagged;
mod tags;
mod thing;
mod turn;
mod x509;

use std::sync::Arc;

use kernel::{AccountId, Clock, Entropy, Region};
use ports::{CheckRule, PortFuture, tokio_watch};
use store::{MetaStore, Sealer, Table};
use wire::{Descriptor, Protocol};

use crate::authority::StoredAuthorities;
pub use crate::authority::{CaCertificate, CaStatus};
use crate::certificate::{Attachment, Certificate};
use crate::crl::{Lists, Revocation};
pub use crate::error::Error;
pub use crate::ops::OPERATIONS;
use crate::policy_document::Policy;
use crate::registered_ca::{RegisteredCa, RegistrationCode};
use crate::registry::Registry;
use crate::rule::Rule;
use crate::thing::{Thing, ThingPrincipal};
use crate::turn::Touched;

/// IoT: <https://docs.aws.amazon.com/iot/latest/apireference/Welcome.html>
pub static DESCRIPTOR: Descriptor = Descriptor {
    signing_name: "iot",
    protocols: &[Protocol::RestJson],
    validation_code: "InvalidRequestException",
};

/// What the control plane must be told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The host name that DescribeEndpoint answers: where devices connect. The server's certificate is made for it.
    pub endpoint_address: String,
    /// The first account of the node, whose root is the operator.
    pub account: AccountId,
}

impl Default for Config {
    fn default() -> Self {
        Self { endpoint_address: "localhost".to_owned(), account: AccountId::default_account() }
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
    registered_cas: Table<RegisteredCa>,
    registration_codes: Table<RegistrationCode>,
    policies: Table<Policy>,
    attachments: Table<Attachment>,
    rules: Table<Rule>,
    authorities: Table<StoredAuthorities>,
    revocations: Table<Revocation>,
    sealer: Sealer,
    registry: Registry,
    lists: tokio::sync::Mutex<Lists>,
    changing: tokio::sync::Mutex<Touched>,
}

impl Iot {
    /// A control plane over these stores. Call [`Iot::recover`] before anything else.
    pub fn new(
        config: Config,
        meta: &Arc<dyn MetaStore>,
        check_rule: Arc<dyn CheckRule>,
        sealer: Sealer,
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
            registered_cas: Table::new(Arc::clone(meta)),
            registration_codes: Table::new(Arc::clone(meta)),
            policies: Table::new(Arc::clone(meta)),
            attachments: Table::new(Arc::clone(meta)),
            rules: Table::new(Arc::clone(meta)),
            authorities: Table::new(Arc::clone(meta)),
            revocations: Table::new(Arc::clone(meta)),
            sealer,
            registry: Registry::default(),
            lists: tokio::sync::Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// Fills the caches from the store, and creates the CA at the first start.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn recover(&self) -> Result<(), Error> {
        self.prepare_authorities().await?;
        self.refresh_authorities().await?;
        for (parts, stored) in self.certificates.list(&[]).await? {
            let [account, region, _] = parts.as_slice() else { continue };
            let (account, region) = (account.parse(), region.parse());
            if let (Ok(account), Ok(region)) = (account, region) {
                self.refresh_certificate(&account, &region, &stored.entity.certificate_id).await?;
                self.recover_revocation(&stored.entity).await?;
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
        self.registry.authorities().trusted_pem().into()
    }

    fn ca_epoch(&self) -> tokio_watch::Receiver<u64> {
        self.registry.ca_epoch()
    }

    fn server_certificate<'a>(&'a self, names: &'a [String]) -> PortFuture<'a, ports::ServerCertificate> {
        Box::pin(async move {
            let (authorities, now) = (self.registry.authorities(), self.clock.now());
            let names = names.to_vec();
            let issued = kernel::blocking(move || issue::server(&authorities, &names, now)).await;
            issued.map_err(|error| ports::PortError::internal(Box::new(error)))
        })
    }
}

/// Where a resource lives: the first parts of its key.
fn scope<'a>(account: &'a AccountId, region: &'a Region) -> [&'a str; 2] {
    [account.as_str(), region.as_str()]
}
