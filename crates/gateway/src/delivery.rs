//! What a connection sends its client: messages from its mailbox, and from the queue of its session.
//!
//! 1. The queue is read from where it was trimmed last, so whatever a client did not acknowledge comes again, in order and before
//!    anything newer.
//! 2. It is trimmed up to the oldest message in flight, now and then; what is lost of that by a crash is sent twice.
//! 3. iot:Receive is asked for each message. One that is not allowed, has expired, or is too large for the client, is dropped.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::future::{self, BoxFuture, OptionFuture};
use kernel::Timestamp;
use mqtt::{Delivered, Outgoing, Qos, Session};
use store::{CommitLog, LogError, LogId, Offset, Record};
use tokio::sync::watch;

use crate::authorize::{Action, Permissions};
use crate::limits::{QUEUE_READ_BYTES, TRIM_EVERY};
use crate::mailbox::{Item, Mailbox};
use crate::message::{self, Outbound};
use crate::metrics::Cells;

/// The queue of a persistent session, as its connection reads it.
pub(crate) struct QueueReader {
    id: LogId,
    log: Arc<dyn CommitLog>,
    changed: watch::Receiver<Offset>,
    /// Read and not sent yet.
    records: VecDeque<Record>,
    /// What to read next.
    next: Offset,
    trimmed: Offset,
    trimming: Option<BoxFuture<'static, Result<(), LogError>>>,
}

/// What a connection delivers with.
pub(crate) struct Deliverer<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) permissions: &'a mut Permissions,
    pub(crate) cells: &'a Cells,
    pub(crate) now: Timestamp,
}

impl Deliverer<'_> {
    /// Sends what is in the mailbox, as far as the client takes it.
    pub(crate) fn mailbox(&mut self, mailbox: &Mailbox) {
        while let Some(item) = mailbox.pop() {
            // Tokens of a session without a queue mean nothing.
            if self.send(&item, 0) == Delivered::Blocked {
                mailbox.put_back(item);
                return;
            }
        }
    }

    /// Sends what is in the queue, as far as the client takes it.
    pub(crate) async fn queue(&mut self, queue: &mut QueueReader) {
        while let Some(record) = queue.front().await {
            let delivered = match message::decode_record(&record.payload) {
                Some((message, retain)) => {
                    let outbound = Arc::new(Outbound { message, received_at: record.appended_at });
                    self.send(&Item { outbound, qos: Qos::AtLeastOnce, retain }, record.offset.0)
                }
                None => {
                    tracing::error!(log = %queue.id, offset = record.offset.0, "a queued message does not decode");
                    Delivered::TooLarge
                }
            };
            if delivered == Delivered::Blocked {
                return;
            }
            queue.records.pop_front();
        }
    }

    fn send(&mut self, item: &Item, token: u64) -> Delivered {
        let outbound = &item.outbound;
        if outbound.is_expired(self.now) {
            self.cells.dropped_expired.add(1);
            return Delivered::TooLarge;
        }
        if !self.permissions.allows(Action::Receive, &outbound.message.topic) {
            if !self.permissions.is_active() {
                // The connection is about to end; the message is not the certificate's to lose.
                return Delivered::Blocked;
            }
            self.cells.dropped_denied.add(1);
            return Delivered::TooLarge;
        }
        let delivered = self.session.deliver(Outgoing {
            message: &outbound.message,
            qos: item.qos,
            retain: item.retain,
            waited_seconds: outbound.waited_seconds(self.now),
            token,
        });
        match delivered {
            Delivered::Sent | Delivered::InFlight => self.cells.publish_out(item.qos).add(1),
            Delivered::TooLarge => self.cells.dropped_too_large.add(1),
            Delivered::Blocked => {}
        }
        delivered
    }
}

impl QueueReader {
    pub(crate) fn new(log: Arc<dyn CommitLog>, id: LogId) -> Self {
        let changed = log.changed(&id);
        let first = log.bounds(&id).first;
        Self { id, log, changed, records: VecDeque::new(), next: first, trimmed: first, trimming: None }
    }

    /// The oldest record that was not sent.
    async fn front(&mut self) -> Option<Record> {
        if self.records.is_empty() {
            self.read().await;
        }
        self.records.front().cloned()
    }

    async fn read(&mut self) {
        // Before the look at the end, so that what comes after it wakes us.
        self.changed.borrow_and_update();
        if self.log.bounds(&self.id).next <= self.next {
            return;
        }
        match self.log.read(&self.id, self.next, QUEUE_READ_BYTES).await {
            Ok(records) => {
                if let Some(last) = records.last() {
                    self.next = Offset(last.offset.0 + 1);
                }
                self.records = records.into();
            }
            Err(error) => {
                tracing::error!(log = %self.id, %error, "a session's queue cannot be read");
                if let LogError::Damaged { offset, .. } = error {
                    // One message is lost; the session goes on with the next.
                    self.next = Offset(offset.0 + 1);
                }
            }
        }
    }

    /// Every record before this one has been acknowledged or dropped.
    fn floor(&self, session: &Session) -> Offset {
        let unsent = self.records.front().map_or(self.next, |record| record.offset);
        session.unacked().next().map_or(unsent, Offset)
    }

    /// Begins to trim, if it is worth it and none is under way.
    pub(crate) fn trim(&mut self, session: &Session) {
        let floor = self.floor(session);
        let gained = floor.0.saturating_sub(self.trimmed.0);
        let idle = session.unacked().next().is_none();
        if self.trimming.is_none() && (gained >= TRIM_EVERY || (gained > 0 && idle)) {
            self.trimmed = floor;
            self.trimming = Some(self.log.trim(&self.id, floor));
        }
    }

    /// Trims everything that can be, and waits for it.
    pub(crate) async fn finish(&mut self, session: &Session) {
        let floor = self.floor(session);
        if let Some(trimming) = self.trimming.take() {
            let trimmed = trimming.await;
            self.trimmed(trimmed);
        }
        if floor > self.trimmed {
            self.trimmed = floor;
            let trimmed = self.log.trim(&self.id, floor).await;
            self.trimmed(trimmed);
        }
    }

    fn trimmed(&self, result: Result<(), LogError>) {
        if let Err(error) = result {
            // What was acknowledged is sent again after the next connect.
            tracing::warn!(log = %self.id, %error, "a session's queue was not trimmed");
        }
    }

    /// Completes when there is something to do: a new record, or a trim that has ended.
    pub(crate) async fn woken(&mut self) {
        let trimming = OptionFuture::from(self.trimming.as_mut());
        let result = tokio::select! {
            Some(result) = trimming => result,
            changed = self.changed.changed() => match changed {
                Ok(()) => return,
                // The log is gone, and the node with it.
                Err(_) => return future::pending().await,
            },
        };
        self.trimming = None;
        self.trimmed(result);
    }
}
