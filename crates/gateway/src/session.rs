//! A client's session: its subscriptions, whether a connection has it, and, if it is persistent, its queue.
//!
//! ```text
//!           attach                      detach, expiry > 0
//!  (none) ─────────► attached ────────────────────────────► waiting ─── expiry ──► ended
//!                     ▲   │ detach, expiry 0 ► ended          │
//!                     └───┴───────────── attach ◄─────────────┘
//! ```
//!
//! 1. At most one connection has a session. A newer one tells it to end and waits until it has let go; of several that wait,
//!    only the newest gets it.
//! 2. A persistent session has a queue, a [`store::CommitLog`] of its own name. Every message it is to get at QoS 1 is appended
//!    there, connected or not, and the publisher is acknowledged after that; the queue is trimmed as the client acknowledges.
//! 3. Its entity is written before anything is answered that it must remember, and deleted before its queue. A queue without
//!    an entity is a remainder of a crash.
//! 4. A session that was connected when the node died counts as disconnected at the next start.
//! 5. A session is of the account, as on AWS: whichever certificate may connect under its name gets it. One that is another than
//!    the session's last and may not subscribe to what the session has begins anew, so that nobody is handed messages that were
//!    gathered under another's rights.
//!
//! Differs from AWS: stored messages are sent as fast as the client takes them, not ten a second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures::future::BoxFuture;
use kernel::Timestamp;
use mqtt::{Qos, ReasonCode, SubscriptionOptions, TopicFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::entity::DecodeError;
use store::{CommitLog, Entity, LogError, LogId, Offset, Revision};
use tokio::sync::watch;

use crate::limits::SESSION_QUEUE_BYTES_MAX;
use crate::mailbox::{Item, Mailbox};
use crate::will::WaitingWill;

/// A persistent session as it is stored. Key: account, region, client id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredSession {
    /// Name of the queue.
    pub(crate) log: String,
    /// How long it lives after its connection.
    pub(crate) expiry_seconds: u32,
    /// None while it is connected.
    pub(crate) disconnected_at: Option<Timestamp>,
    pub(crate) subscriptions: Vec<StoredSubscription>,
    /// The ARN of whoever was connected last; none if an earlier release did not say.
    pub(crate) principal: Option<String>,
}

/// A subscription as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredSubscription {
    pub(crate) filter: String,
    pub(crate) qos: u8,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
}

impl Entity for StoredSession {
    const TABLE: &'static str = "iot_session";
    const VERSION: u8 = 2;

    /// Version 1 did not say whose it was.
    fn upgrade(version: u8, mut old: Value) -> Result<Value, DecodeError> {
        if version != 1 {
            return Err(DecodeError::UnknownVersion { table: Self::TABLE, version });
        }
        old["principal"] = Value::Null;
        Ok(old)
    }
}

/// The subscriptions of a session by their whole filter.
pub(crate) type Subscriptions = BTreeMap<TopicFilter, SubscriptionOptions>;

/// See the file's header.
pub(crate) struct Session {
    pub(crate) client_id: Arc<str>,
    /// Unique in its broker since the start of the node.
    pub(crate) number: u64,
    /// Held by the connection that has the session (1).
    pub(crate) attached: Arc<tokio::sync::Mutex<()>>,
    /// The number of the newest connection that asked for the session. Changed under the lock of the state.
    pub(crate) latest: watch::Sender<u64>,
    state: Mutex<State>,
}

/// What changes of a session.
#[derive(Default)]
pub(crate) struct State {
    /// How many connections wait for the one that has the session to let go.
    pub(crate) waiting: usize,
    pub(crate) mailbox: Option<Arc<Mailbox>>,
    pub(crate) queue: Option<LogId>,
    pub(crate) expiry_seconds: u32,
    pub(crate) disconnected_at: Option<Timestamp>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) principal: Option<String>,
    /// A will that waits for its delay or the session's end.
    pub(crate) will: Option<WaitingWill>,
    /// The commit that stored the will of the connection.
    pub(crate) will_stored_at: Option<Revision>,
}

/// What became of a message for a session.
pub(crate) enum Offered {
    /// It is in the connection's mailbox, or nobody wants it any more.
    Done,
    /// The connection is too slow.
    Slow,
    /// The queue holds as much as it may.
    Full,
    /// It is durable when this resolves.
    Appending(BoxFuture<'static, Result<Offset, LogError>>),
}

impl Session {
    pub(crate) fn new(client_id: Arc<str>, number: u64) -> Self {
        Self {
            client_id,
            number,
            attached: Arc::default(),
            latest: watch::Sender::new(0),
            state: Mutex::default(),
        }
    }

    /// A session that a crash or a stop left behind.
    pub(crate) fn recovered(client_id: Arc<str>, number: u64, stored: &StoredSession) -> Self {
        let session = Self::new(client_id, number);
        *session.state() = State {
            queue: Some(LogId::from_name(&stored.log)),
            expiry_seconds: stored.expiry_seconds,
            disconnected_at: stored.disconnected_at,
            subscriptions: stored.subscriptions.iter().filter_map(StoredSubscription::decode).collect(),
            principal: stored.principal.clone(),
            ..State::default()
        };
        session
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// Asks the connection that has the session to let go, and returns the number of the one that asks.
    pub(crate) fn claim(&self) -> u64 {
        let mut state = self.state();
        state.waiting += 1;
        if let Some(mailbox) = &state.mailbox {
            mailbox.close(ReasonCode::SessionTakenOver);
        }
        self.latest.send_modify(|latest| *latest += 1);
        *self.latest.borrow()
    }

    /// Completes when a newer connection than this one asks for the session.
    pub(crate) async fn superseded(&self, claim: u64) {
        let mut latest = self.latest.subscribe();
        // The sender lives in the session, so waiting cannot fail.
        latest.wait_for(|latest| *latest != claim).await.map(drop).unwrap_or_default();
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.state().mailbox.is_some()
    }

    pub(crate) fn is_persistent(&self) -> bool {
        self.state().queue.is_some()
    }

    /// Gives the session a message. `record` is its form in the queue.
    pub(crate) fn offer(
        &self,
        log: &dyn CommitLog,
        item: Item,
        record: impl FnOnce() -> Option<Bytes>,
    ) -> Offered {
        let state = self.state();
        if item.qos != Qos::AtMostOnce
            && let Some(queue) = &state.queue
        {
            if log.bounds(queue).bytes >= SESSION_QUEUE_BYTES_MAX {
                return Offered::Full;
            }
            // Under the lock, so that no append follows the deletion of the queue.
            return match record() {
                Some(record) => Offered::Appending(log.append(queue, vec![record])),
                None => Offered::Done,
            };
        }
        match &state.mailbox {
            Some(mailbox) if mailbox.push(item) => Offered::Done,
            Some(_) => Offered::Slow,
            None => Offered::Done,
        }
    }
}

impl State {
    /// When the session ends unless its client comes back; none while it is connected.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        let lives = std::time::Duration::from_secs(u64::from(self.expiry_seconds));
        self.disconnected_at.map(|at| at + lives)
    }

    /// The entity, if the session is persistent.
    pub(crate) fn stored(&self) -> Option<StoredSession> {
        Some(StoredSession {
            log: self.queue.as_ref()?.as_str().to_owned(),
            expiry_seconds: self.expiry_seconds,
            disconnected_at: self.disconnected_at,
            subscriptions: self.subscriptions.iter().map(StoredSubscription::encode).collect(),
            principal: self.principal.clone(),
        })
    }
}

impl StoredSubscription {
    fn encode((filter, options): (&TopicFilter, &SubscriptionOptions)) -> Self {
        Self {
            filter: filter.as_str().to_owned(),
            qos: options.qos as u8,
            no_local: options.no_local,
            retain_as_published: options.retain_as_published,
        }
    }

    /// None for what a release with other limits has written.
    fn decode(&self) -> Option<(TopicFilter, SubscriptionOptions)> {
        let filter = TopicFilter::parse(&self.filter).ok()?;
        let mut options = SubscriptionOptions::new(Qos::from_byte(self.qos)?);
        options.no_local = self.no_local;
        options.retain_as_published = self.retain_as_published;
        Some((filter, options))
    }
}

#[cfg(test)]
mod tests {
    use store::entity;

    use super::*;

    #[test]
    fn version_1_of_a_stored_session_is_read() {
        let stored = b"\x01{\"log\":\"session/x\",\"expiry_seconds\":3600,\"disconnected_at\":1000,\"subscriptions\":[{\"filter\":\"$share/g/a/#\",\"qos\":1,\"no_local\":false,\"retain_as_published\":true}]}";
        let decoded: StoredSession = entity::decode(stored).unwrap();
        let session = Session::recovered("c".into(), 1, &decoded);
        let state = session.state();
        assert_eq!(state.stored(), Some(decoded));
        assert_eq!(state.expires_at(), Some(Timestamp::from_millis(3_601_000)));
        assert_eq!(state.subscriptions.keys().next().unwrap().share_name(), Some("g"));
    }
}
