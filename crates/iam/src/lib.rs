//! Identity: the root access key, STS, and the decision on every request.
//!
//! There is one principal with a key now: the account's root, which may do everything in its account. Roles named in requests are
//! accepted without being resolved. Implements [`wire::Credentials`] and [`wire::Authorize`], so that the dispatcher, S3 and
//! the ports ask the same two questions of the same place.

mod error;
mod ops;
mod root_key;

use kernel::{AccountId, Context, Principal};
use wire::authorize::Denied;
use wire::{Authorize, Credential, Credentials, Descriptor, Protocol, Resource};

pub use error::Error;
pub use ops::OPERATIONS;
pub use root_key::{RootKey, RootKeyError};

/// STS: <https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html>
pub static STS: Descriptor = Descriptor {
    signing_name: "sts",
    protocol: Protocol::Query {
        version: "2011-06-15",
        namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    },
    validation_code: "ValidationError",
};

/// The identities of one node.
pub struct Iam {
    account: AccountId,
    root: RootKey,
}

impl Iam {
    /// An account whose root has this key.
    pub fn new(account: AccountId, root: RootKey) -> Self {
        Self { account, root }
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The root's key.
    pub fn root_key(&self) -> &RootKey {
        &self.root
    }
}

impl Credentials for Iam {
    fn find(&self, access_key_id: &str) -> Option<Credential> {
        (access_key_id == self.root.access_key_id).then(|| Credential {
            secret: self.root.secret_access_key.clone(),
            principal: Principal::Root { account: self.account.clone() },
        })
    }
}

impl Authorize for Iam {
    /// Root may do everything in its own account, and so may the node's own services, which act for the account whose resources
    /// told them to. A device may not call APIs with this decision: its policies are the gateway's to evaluate.
    fn authorize(&self, cx: &Context, action: &str, resource: &Resource) -> Result<(), Denied> {
        let allowed = match &cx.principal {
            Principal::Root { account }
            | Principal::Service { account, .. }
            | Principal::Role { account, .. } => *account == cx.account,
            Principal::Certificate { .. } | Principal::Anonymous => false,
        };
        if allowed {
            return Ok(());
        }
        Err(Denied { user: cx.principal.arn(), action: action.to_owned(), resource: resource.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use kernel::Region;

    use super::*;

    fn context(principal: Principal) -> Context {
        Context {
            principal,
            account: AccountId::default_account(),
            region: Region::default_region(),
            request_id: String::new(),
            source_ip: None,
        }
    }

    #[test]
    fn only_the_accounts_own_root_and_services_may() {
        let iam = Iam::new(AccountId::default_account(), RootKey::new("AK", "secret"));
        let other: AccountId = "111111111111".parse().unwrap();
        let certificate_id = "a".repeat(64);
        let cases = [
            (Principal::Root { account: AccountId::default_account() }, true),
            (Principal::Root { account: other }, false),
            (Principal::Service { account: AccountId::default_account(), name: "iot.amazonaws.com" }, true),
            (Principal::Certificate { account: AccountId::default_account(), certificate_id }, false),
            (Principal::Anonymous, false),
        ];
        for (principal, allowed) in cases {
            let cx = context(principal);
            assert_eq!(iam.authorize(&cx, "s3:PutObject", &Resource::Any).is_ok(), allowed, "{cx:?}");
        }
    }

    #[test]
    fn a_key_that_is_not_roots_is_nobodys() {
        let iam = Iam::new(AccountId::default_account(), RootKey::new("AK", "secret"));
        assert_eq!(iam.find("AK").unwrap().secret.expose(), "secret");
        assert!(iam.find("AKIA").is_none());
    }
}
