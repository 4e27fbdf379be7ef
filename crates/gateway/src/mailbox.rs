//! What others leave for a connection: messages to deliver, and that it must end or look at its certificate again.
//!
//! 1. It is bounded in messages and bytes; a message that does not fit is dropped and counted, never waited for: a slow
//!    subscriber holds up no publisher.
//! 2. One connection reads it; it is woken once for whatever has gathered.
//!
//! Differs from AWS: a subscriber without a persistent session that is this far behind loses QoS 1 messages at once; AWS tries
//! for an hour.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use mqtt::{Qos, ReasonCode};
use ports::DeviceIdentity;
use tokio::sync::Notify;

use crate::limits::{MAILBOX_BYTES_MAX, MAILBOX_MESSAGES_MAX};
use crate::message::Outbound;

/// A message for one subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
}

/// See the file's header.
pub(crate) struct Mailbox {
    /// The certificate of the connection, as it was when it was accepted.
    pub(crate) identity: Option<Arc<DeviceIdentity>>,
    inner: Mutex<Inner>,
    wake: Notify,
}

#[derive(Default)]
struct Inner {
    items: VecDeque<Item>,
    bytes: usize,
    close: Option<ReasonCode>,
    recheck: bool,
}

/// What a connection must do besides delivering.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Orders {
    pub(crate) close: Option<ReasonCode>,
    pub(crate) recheck: bool,
}

impl Mailbox {
    pub(crate) fn new(identity: Option<Arc<DeviceIdentity>>) -> Self {
        Self { identity, inner: Mutex::default(), wake: Notify::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of this lock panics")
    }

    /// Leaves a message; false if there is no room.
    pub(crate) fn push(&self, item: Item) -> bool {
        let bytes = size(&item);
        let mut inner = self.inner();
        if inner.items.len() >= MAILBOX_MESSAGES_MAX || inner.bytes + bytes > MAILBOX_BYTES_MAX {
            return false;
        }
        inner.bytes += bytes;
        inner.items.push_back(item);
        let first = inner.items.len() == 1;
        drop(inner);
        if first {
            self.wake.notify_one();
        }
        true
    }

    /// Takes the oldest message.
    pub(crate) fn pop(&self) -> Option<Item> {
        let mut inner = self.inner();
        let item = inner.items.pop_front()?;
        inner.bytes -= size(&item);
        Some(item)
    }

    /// Puts back what [`Mailbox::pop`] gave and the client cannot take yet.
    pub(crate) fn put_back(&self, item: Item) {
        let mut inner = self.inner();
        inner.bytes += size(&item);
        inner.items.push_front(item);
    }

    /// Ends the connection.
    pub(crate) fn close(&self, reason: ReasonCode) {
        self.inner().close.get_or_insert(reason);
        self.wake.notify_one();
    }

    /// Has the connection look at its certificate again.
    pub(crate) fn recheck(&self) {
        self.inner().recheck = true;
        self.wake.notify_one();
    }

    /// Takes what was ordered.
    pub(crate) fn orders(&self) -> Orders {
        let mut inner = self.inner();
        Orders { close: inner.close.take(), recheck: std::mem::take(&mut inner.recheck) }
    }

    /// Completes when something was left since the last time.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }
}

fn size(item: &Item) -> usize {
    item.outbound.message.payload.len() + item.outbound.message.topic.len()
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;
    use mqtt::Message;

    use super::*;

    fn item(bytes: usize) -> Item {
        let message = Message::new("t", vec![0; bytes]);
        let outbound = Arc::new(Outbound { message, received_at: Timestamp::EPOCH });
        Item { outbound, qos: Qos::AtMostOnce, retain: false }
    }

    #[test]
    fn it_is_bounded_in_messages_and_in_bytes() {
        let mailbox = Mailbox::new(None);
        for _ in 0..MAILBOX_MESSAGES_MAX {
            assert!(mailbox.push(item(1)));
        }
        assert!(!mailbox.push(item(1)));
        while mailbox.pop().is_some() {}
        for _ in 0..MAILBOX_BYTES_MAX / (1 << 16) - 1 {
            assert!(mailbox.push(item(1 << 16)));
        }
        assert!(mailbox.push(item(1 << 15)));
        assert!(!mailbox.push(item(1 << 16)));
        let first = mailbox.pop().unwrap();
        mailbox.put_back(first);
        assert!(!mailbox.push(item(1 << 16)));
    }

    #[test]
    fn orders_are_taken_once_and_the_first_reason_stands() {
        let mailbox = Mailbox::new(None);
        mailbox.close(ReasonCode::SessionTakenOver);
        mailbox.close(ReasonCode::ServerShuttingDown);
        mailbox.recheck();
        assert_eq!(mailbox.orders(), Orders { close: Some(ReasonCode::SessionTakenOver), recheck: true });
        assert_eq!(mailbox.orders(), Orders::default());
    }
}
