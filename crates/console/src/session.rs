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

use crate::guard::split_port;
use crate::limits::{SESSION_IDLE, SESSIONS_MAX};

/// The live sessions.
pub(crate) struct Sessions {
    live: Mutex<HashMap<String, Session>>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
}

struct Session {
    principal: Principal,
    used_at: Timestamp,
}

impl Sessions {
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Entropy) -> Self {
        Self { live: Mutex::default(), clock, entropy }
    }

    /// The id of a new session. Past [`SESSIONS_MAX`] the longest idle one ends.
    pub(crate) fn open(&self, principal: Principal) -> String {
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
        live.insert(id.clone(), Session { principal, used_at: now });
        id
    }

    /// Whose session this is; using it keeps it alive.
    pub(crate) fn principal(&self, id: &str) -> Option<Principal> {
        let now = self.clock.now();
        let mut live = self.live();
        let session = live.get_mut(id)?;
        if !is_live(session, now) {
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

/// `Set-Cookie` for a session; without an id, for its end. No expiry: the browser forgets it when it is closed.
pub(crate) fn cookie(host: &str, id: Option<&str>) -> HeaderValue {
    let name = cookie_name(host);
    let text = match id {
        Some(id) => format!("{name}={id}; Path=/console/; HttpOnly; SameSite=Strict"),
        None => format!("{name}=; Path=/console/; HttpOnly; SameSite=Strict; Max-Age=0"),
    };
    HeaderValue::from_str(&text).expect("a name of letters and digits, an id of base64url")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::{AccountId, ManualClock};

    use super::*;

    fn sessions() -> (ManualClock, Sessions) {
        let clock = ManualClock::new(Timestamp::from_millis(1_000_000));
        (clock.clone(), Sessions::new(Arc::new(clock), Entropy::seeded(1)))
    }

    fn root() -> Principal {
        Principal::Root { account: AccountId::default_account() }
    }

    #[test]
    fn a_session_ends_after_twelve_idle_hours_and_lives_while_used() {
        let (clock, sessions) = sessions();
        let id = sessions.open(root());
        assert_eq!(id.len(), 43);
        for _ in 0..3 {
            clock.advance(SESSION_IDLE - Duration::from_secs(1));
            assert_eq!(sessions.principal(&id), Some(root()));
        }
        clock.advance(SESSION_IDLE);
        assert_eq!(sessions.principal(&id), None);
        assert!(sessions.live().is_empty());
    }

    #[test]
    fn a_closed_or_unknown_session_is_nobody() {
        let (_, sessions) = sessions();
        let id = sessions.open(root());
        assert_eq!(sessions.principal("guess"), None);
        sessions.close(&id);
        assert_eq!(sessions.principal(&id), None);
    }

    #[test]
    fn the_longest_idle_session_makes_room() {
        let (clock, sessions) = sessions();
        let first = sessions.open(root());
        clock.advance(Duration::from_secs(1));
        let second = sessions.open(root());
        for _ in 2..=SESSIONS_MAX {
            clock.advance(Duration::from_millis(1));
            sessions.open(root());
        }
        assert_eq!(sessions.live().len(), SESSIONS_MAX);
        assert_eq!(sessions.principal(&first), None);
        assert!(sessions.principal(&second).is_some());
    }

    #[test]
    fn the_cookie_carries_the_port() {
        let set = cookie("127.0.0.1:4567", Some("id"));
        assert_eq!(set, "headwater-4567=id; Path=/console/; HttpOnly; SameSite=Strict");
        let mut headers = HeaderMap::new();
        headers.insert(
            header::COOKIE,
            HeaderValue::from_static("other=1; headwater-4567=mine;headwater-9=theirs"),
        );
        assert_eq!(id_of(&headers, "127.0.0.1:4567").as_deref(), Some("mine"));
        assert_eq!(id_of(&headers, "localhost").as_deref(), None);
    }
}
