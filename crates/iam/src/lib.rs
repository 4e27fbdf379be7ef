//! Identity: users, groups, roles and their policies, STS, and the decision on every request.
//!
//! ```text
//! request ── find(key, token) ──► Principal ── authorize(action, resource) ──► Ok, or Denied with AWS's sentence
//!                 │                                 │
//!             directory: everything stored, in memory, policies parsed
//! ```
//!
//! Implements [`wire::Credentials`] and [`wire::Authorize`], so that the dispatcher, S3 and the ports ask the same questions of the
//! same place, and [`ports::Roles`], through which services act as roles.
//!
//! 1. No decision reads the store (A9): the directory has everything, and every change is durable before it is there.
//! 2. Secrets are stored sealed, answered once, and never logged.
//! 3. The root's key is the operator's, not IAM's: no operation changes it.
//!
//! Differs from AWS: there are no login profiles, MFA devices, SAML providers, server certificates, SSH keys and service-specific
//! credentials, and so no AssumeRoleWithSAML; no operation has a quota that can be raised.

mod access;
mod accounts;
mod audit;
mod authorize;
mod aws_managed;
mod change;
mod directory;
mod documents;
mod entity;
mod error;
mod grants;
mod ids;
mod last_use;
mod limits;
mod names;
mod oidc;
mod ops;
mod port;
mod root_key;
mod root_keys;
mod seal;
mod session;
mod shapes;
mod simulate;
mod sts;
mod tasks;
mod uses;
mod web_identity;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};

use kernel::{AccountId, Clock, Entropy, Secret};
use store::{MetaStore, Sealer};
use wire::{Descriptor, Protocol};

pub use accounts::AccountSummary;
pub use error::Error;
pub use oidc::key_sets::{Fetch, FetchError};
pub use ops::{IAM_OPERATIONS, STS_OPERATIONS};
pub use root_key::{RootKey, RootKeyError};
pub use root_keys::RootKeys;

use crate::audit::Audit;
use crate::authorize::Parsed;
use crate::aws_managed::AwsManaged;
use crate::change::InFlight;
use crate::directory::Directory;
use crate::last_use::LastUses;
use crate::oidc::key_sets::KeySets;

/// STS: <https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html>
pub static STS: Descriptor = Descriptor {
    signing_name: "sts",
    protocols: &[Protocol::Query {
        version: "2011-06-15",
        namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
        codes: &[],
    }],
    validation_code: "ValidationError",
};

/// IAM: <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>
pub static IAM: Descriptor = Descriptor {
    signing_name: "iam",
    protocols: &[Protocol::Query {
        version: "2010-05-08",
        namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
        codes: &[],
    }],
    validation_code: "ValidationError",
};

/// What policies mean on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What they say.
    Enforce,
    /// Whoever is authenticated may; what would be denied is recorded ([`ports::AccessAudit`]).
    Audit,
    /// Whoever is authenticated may.
    Off,
}

/// What identity must be given.
pub struct Parts {
    /// The first account: the one whose root owns the node.
    pub account: AccountId,
    /// Its root's keys.
    pub root_keys: RootKeys,
    /// Seals secrets and tokens.
    pub sealer: Sealer,
    /// Gets the keys of identity providers.
    pub fetch: Arc<dyn Fetch>,
    /// What policies mean.
    pub mode: Mode,
    /// Where entities are kept.
    pub meta: Arc<dyn MetaStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance: ids, keys and secrets.
    pub entropy: Entropy,
}

/// The identities of one node.
pub struct Iam {
    account: AccountId,
    root: RootKeys,
    mode: Mode,
    meta: Arc<dyn MetaStore>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    directory: RwLock<Directory>,
    /// Moves with every change of the directory.
    epoch: AtomicU64,
    aws_managed: Arc<AwsManaged>,
    changing: tokio::sync::Mutex<InFlight>,
    sealer: Sealer,
    key_sets: KeySets,
    parsed: Parsed,
    audit: Audit,
    last_uses: LastUses,
}

impl Iam {
    /// Identities over a store. Call [`Iam::recover`] before anything else.
    pub fn new(parts: Parts) -> Self {
        let Parts { account, root_keys, sealer, fetch, mode, meta, clock, entropy } = parts;
        let aws_managed = Arc::new(AwsManaged::new());
        let started = clock.now();
        let key_sets = KeySets::new(fetch, Arc::clone(&clock));
        Self {
            account,
            root: root_keys,
            mode,
            meta,
            clock,
            entropy,
            directory: RwLock::new(Directory::new(Arc::clone(&aws_managed))),
            epoch: AtomicU64::new(0),
            aws_managed,
            changing: tokio::sync::Mutex::default(),
            sealer,
            key_sets,
            parsed: Parsed::default(),
            audit: Audit::new(started),
            last_uses: LastUses::default(),
        }
    }

    /// Fills the directory from the store.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn recover(&self) -> Result<(), Error> {
        self.replace_sealing_key(&self.sealer).await?;
        self.load().await?;
        self.load_uses().await
    }

    /// The first account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// What policies mean on this node.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The secret of a key, which is sealed for its id.
    fn open_secret(&self, id: &str, sealed: &str) -> Option<Secret<String>> {
        let plain = self.sealer.open(id, sealed)?;
        String::from_utf8(plain.expose().clone()).ok().map(Secret::new)
    }
}

#[cfg(test)]
mod tests;
