//! Signing in: the launch token or an access key for a session, and the limit on trying.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use kernel::{Clock, Principal, Secret, Timestamp};
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;
use wire::Fault;

use crate::Console;
use crate::limits::{LOGIN_FAILURES_MAX, LOGIN_SOURCES_MAX, LOGIN_WINDOW};
use crate::session::SignedIn;

#[derive(Deserialize)]
#[serde(untagged)]
enum Login {
    Token {
        #[serde(deserialize_with = "secret")]
        token: Secret<String>,
    },
    #[serde(rename_all = "camelCase")]
    Key {
        access_key_id: String,
        #[serde(deserialize_with = "secret")]
        secret_access_key: Secret<String>,
    },
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}

/// Whom the credentials in `body` belong to.
///
/// # Errors
/// 401 `AccessDenied` when they are not right, 429 `ThrottlingException` after too many of those, 400 for another body.
pub(crate) fn authenticate(
    console: &Console,
    body: &Bytes,
    source_ip: Option<&str>,
) -> Result<SignedIn, Fault> {
    let source = source_ip.unwrap_or_default();
    let login: Login = serde_json::from_slice(body).map_err(|_| {
        Fault::new(400, "SerializationException", "Give token, or accessKeyId and secretAccessKey.")
    })?;
    if !console.attempts.allowed(source) {
        return Err(Fault::new(
            429,
            "ThrottlingException",
            "Too many failed attempts to sign in. Wait a minute.",
        ));
    }
    let principal = match &login {
        Login::Token { token } => equal(token, &console.launch_token)
            .then(|| Principal::Root { account: console.config.account.clone() }),
        Login::Key { access_key_id, secret_access_key } => {
            let found = console.parts.credentials.find(access_key_id);
            // An unknown key takes as long as a known one.
            let wanted = found.as_ref().map_or(&console.launch_token, |credential| &credential.secret);
            let right = equal(secret_access_key, wanted);
            found.filter(|_| right).map(|credential| credential.principal)
        }
    };
    let access_key_id = match login {
        Login::Token { .. } => None,
        Login::Key { access_key_id, .. } => Some(access_key_id),
    };
    principal.map(|principal| SignedIn { principal, access_key_id }).ok_or_else(|| {
        console.attempts.failed(source);
        tracing::warn!(source, "console sign-in failed");
        Fault::new(401, "AccessDenied", "The credentials are not right.")
    })
}

fn equal(given: &Secret<String>, wanted: &Secret<String>) -> bool {
    given.expose().as_bytes().ct_eq(wanted.expose().as_bytes()).into()
}

/// Failed attempts by address, for a while.
pub(crate) struct Attempts {
    failures: Mutex<HashMap<String, Failures>>,
    clock: Arc<dyn Clock>,
}

struct Failures {
    since: Timestamp,
    count: u32,
}

impl Attempts {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { failures: Mutex::default(), clock }
    }

    fn allowed(&self, source: &str) -> bool {
        let now = self.clock.now();
        let failures = self.failures.lock().expect("no holder of this lock panics");
        failures.get(source).is_none_or(|known| is_past(known, now) || known.count < LOGIN_FAILURES_MAX)
    }

    fn failed(&self, source: &str) {
        let now = self.clock.now();
        let mut failures = self.failures.lock().expect("no holder of this lock panics");
        if failures.len() >= LOGIN_SOURCES_MAX && !failures.contains_key(source) {
            failures.retain(|_, known| !is_past(known, now));
            let oldest =
                failures.iter().min_by_key(|(_, known)| known.since).map(|(source, _)| source.clone());
            if let Some(oldest) = oldest.filter(|_| failures.len() >= LOGIN_SOURCES_MAX) {
                failures.remove(&oldest);
            }
        }
        let known = failures.entry(source.to_owned()).or_insert(Failures { since: now, count: 0 });
        if is_past(known, now) {
            *known = Failures { since: now, count: 0 };
        }
        known.count += 1;
    }
}

fn is_past(known: &Failures, now: Timestamp) -> bool {
    now.since(known.since) >= LOGIN_WINDOW
}

#[cfg(test)]
mod tests {
    use kernel::ManualClock;

    use super::*;

    #[test]
    fn failures_are_counted_by_address_and_forgotten_after_a_minute() {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let attempts = Attempts::new(Arc::new(clock.clone()));
        for _ in 0..LOGIN_FAILURES_MAX {
            assert!(attempts.allowed("10.0.0.1"));
            attempts.failed("10.0.0.1");
        }
        assert!(!attempts.allowed("10.0.0.1"));
        assert!(attempts.allowed("10.0.0.2"));
        clock.advance(LOGIN_WINDOW);
        assert!(attempts.allowed("10.0.0.1"));
        attempts.failed("10.0.0.1");
        assert!(attempts.allowed("10.0.0.1"));
    }

    #[test]
    fn remembered_addresses_are_bounded() {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let attempts = Attempts::new(Arc::new(clock.clone()));
        for i in 0..=LOGIN_SOURCES_MAX {
            clock.advance(std::time::Duration::from_millis(1));
            attempts.failed(&i.to_string());
        }
        let failures = attempts.failures.lock().unwrap();
        assert_eq!(failures.len(), LOGIN_SOURCES_MAX);
        assert!(!failures.contains_key("0"));
    }
}
