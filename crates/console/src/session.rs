//! Sessions: who a browser is, by a random cookie.
//!
//! An id has 256 random bits and is looked up in a hash map keyed at random, so neither guessing nor timing finds one. They live in memory
//! only: a restart of the node signs everybody out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};
use kernel::{Clock, Entropy, Principal, Timestamp};
use wire::{Arrival, Credentials};

use crate::guard::split_port;
use crate::limits::{SESSION_IDLE, SESSIONS_MAX};

/// Who signed in, and with which access key; with none by the launch token.
pub(crate) struct SignedIn {
    pub(crate) principal: Principal,
    pub(crate) access_key_id: Option<String>,
}

/// The live sessions.
pub(crate) struct Sessions {
    live: Mutex<HashMap<String, Session>>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
}

struct Session {
    principal: Principal,
    /// The access key it was opened with: it ends with it. None for the launch token, which is good while the node runs.
    access_key_id: Option<String>,
    used_at: Timestamp,
}

impl Sessions {
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Entropy) -> Self {
        Self { live: Mutex::default(), clock, entropy }
    }

    /// The id of a new session. Past [`SESSIONS_MAX`] the longest idle one ends.
    pub(crate) fn open(&self, SignedIn { principal, access_key_id }: SignedIn) -> String {
        let id = random_id(&self.entropy);
        let now = self.clock.now();
        let mut live = self.live();
        live.retain(|_, session| is_live(session, now));
        if live.len() >= SESSIONS_MAX {
            let idlest = live.iter().min_by_key(|(_, session)| session.used_at).map(|(id, _)| id.clone());
            if let Some(idlest) = idlest {
                live.remove(&idlest);
            }
        }
        live.insert(id.clone(), Session { principal, access_key_id, used_at: now });
        id
    }

    /// Whose session this is; using it keeps it alive. It is over when its access key is nobody's any more.
    pub(crate) fn principal(&self, id: &str, credentials: &dyn Credentials) -> Option<Principal> {
        let now = self.clock.now();
        let mut live = self.live();
        let session = live.get_mut(id)?;
        let is_valid = |key: &String| credentials.find(key).is_some();
        if !is_live(session, now) || !session.access_key_id.as_ref().is_none_or(is_valid) {
            live.remove(id);
            return None;
        }
        session.used_at = now;
        Some(session.principal.clone())
    }

    /// Ends a session; silent if there is none.
    pub(crate) fn close(&self, id: &str) {
        self.live().remove(id);
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.live.lock().expect("no holder of this lock panics")
    }
}

fn is_live(session: &Session, now: Timestamp) -> bool {
    now.since(session.used_at) < SESSION_IDLE
}

/// 256 random bits in 43 characters that need no escaping anywhere.
pub(crate) fn random_id(entropy: &Entropy) -> String {
    URL_SAFE_NO_PAD.encode(entropy.bytes::<32>())
}

/// The cookie's name. Cookies ignore ports, so the port is in the name: two nodes on one machine do not sign each other out.
/// A host without one names the same cookie over TLS and not: the browser sends a `Secure` one only over TLS.
fn cookie_name(host: &str) -> String {
    let port = split_port(host).and_then(|(_, port)| port).unwrap_or(80);
    format!("headwater-{port}")
}

/// The session id a request carries.
pub(crate) fn id_of(headers: &HeaderMap, host: &str) -> Option<String> {
    let name = cookie_name(host);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, id)| id.to_owned())
}

/// `Set-Cookie` for a session; without an id, for its end. No expiry: the browser forgets it when it is closed. One given over TLS
/// is never sent in the clear.
pub(crate) fn cookie(host: &str, arrival: &Arrival, id: Option<&str>) -> HeaderValue {
    let name = cookie_name(host);
    let secure = if arrival.secure { "; Secure" } else { "" };
    let text = match id {
        Some(id) => format!("{name}={id}; Path=/console/; HttpOnly; SameSite=Strict{secure}"),
        None => format!("{name}=; Path=/console/; HttpOnly; SameSite=Strict{secure}; Max-Age=0"),
    };
    HeaderValue::from_str(&text).expect("a name of letters and digits, an id of base64url")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{AccountId, ManualClock, Secret};
    use wire::Credential;

    use super::*;

    fn sessions() -> (ManualClock, Sessions) {
        let clock = ManualClock::new(Timestamp::from_millis(1_000_000));
        (clock.clone(), Sessions::new(Arc::new(clock), Entropy::seeded(1)))
    }

    /// Knows one key.
    struct Keys;

    impl Credentials for Keys {
        fn find(&self, access_key_id: &str) -> Option<Credential> {
            let secret = Secret::new(String::new());
            (access_key_id == "AKIAKNOWN").then(|| Credential { secret, principal: root() })
        }
    }

    fn signed_in(access_key_id: Option<&str>) -> SignedIn {
        SignedIn { principal: root(), access_key_id: access_key_id.map(str::to_owned) }
    }

    fn root() -> Principal {
        Principal::Root { account: AccountId::default_account() }
    }

    #[test]
    fn a_session_ends_after_twelve_idle_hours_and_lives_while_used() {
        let (clock, sessions) = sessions();
        let id = sessions.open(signed_in(None));
        assert_eq!(id.len(), 43);
        for _ in 0..3 {
            clock.advance(SESSION_IDLE - Duration::from_secs(1));
            assert_eq!(sessions.principal(&id, &Keys), Some(root()));
        }
        clock.advance(SESSION_IDLE);
        assert_eq!(sessions.principal(&id, &Keys), None);
        assert!(sessions.live().is_empty());
    }

    #[test]
    fn a_closed_or_unknown_session_is_nobody() {
        let (_, sessions) = sessions();
        let id = sessions.open(signed_in(None));
        assert_eq!(sessions.principal("guess", &Keys), None);
        sessions.close(&id);
        assert_eq!(sessions.principal(&id, &Keys), None);
    }

    #[test]
    fn a_session_ends_with_the_key_it_was_opened_with() {
        let (_, sessions) = sessions();
        let id = sessions.open(signed_in(Some("AKIAKNOWN")));
        assert_eq!(sessions.principal(&id, &Keys), Some(root()));
        let id = sessions.open(signed_in(Some("AKIADELETED")));
        assert_eq!(sessions.principal(&id, &Keys), None);
        assert_eq!(sessions.live().len(), 1);
    }

    #[test]
    fn the_longest_idle_session_makes_room() {
        let (clock, sessions) = sessions();
        let first = sessions.open(signed_in(None));
        clock.advance(Duration::from_secs(1));
        let second = sessions.open(signed_in(None));
        for _ in 2..=SESSIONS_MAX {
            clock.advance(Duration::from_millis(1));
            sessions.open(signed_in(None));
        }
        assert_eq!(sessions.live().len(), SESSIONS_MAX);
        assert_eq!(sessions.principal(&first, &Keys), None);
        assert!(sessions.principal(&second, &Keys).is_some());
    }

    #[test]
    fn the_cookie_carries_the_port() {
        let clear = Arrival { source_ip: None, secure: false };
        let set = cookie("127.0.0.1:4567", &clear, Some("id"));
        assert_eq!(set, "headwater-4567=id; Path=/console/; HttpOnly; SameSite=Strict");
        let tls = Arrival { secure: true, ..clear };
        let set = cookie("127.0.0.1:4567", &tls, Some("id"));
        assert_eq!(set, "headwater-4567=id; Path=/console/; HttpOnly; SameSite=Strict; Secure");
        let end = cookie("127.0.0.1:4567", &tls, None);
        assert_eq!(end, "headwater-4567=; Path=/console/; HttpOnly; SameSite=Strict; Secure; Max-Age=0");
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("other=1; headwater-4567=mine;headwater-9=theirs"),
        );
        assert_eq!(id_of(&headers, "127.0.0.1:4567").as_deref(), Some("mine"));
        assert_eq!(id_of(&headers, "localhost").as_deref(), None);
    }
}
