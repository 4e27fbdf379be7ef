//! Temporary credentials: a key that nobody keeps, whose token carries all that is known of it, sealed.
//!
//! 1. The token holds the secret and whom it is for, so that credentials survive a restart and cost no store.
//! 2. A token is good with its own key, until it is over, and while its user or role is there; one made anew under the same name is
//!    another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{AccountId, Arn, Principal, Secret, Session, Timestamp};
use serde::{Deserialize, Serialize};
use wire::{Credential, Unusable};

use crate::directory::{Directory, Held, Kept};
use crate::entity::{Role, User};
use crate::{Iam, ids};

/// For what tokens are sealed; a later form gets another name.
const PURPOSE: &str = "session token 1";

/// What STS hands out.
pub(crate) struct Temporary {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret<String>,
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
}

/// What a token holds.
#[derive(Serialize, Deserialize)]
struct Token {
    id: String,
    secret: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
    whose: Whose,
    /// Makes the token as long as was asked.
    #[serde(default)]
    padding: String,
}

#[derive(Serialize, Deserialize)]
enum Whose {
    Root { account: AccountId },
    User { account: AccountId, id: String, name: String },
    Session(Box<SessionToken>),
}

#[derive(Serialize, Deserialize)]
struct SessionToken {
    account: AccountId,
    role: Arn,
    role_id: String,
    name: String,
    policy: Option<String>,
    policy_arns: Vec<String>,
    tags: BTreeMap<String, String>,
    transitive_tag_keys: Vec<String>,
    source_identity: Option<String>,
}

impl Iam {
    /// New credentials for `principal`, who must be a root, a user or a session; their token has at least `size_min` characters.
    pub(crate) fn issue(&self, principal: &Principal, seconds: u64, size_min: usize) -> Option<Temporary> {
        let (account, whose, issued_at) = match principal {
            Principal::Root { account } => {
                (account, Whose::Root { account: account.clone() }, self.clock.now())
            }
            Principal::User { account, user, id, .. } => {
                let name = user.resource().rsplit('/').next().unwrap_or_default().to_owned();
                (account, Whose::User { account: account.clone(), id: id.clone(), name }, self.clock.now())
            }
            Principal::Session(session) => {
                (&session.account, Whose::Session(Box::new(SessionToken::of(session))), session.issued_at)
            }
            Principal::Certificate { .. }
            | Principal::Service { .. }
            | Principal::Role { .. }
            | Principal::Anonymous => return None,
        };
        let access_key_id = ids::access_key(&self.entropy, "ASIA", account);
        let secret_access_key = ids::secret(&self.entropy);
        let expires_at = issued_at + Duration::from_secs(seconds);
        let mut token = Token {
            id: access_key_id.clone(),
            secret: secret_access_key.expose().clone(),
            issued_at,
            expires_at,
            whose,
            padding: String::new(),
        };
        let seal = |token: &Token| {
            let plain = Secret::new(serde_json::to_vec(token).expect("a token has string keys"));
            self.sealer.seal(PURPOSE, plain.expose())
        };
        let mut sealed = seal(&token);
        if sealed.len() < size_min {
            // Base64 writes three bytes as four characters.
            token.padding = " ".repeat((size_min - sealed.len()).div_ceil(4) * 3);
            sealed = seal(&token);
        }
        let token = sealed;
        Some(Temporary { access_key_id, secret_access_key, token, expires_at })
    }

    /// Invariant 2.
    pub(crate) fn open_token(&self, access_key_id: &str, token: &str) -> Result<Credential, Unusable> {
        let plain = self.sealer.open(PURPOSE, token).ok_or(Unusable::Invalid)?;
        let token: Token = serde_json::from_slice(plain.expose()).map_err(|_| Unusable::Invalid)?;
        if token.id != access_key_id {
            return Err(Unusable::Invalid);
        }
        if self.clock.now() >= token.expires_at {
            return Err(Unusable::Expired);
        }
        let principal = token
            .whose
            .principal(&self.directory(), access_key_id, token.issued_at)
            .ok_or(Unusable::Invalid)?;
        Ok(Credential { secret: Secret::new(token.secret), principal })
    }
}

impl SessionToken {
    fn of(session: &Session) -> Self {
        Self {
            account: session.account.clone(),
            role: session.role.clone(),
            role_id: session.role_id.clone(),
            name: session.name.clone(),
            policy: session.policy.clone(),
            policy_arns: session.policy_arns.clone(),
            tags: session.tags.clone(),
            transitive_tag_keys: session.transitive_tag_keys.clone(),
            source_identity: session.source_identity.clone(),
        }
    }
}

impl Whose {
    /// None if the user or role is gone, or another of the same name is in its place.
    fn principal(self, directory: &Directory, key: &str, issued_at: Timestamp) -> Option<Principal> {
        match self {
            Self::Root { account } => Some(Principal::Root { account }),
            Self::User { account, id, name } => {
                let is_it = |held: &&Arc<Held<User>>| held.entity.id == id;
                // Credentials outlive their user's name.
                let renamed = || User::of(directory.account(&account)).values().find(is_it);
                let user = directory.get::<User>(&account, &name).filter(is_it).or_else(renamed)?;
                let user = user_arn(&account, &user.entity);
                let access_key_id = key.to_owned();
                Some(Principal::User { account, user, id, access_key_id, issued_at: Some(issued_at) })
            }
            Self::Session(token) => {
                let name = token.role.resource().rsplit('/').next()?;
                directory.get::<Role>(&token.account, name).filter(|held| held.entity.id == token.role_id)?;
                Some(Principal::Session(Arc::new(Session {
                    account: token.account,
                    role: token.role,
                    role_id: token.role_id,
                    name: token.name,
                    issued_at,
                    policy: token.policy,
                    policy_arns: token.policy_arns,
                    tags: token.tags,
                    transitive_tag_keys: token.transitive_tag_keys,
                    source_identity: token.source_identity,
                })))
            }
        }
    }
}

/// A user's ARN.
pub(crate) fn user_arn(account: &AccountId, user: &User) -> Arn {
    Arn::new("iam", "", account.as_str(), &format!("user{}{}", user.path, user.name))
}
