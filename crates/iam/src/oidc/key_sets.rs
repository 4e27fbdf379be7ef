//! The keys of identity providers: fetched when they are first needed, and again when a token names one that is not among them.
//!
//! 1. Nobody but a registered provider is asked, and by whoever has no key of it nothing but its registered address and the one that
//!    this names ([`Fetch`] decides which addresses may be asked at all).
//! 2. Tokens need no signature of ours, so that anybody may send them. Therefore a provider is asked once at a time, and one that has
//!    answered, or failed to, not again for [`KEYS_REFRESH_MIN`]; those who come meanwhile wait for the one answer.
//! 3. At most [`KEY_SETS_MAX`] sets are kept; the one that was fetched longest ago goes.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use kernel::{AccountId, Clock, Timestamp};
use serde_json::Value;

use crate::Error;
use crate::entity::OidcProvider;
use crate::limits::{KEY_SETS_MAX, KEYS_KEPT, KEYS_REFRESH_MIN};
use crate::oidc::token::{Key, Unverified, key_set};

/// Gets what an identity provider publishes.
pub trait Fetch: Send + Sync {
    /// The body behind an `https` address. The provider's certificate must be of an authority that everybody trusts, or its chain
    /// have a certificate whose SHA-1 is one of `thumbprints`.
    fn get<'a>(
        &'a self,
        url: &'a str,
        thumbprints: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address may not be asked.
    #[error("the address may not be asked: {0}")]
    Forbidden(String),
    /// Nobody answers in time.
    #[error("nobody answers: {0}")]
    Unreachable(String),
    /// The certificate is of nobody who is trusted.
    #[error("the certificate is not trusted: {0}")]
    Untrusted(String),
    /// It is answered, but not with what was asked for.
    #[error("the answer is of no use: {0}")]
    Useless(String),
}

/// The key sets of the node's providers.
pub(crate) struct KeySets {
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    sets: Mutex<HashMap<(AccountId, String), Arc<Slot>>>,
}

#[derive(Default)]
struct Slot(tokio::sync::Mutex<State>);

#[derive(Default)]
struct State {
    asked_at: Option<Timestamp>,
    fetched: Option<(Timestamp, Arc<Vec<Key>>)>,
    /// What was wrong when it was last asked.
    wrong: Option<Wrong>,
}

#[derive(Clone, Copy)]
enum Wrong {
    Communication,
    Certificate,
    Key,
}

impl Wrong {
    fn error(self) -> Error {
        let said = match self {
            Self::Communication => return Error::IdpCommunication,
            Self::Certificate => {
                "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
            }
            Self::Key => {
                "Couldn't retrieve verification key from your identity provider, please reference \
                 AssumeRoleWithWebIdentity documentation for requirements"
            }
        };
        Error::InvalidIdentityToken(said.to_owned())
    }
}

impl KeySets {
    pub(crate) fn new(fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>) -> Self {
        Self { fetch, clock, sets: Mutex::default() }
    }

    /// # Errors
    /// `InvalidIdentityToken`, `IDPCommunicationError`.
    pub(crate) async fn verify(
        &self,
        account: &AccountId,
        provider: &OidcProvider,
        token: &Unverified<'_>,
    ) -> Result<(), Error> {
        let slot = self.slot(account, &provider.url);
        let mut state = slot.0.lock().await;
        let now = self.clock.now();
        if let Some((fetched_at, keys)) = &state.fetched
            && now.since(*fetched_at) < KEYS_KEPT
            && let Some(signed) = token.is_signed_by(keys)
        {
            return judged(signed);
        }
        // Invariant 2.
        if state.asked_at.is_some_and(|at| now.since(at) < KEYS_REFRESH_MIN) {
            return Err(state.wrong.unwrap_or(Wrong::Key).error());
        }
        let asked = self.ask(provider).await;
        state.asked_at = Some(self.clock.now());
        match asked {
            Ok(keys) => {
                let signed = token.is_signed_by(&keys);
                state.fetched = Some((now, Arc::new(keys)));
                state.wrong = None;
                signed.map_or_else(|| Err(Wrong::Key.error()), judged)
            }
            Err(wrong) => {
                state.wrong = Some(wrong);
                Err(wrong.error())
            }
        }
    }

    /// Forgets the keys of a provider that was changed.
    pub(crate) fn forget(&self, account: &AccountId, url: &str) {
        let mut sets = self.sets.lock().expect("no holder of this lock panics");
        sets.remove(&(account.clone(), url.to_owned()));
    }

    fn slot(&self, account: &AccountId, url: &str) -> Arc<Slot> {
        let mut sets = self.sets.lock().expect("no holder of this lock panics");
        let key = (account.clone(), url.to_owned());
        if !sets.contains_key(&key) && sets.len() >= KEY_SETS_MAX {
            let age = |slot: &Arc<Slot>| slot.0.try_lock().ok().map(|state| state.asked_at);
            let oldest = sets.iter().filter_map(|(key, slot)| Some((age(slot)?, key.clone()))).min();
            if let Some((_, oldest)) = oldest {
                sets.remove(&oldest);
            }
        }
        Arc::clone(sets.entry(key).or_default())
    }

    async fn ask(&self, provider: &OidcProvider) -> Result<Vec<Key>, Wrong> {
        let issuer = format!("https://{}", provider.url);
        let wrong = |error: FetchError| {
            tracing::warn!(
                provider = issuer,
                error = error.to_string(),
                "an identity provider's keys were not fetched"
            );
            match error {
                FetchError::Unreachable(_) => Wrong::Communication,
                FetchError::Untrusted(_) => Wrong::Certificate,
                FetchError::Forbidden(_) | FetchError::Useless(_) => Wrong::Key,
            }
        };
        let configuration = format!("{issuer}/.well-known/openid-configuration");
        let configuration = self.fetch.get(&configuration, &provider.thumbprints).await.map_err(wrong)?;
        let configuration: Value = serde_json::from_slice(&configuration)
            .map_err(|_| wrong(FetchError::Useless("the configuration is not JSON".to_owned())))?;
        let named = configuration["issuer"].as_str().unwrap_or_default();
        if named.strip_suffix('/').unwrap_or(named) != issuer {
            return Err(wrong(FetchError::Useless("the configuration is another issuer's".to_owned())));
        }
        let Some(keys_at) = configuration["jwks_uri"].as_str() else {
            return Err(wrong(FetchError::Useless("the configuration names no keys".to_owned())));
        };
        let keys = self.fetch.get(keys_at, &provider.thumbprints).await.map_err(wrong)?;
        key_set(&keys).ok_or_else(|| wrong(FetchError::Useless("it is no set of keys".to_owned())))
    }
}

fn judged(signed: bool) -> Result<(), Error> {
    if signed {
        return Ok(());
    }
    Err(Error::InvalidIdentityToken("The ID Token's signature is not valid.".to_owned()))
}
