//! Who asks: one identity for a key, a device, the console and a service.

use crate::{AccountId, Arn};

/// The authenticated caller of an operation or a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// The owner of the account, by its access key or a console session.
    Root {
        /// The account owned.
        account: AccountId,
    },
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

impl Principal {
    /// The account the principal belongs to; none for [`Principal::Anonymous`].
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Root { account }
            | Self::Certificate { account, .. }
            | Self::Service { account, .. }
            | Self::Role { account, .. } => Some(account),
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
            Self::Role { role, session, .. } => {
                let name = role.resource().rsplit('/').next().unwrap_or_default();
                format!("arn:aws:sts::{}:assumed-role/{name}/{session}", role.account())
            }
            Self::Anonymous => "anonymous".to_owned(),
        }
    }
}
