//! Who asks: one identity for a key, a device, the console and a service.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{AccountId, Arn, Timestamp};

/// The authenticated caller of an operation or a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// The owner of the account, by its access key or a console session.
    Root {
        /// The account owned.
        account: AccountId,
    },
    /// A user of the account, by an access key of its own or by temporary credentials made from one.
    User {
        /// The account the user belongs to.
        account: AccountId,
        /// `arn:aws:iam::ACCOUNT:user/PATH/NAME`.
        user: Arn,
        /// `AIDA…`: never used again, unlike the name.
        id: String,
        /// The key that the request is signed with.
        access_key_id: String,
        /// When the temporary credentials were made; none for an access key.
        issued_at: Option<Timestamp>,
    },
    /// Whoever assumed a role through STS.
    Session(Arc<Session>),
    /// A device, by a certificate registered and active in the account.
    Certificate {
        /// The account the certificate is registered in.
        account: AccountId,
        /// The certificate's id: the SHA-256 of its DER form, 64 lower-case hex digits.
        certificate_id: String,
    },
    /// A service of this node acting on its own behalf: `iot.amazonaws.com`.
    Service {
        /// The account acted for.
        account: AccountId,
        /// The service's principal name.
        name: &'static str,
    },
    /// A service acting through a role that a resource of the account names.
    Role {
        /// The account acted for.
        account: AccountId,
        /// The role.
        role: Arn,
        /// Who assumed it: `firehose`.
        session: String,
    },
    /// Nobody: a request without credentials.
    Anonymous,
}

/// A session of a role: what its credentials carry, fixed when it began.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Session {
    /// The account the role belongs to.
    pub account: AccountId,
    /// The role.
    pub role: Arn,
    /// `AROA…`: never used again, unlike the role's name.
    pub role_id: String,
    /// As whoever assumed the role named it.
    pub name: String,
    /// When it began.
    pub issued_at: Timestamp,
    /// The text of a policy that limits it.
    pub policy: Option<String>,
    /// ARNs of managed policies that limit it.
    pub policy_arns: Vec<String>,
    /// Its tags, those inherited from an earlier session among them.
    pub tags: BTreeMap<String, String>,
    /// Keys of tags that a session begun from this one inherits.
    pub transitive_tag_keys: Vec<String>,
    /// Who it was in the first place, for good.
    pub source_identity: Option<String>,
}

impl Session {
    /// `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`.
    pub fn arn(&self) -> String {
        session_arn(&self.role, &self.name)
    }
}

/// A role's path is no part of its sessions' ARNs.
fn session_arn(role: &Arn, session: &str) -> String {
    let name = role.resource().rsplit('/').next().unwrap_or_default();
    format!("arn:aws:sts::{}:assumed-role/{name}/{session}", role.account())
}

impl Principal {
    /// The account the principal belongs to; none for [`Principal::Anonymous`].
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Root { account }
            | Self::User { account, .. }
            | Self::Certificate { account, .. }
            | Self::Service { account, .. }
            | Self::Role { account, .. } => Some(account),
            Self::Session(session) => Some(&session.account),
            Self::Anonymous => None,
        }
    }

    /// The ARN under which error messages and GetCallerIdentity name the principal.
    pub fn arn(&self) -> String {
        match self {
            Self::Root { account } => format!("arn:aws:iam::{account}:root"),
            Self::Certificate { account, certificate_id } => {
                format!("arn:aws:iot::{account}:cert/{certificate_id}")
            }
            Self::Service { name, .. } => (*name).to_owned(),
            Self::User { user, .. } => user.to_string(),
            Self::Session(session) => session.arn(),
            Self::Role { role, session, .. } => session_arn(role, session),
            Self::Anonymous => "anonymous".to_owned(),
        }
    }
}
