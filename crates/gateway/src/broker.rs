//! The message broker of one account in one region: its sessions, its router, its retained messages.
//!
//! Locks, when they nest: the map of sessions, then the state of one.

mod subscribing;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use kernel::{AccountId, Clock, Context, Entropy, Metrics, Region, Timestamp};
use mqtt::Will;
use ports::DeviceIdentity;
use store::{CommitLog, LogId, MetaStore, Revision, Table};
use tokio::sync::{Notify, OwnedMutexGuard};

use crate::Error;
use crate::authorize::{Action, Permissions};
use crate::error::Chain;
use crate::limits::{CLOSE_TIMEOUT, SESSIONS_MAX};
use crate::mailbox::Mailbox;
use crate::metrics::Cells;
use crate::retained::Retained;
use crate::session::{Session, State, StoredSession};
use crate::subscriptions::Router;
use crate::throttle::{Quotas, Rate};
use crate::will::{StoredWill, WaitingWill};

/// The kind of a session's log: the first part of its name.
pub(crate) const QUEUE_KIND: &str = "session";

/// What all brokers of a node share.
pub(crate) struct Shared {
    pub(crate) meta: Arc<dyn MetaStore>,
    pub(crate) sessions: Table<StoredSession>,
    pub(crate) wills: Table<StoredWill>,
    pub(crate) log: Arc<dyn CommitLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) metrics: Metrics,
    pub(crate) quotas: Quotas,
    /// A deadline is new.
    pub(crate) deadline: Notify,
}

/// See the file's header.
pub(crate) struct Broker {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) router: Router,
    pub(crate) retained: Retained,
    pub(crate) shared: Arc<Shared>,
    pub(crate) cells: Cells,
    pub(crate) connects: Rate,
    pub(crate) publishes: Rate,
    sessions: Mutex<HashMap<Arc<str>, Arc<Session>>>,
    /// When a session is to be looked at again, by [`Broker::due`].
    deadlines: Mutex<BTreeMap<(Timestamp, u64), Arc<Session>>>,
    next_number: AtomicU64,
}

/// What a client that was accepted asks for.
pub(crate) struct AttachRequest<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) clean_start: bool,
    pub(crate) expiry_seconds: u32,
    /// The ARN of whoever connects.
    pub(crate) principal: String,
    pub(crate) permissions: &'a mut Permissions,
    pub(crate) will: Option<StoredWill>,
}

/// A session in the hands of a connection. Give it back with [`Broker::detach`].
pub(crate) struct Attachment {
    pub(crate) session: Arc<Session>,
    pub(crate) mailbox: Arc<Mailbox>,
    /// The queue, if the session is persistent.
    pub(crate) queue: Option<LogId>,
    /// Whether there was a session to come back to.
    pub(crate) present: bool,
    claim: u64,
    _guard: OwnedMutexGuard<()>,
}

/// Why a connection did not get its session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachError {
    #[error("a newer connection has the client identifier")]
    TakenOver,
    #[error("the older connection does not let go of the session")]
    Busy,
    #[error("there are as many sessions as there may be")]
    TooMany,
    #[error("the session cannot be stored")]
    Store(#[from] Error),
}

/// How a connection leaves its session.
pub(crate) struct Departure {
    /// 0 ends it.
    pub(crate) expiry_seconds: u32,
    pub(crate) will: Option<(Will, Arc<Context>)>,
}

/// Whether whoever connects may have what the session has gathered: it is the same as before, or may subscribe to all of it.
fn may_resume(state: &State, principal: &str, permissions: &mut Permissions) -> bool {
    state.principal.as_deref() == Some(principal)
        || state.subscriptions.keys().all(|filter| permissions.allows(Action::Subscribe, filter.as_str()))
}

impl Attachment {
    /// Makes the connection the one that the session has, unless a newer one has asked for it.
    fn register(&self) -> bool {
        let mut state = self.session.state();
        if *self.session.latest.borrow() != self.claim {
            return false;
        }
        state.mailbox = Some(Arc::clone(&self.mailbox));
        true
    }
}

impl Broker {
    pub(crate) fn new(account: AccountId, region: Region, shared: Arc<Shared>) -> Self {
        let cells = Cells::new(&shared.metrics, account.as_str(), region.as_str());
        let retained = Retained::new(&account, &region, Arc::clone(&shared), cells.retained.clone());
        Self {
            account,
            region,
            router: Router::new(),
            retained,
            cells,
            connects: Rate::per_second(shared.quotas.connects),
            publishes: Rate::per_second(shared.quotas.publishes),
            shared,
            sessions: Mutex::default(),
            deadlines: Mutex::default(),
            next_number: AtomicU64::new(1),
        }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Session>>> {
        self.sessions.lock().expect("no holder of this lock panics")
    }

    fn key<'a>(&'a self, session: &'a Session) -> [&'a str; 3] {
        [self.account.as_str(), self.region.as_str(), &session.client_id]
    }

    fn next_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes in a session that the store has. It was connected when the node died if it is not said to be disconnected.
    pub(crate) async fn recover(&self, client_id: &str, mut stored: StoredSession) -> Result<(), Error> {
        let was_connected = stored.disconnected_at.is_none();
        stored.disconnected_at.get_or_insert_with(|| self.shared.clock.now());
        let session = Arc::new(Session::recovered(client_id.into(), self.next_number(), &stored));
        if was_connected {
            self.shared.sessions.put(&self.key(&session), &stored).await?;
        }
        for (filter, options) in &session.state().subscriptions {
            self.router.insert(filter, &session, *options);
        }
        self.cells.sessions.add(1);
        self.set_deadline(&session);
        self.sessions().insert(Arc::clone(&session.client_id), session);
        Ok(())
    }

    /// Gives a client its session, taking it from an older connection if there is one.
    pub(crate) async fn attach(
        &self,
        request: AttachRequest<'_>,
    ) -> Result<(Attachment, Option<WaitingWill>), AttachError> {
        let (session, claim) = self.claim(request.client_id)?;
        let waited = tokio::select! {
            biased;
            () = session.superseded(claim) => Err(AttachError::TakenOver),
            guard = Arc::clone(&session.attached).lock_owned() => Ok(guard),
            () = self.shared.clock.sleep(CLOSE_TIMEOUT) => Err(AttachError::Busy),
        };
        session.state().waiting -= 1;
        let guard = waited?;
        let now = self.shared.clock.now();
        let present = {
            let state = session.state();
            let alive = state.expires_at().is_none_or(|at| at > now);
            state.queue.is_some()
                && alive
                && !request.clean_start
                && may_resume(&state, &request.principal, request.permissions)
        };
        let will = if present {
            // Who comes back in time has not vanished (MQTT-3.1.3-9).
            let cancelled = session.state().will.take();
            if let Some(stored_at) = cancelled.and_then(|waiting| waiting.stored_at) {
                session.state().will_stored_at = Some(stored_at);
            }
            None
        } else {
            match self.end(&session).await {
                Ok(will) => will,
                Err(error) => {
                    self.set_deadline(&session);
                    return Err(error.into());
                }
            }
        };
        let prepared = match self.prepare(&session, request.expiry_seconds, request.principal).await {
            Ok(()) => self.store_will(&session, request.will).await,
            Err(error) => Err(error),
        };
        let queue = session.state().queue.clone();
        let attachment = Attachment {
            queue,
            mailbox: Arc::new(Mailbox::new(request.permissions.identity().cloned())),
            session,
            present,
            claim,
            _guard: guard,
        };
        let error = match prepared {
            Ok(()) if attachment.register() => return Ok((attachment, will)),
            Ok(()) => AttachError::TakenOver,
            Err(error) => error.into(),
        };
        let session = Arc::clone(&attachment.session);
        let departure = Departure {
            expiry_seconds: session.state().expiry_seconds,
            will: will.map(|waiting| (waiting.will, waiting.cx)),
        };
        if let Some(will) = self.detach(attachment, departure).await {
            // Left to the reaper, which finds it due.
            session.state().will = Some(will);
            self.set_deadline(&session);
        }
        Err(error)
    }

    fn claim(&self, client_id: &str) -> Result<(Arc<Session>, u64), AttachError> {
        let mut sessions = self.sessions();
        let session = match sessions.get(client_id) {
            Some(session) => Arc::clone(session),
            None if sessions.len() >= SESSIONS_MAX => return Err(AttachError::TooMany),
            None => {
                let session = Arc::new(Session::new(client_id.into(), self.next_number()));
                sessions.insert(Arc::clone(&session.client_id), Arc::clone(&session));
                session
            }
        };
        let claim = session.claim();
        Ok((session, claim))
    }

    /// Makes the session live as long as its new connection wants, durably.
    async fn prepare(
        &self,
        session: &Arc<Session>,
        expiry_seconds: u32,
        principal: String,
    ) -> Result<(), Error> {
        let (stored, is_new) = {
            let mut state = session.state();
            state.disconnected_at = None;
            state.expiry_seconds = expiry_seconds;
            state.principal = Some(principal);
            let is_new = state.queue.is_none() && expiry_seconds > 0;
            if is_new {
                state.queue = Some(LogId::new(QUEUE_KIND, &[&self.shared.entropy.uuid()]));
            }
            (state.stored(), is_new)
        };
        let Some(stored) = stored else { return Ok(()) };
        let written = self.shared.sessions.put(&self.key(session), &stored).await;
        if is_new && written.is_err() {
            session.state().queue = None;
        } else if is_new {
            self.cells.sessions.add(1);
        }
        Ok(written.map(drop)?)
    }

    /// Stores the will of a connection in place of the one before.
    async fn store_will(&self, session: &Arc<Session>, will: Option<StoredWill>) -> Result<(), Error> {
        let before = session.state().will_stored_at.take();
        match (will, before) {
            (Some(will), _) => {
                let stored_at = self.shared.wills.put(&self.key(session), &will).await?;
                session.state().will_stored_at = Some(stored_at);
                Ok(())
            }
            (None, Some(before)) => Ok(self.delete_will(&session.client_id, before).await?),
            (None, None) => Ok(()),
        }
    }

    /// Takes in a will whose client was connected, or had vanished, when the node died.
    pub(crate) fn recover_will(&self, client_id: &str, will: Will, cx: Arc<Context>, stored_at: Revision) {
        let session = {
            let mut sessions = self.sessions();
            let create = || Arc::new(Session::new(client_id.into(), self.next_number()));
            Arc::clone(sessions.entry(client_id.into()).or_insert_with(create))
        };
        let mut state = session.state();
        let delay = will.delay_seconds.min(state.expiry_seconds);
        state.will = Some(WaitingWill {
            due: self.shared.clock.now() + Duration::from_secs(delay.into()),
            will,
            cx,
            client_id: Arc::clone(&session.client_id),
            stored_at: Some(stored_at),
        });
        drop(state);
        self.set_deadline(&session);
    }

    /// Takes a session back from its connection. A will without delay is returned, to be published now.
    pub(crate) async fn detach(&self, attachment: Attachment, departure: Departure) -> Option<WaitingWill> {
        let session = &attachment.session;
        let now = self.shared.clock.now();
        let (stored, unwanted_will) = {
            let mut state = session.state();
            state.mailbox = None;
            state.expiry_seconds = departure.expiry_seconds;
            state.disconnected_at = Some(now);
            let mut stored_at = state.will_stored_at.take();
            state.will = departure.will.map(|(will, cx)| {
                let delay = will.delay_seconds.min(departure.expiry_seconds);
                let due = now + Duration::from_secs(delay.into());
                let client_id = Arc::clone(&session.client_id);
                WaitingWill { due, will, cx, client_id, stored_at: stored_at.take() }
            });
            (state.stored(), stored_at)
        };
        if let Some(stored_at) = unwanted_will
            && let Err(error) = self.delete_will(&session.client_id, stored_at).await
        {
            tracing::warn!(client_id = &*session.client_id, error = %Chain(&error), "a will was not deleted");
        }
        let mut will = None;
        if departure.expiry_seconds == 0 {
            match self.end(session).await {
                Ok(ended) => will = ended,
                Err(error) => {
                    tracing::warn!(client_id = &*session.client_id, error = %Chain(&error), "a session was not deleted");
                    self.set_deadline(session);
                }
            }
        } else {
            if let Some(stored) = stored
                && let Err(error) = self.shared.sessions.put(&self.key(session), &stored).await
            {
                // In memory it is right; after a crash it lives somewhat longer.
                let error = Error::from(error);
                tracing::warn!(client_id = &*session.client_id, error = %Chain(&error), "a session's end of connection was not stored");
            }
            let mut state = session.state();
            if state.will.as_ref().is_some_and(|waiting| waiting.due <= now) {
                will = state.will.take();
            }
            drop(state);
            self.set_deadline(session);
        }
        self.forget_if_ended(session);
        will
    }

    /// Ends a session: nothing of it is left but its name. Callers have it. Returns the will that waited for that.
    async fn end(&self, session: &Arc<Session>) -> Result<Option<WaitingWill>, Error> {
        let persistent = session.state().queue.is_some();
        if persistent {
            self.shared.sessions.delete(&self.key(session)).await?;
            self.cells.sessions.add(-1);
        }
        let (queue, subscriptions, will) = {
            let mut state = session.state();
            state.disconnected_at = None;
            (state.queue.take(), std::mem::take(&mut state.subscriptions), state.will.take())
        };
        for filter in subscriptions.keys() {
            self.router.remove(filter, session);
        }
        if let Some(queue) = queue
            && let Err(error) = self.shared.log.delete(&queue).await
        {
            // The next start deletes it.
            tracing::warn!(%queue, %error, "the queue of an ended session was not deleted");
        }
        Ok(will)
    }

    fn forget_if_ended(&self, session: &Session) {
        let mut sessions = self.sessions();
        let state = session.state();
        let attached = state.mailbox.is_some() || state.waiting > 0;
        let remembered = state.queue.is_some() || state.disconnected_at.is_some() || state.will.is_some();
        if !attached && !remembered {
            drop(state);
            sessions.remove(&session.client_id);
        }
    }

    fn set_deadline(&self, session: &Arc<Session>) {
        let due = {
            let state = session.state();
            let will = state.will.as_ref().map(|waiting| waiting.due);
            state.expires_at().into_iter().chain(will).min()
        };
        let Some(due) = due else { return };
        let mut deadlines = self.deadlines.lock().expect("no holder of this lock panics");
        deadlines.insert((due, session.number), Arc::clone(session));
        drop(deadlines);
        self.shared.deadline.notify_one();
    }

    /// The next deadline of a session.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let deadlines = self.deadlines.lock().expect("no holder of this lock panics");
        deadlines.keys().next().map(|(due, _)| *due)
    }

    /// Ends sessions whose time has come, and returns the wills to publish.
    pub(crate) async fn due(&self) -> Vec<WaitingWill> {
        let now = self.shared.clock.now();
        let mut wills = Vec::new();
        loop {
            let session = {
                let mut deadlines = self.deadlines.lock().expect("no holder of this lock panics");
                match deadlines.first_entry() {
                    Some(first) if first.key().0 <= now => first.remove(),
                    _ => return wills,
                }
            };
            // Whoever has it is about to decide over it.
            let Ok(_guard) = Arc::clone(&session.attached).try_lock_owned() else { continue };
            let (expired, will) = {
                let mut state = session.state();
                let will = state.will.take_if(|waiting| waiting.due <= now);
                (state.expires_at().is_some_and(|at| at <= now), will)
            };
            wills.extend(will);
            if !expired {
                self.set_deadline(&session);
                self.forget_if_ended(&session);
                continue;
            }
            match self.end(&session).await {
                Ok(will) => wills.extend(will),
                Err(error) => {
                    tracing::warn!(client_id = &*session.client_id, error = %Chain(&error), "an expired session was not deleted");
                    let again = self.shared.clock.now() + CLOSE_TIMEOUT;
                    let mut deadlines = self.deadlines.lock().expect("no holder of this lock panics");
                    deadlines.insert((again, session.number), Arc::clone(&session));
                    continue;
                }
            }
            self.forget_if_ended(&session);
        }
    }

    /// The connected clients that have a certificate.
    pub(crate) fn certified(&self) -> Vec<(Arc<Mailbox>, Arc<DeviceIdentity>)> {
        let connected = |session: &Arc<Session>| {
            let mailbox = session.state().mailbox.clone()?;
            let identity = mailbox.identity.clone()?;
            Some((mailbox, identity))
        };
        self.sessions().values().filter_map(connected).collect()
    }
}
