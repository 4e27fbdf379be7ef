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
//! Differs from AWS: there are no login profiles, MFA devices, SAML and OIDC providers, server certificates, SSH keys and service-specific
//! credentials, and so no AssumeRoleWithSAML and AssumeRoleWithWebIdentity; no operation has a quota that can be raised.

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
mod ops;
mod port;
mod root_key;
mod seal;
mod session;
mod shapes;
mod simulate;
mod sts;

use std::sync::{Arc, OnceLock, RwLock};

use kernel::{AccountId, Clock, Entropy, Secret};
use serde_json::Value;
use store::{MetaStore, Table, TableError};
use wire::{Descriptor, Protocol};

pub use audit::Denial;
pub use error::Error;
pub use ops::{IAM_OPERATIONS, STS_OPERATIONS};
pub use root_key::{RootKey, RootKeyError};

use crate::audit::Audit;
use crate::authorize::Parsed;
use crate::aws_managed::AwsManaged;
use crate::change::InFlight;
use crate::directory::Directory;
use crate::entity::AccessKey;
use crate::last_use::LastUses;
use crate::seal::{Sealer, SealingKey};

/// STS: <https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html>
pub static STS: Descriptor = Descriptor {
    signing_name: "sts",
    protocol: Protocol::Query {
        version: "2011-06-15",
        namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    },
    validation_code: "ValidationError",
};

/// IAM: <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>
pub static IAM: Descriptor = Descriptor {
    signing_name: "iam",
    protocol: Protocol::Query {
        version: "2010-05-08",
        namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
    },
    validation_code: "ValidationError",
};

/// What policies mean on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What they say.
    Enforce,
    /// Whoever is authenticated may; what would be denied is recorded ([`Iam::denials`]).
    Audit,
    /// Whoever is authenticated may.
    Off,
}

/// What identity must be given.
pub struct Parts {
    /// The account of the root.
    pub account: AccountId,
    /// The root's key.
    pub root_key: RootKey,
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
    root: RootKey,
    mode: Mode,
    meta: Arc<dyn MetaStore>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    directory: RwLock<Directory>,
    aws_managed: Arc<AwsManaged>,
    changing: tokio::sync::Mutex<InFlight>,
    /// Set by [`Iam::recover`].
    sealer: OnceLock<Sealer>,
    parsed: Parsed,
    audit: Audit,
    last_uses: LastUses,
}

impl Iam {
    /// Identities over a store. Call [`Iam::recover`] before anything else.
    pub fn new(parts: Parts) -> Self {
        let Parts { account, root_key, mode, meta, clock, entropy } = parts;
        let aws_managed = Arc::new(AwsManaged::new());
        Self {
            account,
            root: root_key,
            mode,
            meta,
            clock,
            entropy,
            directory: RwLock::new(Directory::new(Arc::clone(&aws_managed))),
            aws_managed,
            changing: tokio::sync::Mutex::default(),
            sealer: OnceLock::new(),
            parsed: Parsed::default(),
            audit: Audit::default(),
            last_uses: LastUses::default(),
        }
    }

    /// Fills the directory from the store, and makes the sealing key at the first start.
    ///
    /// # Errors
    /// When the store cannot be read or written, or the sealing key in it is none.
    pub async fn recover(&self) -> Result<(), Error> {
        let keys = Table::<SealingKey>::new(Arc::clone(&self.meta));
        let stored = match keys.get(&["key"]).await? {
            Some(stored) => stored.entity,
            None => {
                let key = SealingKey::generate(&self.entropy);
                keys.insert(&["key"], &key).await?;
                key
            }
        };
        let no_key = || {
            let source = Some("the stored sealing key is not 32 bytes".into());
            TableError::Store(store::StoreError { context: "open the sealing key", transient: false, source })
        };
        let sealer = Sealer::new(&stored, self.entropy.clone()).ok_or_else(no_key)?;
        self.sealer.get_or_init(|| sealer);
        self.load().await
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The root's key.
    pub fn root_key(&self) -> &RootKey {
        &self.root
    }

    /// What policies mean on this node.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// In [`Mode::Audit`], the requests that were allowed only because of it, the latest first.
    pub fn denials(&self) -> Vec<Denial> {
        self.audit.denials()
    }

    /// In [`Mode::Audit`], ARNs of the users, roles and roots that have done something since the node started.
    pub fn audited_principals(&self) -> Vec<String> {
        self.audit.principals()
    }

    /// In [`Mode::Audit`], a policy that allows what the user or role with this ARN has done since the node started, and nothing else.
    pub fn least_privilege(&self, principal_arn: &str) -> Option<Value> {
        self.audit.least_privilege(principal_arn)
    }

    fn sealer(&self) -> &Sealer {
        self.sealer.get().expect("recover sets the sealing key before anything is served")
    }

    fn open_secret(&self, key: &AccessKey) -> Option<Secret<String>> {
        let plain = self.sealer().open(&key.id, &key.sealed_secret)?;
        String::from_utf8(plain.expose().clone()).ok().map(Secret::new)
    }
}

#[cfg(test)]
mod tests;
