//! Retained messages: the last message of a topic, for those who subscribe later.
//!
//! 1. Memory has all of them; the store is read at the start only.
//! 2. Publishes change memory in their order, and the store gets what memory has: whoever finds the store free writes everything
//!    that has changed, in one commit, for all who wait.
//! 3. A publish is acknowledged when the store has its message or a later one of its topic.
//!
//! Differs from AWS: they are kept until they are cleared, not three years.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use kernel::metrics::Gauge;
use kernel::{AccountId, Region, Timestamp};
use mqtt::{Message, PublishProperties, Qos};
use serde::{Deserialize, Serialize};
use store::{Batch, CommitError, Entity, Table, entity};

use crate::Error;
use crate::broker::Shared;
use crate::limits::RETAINED_MESSAGES_MAX;
use crate::message::Outbound;

/// A retained message as it is stored. Key: account, region, topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RetainedMessage {
    /// In base64.
    payload: String,
    qos: u8,
    received_at: Timestamp,
    payload_is_utf8: Option<bool>,
    message_expiry_seconds: Option<u32>,
    response_topic: Option<String>,
    /// In base64.
    correlation_data: Option<String>,
    content_type: Option<String>,
    user_properties: Vec<(String, String)>,
}

impl Entity for RetainedMessage {
    const TABLE: &'static str = "iot_retained_message";
    const VERSION: u8 = 1;
}

/// A retained message in memory.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) qos: Qos,
}

/// The retained messages of one account in one region.
pub(crate) struct Retained {
    account: AccountId,
    region: Region,
    shared: Arc<Shared>,
    messages: RwLock<BTreeMap<Arc<str>, Entry>>,
    changes: Arc<Changes>,
    count: Gauge,
}

/// What memory has and the store does not yet.
#[derive(Default)]
struct Changes {
    pending: Mutex<Pending>,
    /// Held by the one that writes.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Pending {
    next: u64,
    /// By key: the change's number, and the value or none to delete.
    changes: HashMap<Vec<u8>, (u64, Option<Bytes>)>,
}

impl Changes {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().expect("no holder of this lock panics")
    }
}

impl Retained {
    pub(crate) fn new(account: &AccountId, region: &Region, shared: Arc<Shared>, count: Gauge) -> Self {
        Self {
            account: account.clone(),
            region: region.clone(),
            shared,
            messages: RwLock::default(),
            changes: Arc::default(),
            count,
        }
    }

    /// Takes in a message that the store has.
    pub(crate) fn recover(&self, topic: &str, stored: &RetainedMessage) {
        let Some(entry) = stored.decode(topic) else { return };
        let mut messages = self.messages.write().unwrap_or_else(PoisonError::into_inner);
        if messages.insert(topic.into(), entry).is_none() {
            self.count.add(1);
        }
    }

    pub(crate) fn get(&self, topic: &str) -> Option<Entry> {
        self.messages.read().unwrap_or_else(PoisonError::into_inner).get(topic).cloned()
    }

    /// Up to `limit` messages of topics after `after`, by topic.
    pub(crate) fn page(&self, after: Option<&str>, limit: usize) -> Vec<Entry> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let messages = self.messages.read().unwrap_or_else(PoisonError::into_inner);
        messages.range::<str, _>((from, Unbounded)).take(limit).map(|(_, entry)| entry.clone()).collect()
    }

    /// Keeps a message in place of its topic's last one; an empty payload clears it. Durable when the future resolves.
    ///
    /// # Errors
    /// `ThrottlingException` when there are as many as there may be.
    pub(crate) fn set(
        &self,
        outbound: &Arc<Outbound>,
        qos: Qos,
    ) -> Result<BoxFuture<'static, Result<(), Error>>, Error> {
        let topic = &outbound.message.topic;
        let key = Table::<RetainedMessage>::key(&[self.account.as_str(), self.region.as_str(), topic]);
        let clears = outbound.message.payload.is_empty();
        let stored = (!clears).then(|| Bytes::from(entity::encode(&RetainedMessage::encode(outbound, qos))));
        let mut messages = self.messages.write().unwrap_or_else(PoisonError::into_inner);
        let exists = messages.contains_key(topic);
        if clears && !exists {
            return Ok(futures::future::ready(Ok(())).boxed());
        }
        if clears {
            messages.remove(topic);
        } else if !exists && messages.len() >= RETAINED_MESSAGES_MAX {
            return Err(Error::Throttling(
                "The account has as many retained messages as it may have.".into(),
            ));
        } else {
            messages.insert(Arc::clone(topic), Entry { outbound: Arc::clone(outbound), qos });
        }
        let delta = i64::from(!clears) - i64::from(exists);
        self.count.add(delta);
        // Under the lock of the messages, so that both have the same order.
        let number = {
            let mut pending = self.changes.pending();
            pending.next += 1;
            let number = pending.next;
            pending.changes.insert(key.clone(), (number, stored));
            number
        };
        drop(messages);
        Ok(write(Arc::clone(&self.changes), Arc::clone(&self.shared), key, number).boxed())
    }
}

/// Resolves when the change `number` of `key`, or a later one, is in the store.
async fn write(changes: Arc<Changes>, shared: Arc<Shared>, key: Vec<u8>, number: u64) -> Result<(), Error> {
    let _writing = changes.writing.lock().await;
    let all = {
        let pending = changes.pending();
        if pending.changes.get(&key).is_none_or(|(newest, _)| *newest < number) {
            return Ok(());
        }
        pending.changes.clone()
    };
    let batch = Batch {
        changes: all.iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect(),
        ..Batch::default()
    };
    match shared.meta.commit(batch).await {
        Ok(_) => {
            let mut pending = changes.pending();
            for (key, (written, _)) in all {
                if pending.changes.get(&key).is_some_and(|(newest, _)| *newest == written) {
                    pending.changes.remove(&key);
                }
            }
            Ok(())
        }
        Err(CommitError::Store(error)) => Err(error.into()),
        Err(error @ CommitError::Conflict { .. }) => Err(Error::internal(error)),
    }
}

impl RetainedMessage {
    fn encode(outbound: &Outbound, qos: Qos) -> Self {
        let message = &outbound.message;
        let properties = &message.properties;
        Self {
            payload: STANDARD.encode(&message.payload),
            qos: qos as u8,
            received_at: outbound.received_at,
            payload_is_utf8: properties.payload_is_utf8,
            message_expiry_seconds: properties.message_expiry_seconds,
            response_topic: properties.response_topic.clone(),
            correlation_data: properties.correlation_data.as_ref().map(|bytes| STANDARD.encode(bytes)),
            content_type: properties.content_type.clone(),
            user_properties: properties.user_properties.clone(),
        }
    }

    /// None for what no release has written.
    fn decode(&self, topic: &str) -> Option<Entry> {
        let correlation_data = match &self.correlation_data {
            Some(text) => Some(Bytes::from(STANDARD.decode(text).ok()?)),
            None => None,
        };
        let message = Message {
            topic: topic.into(),
            payload: STANDARD.decode(&self.payload).ok()?.into(),
            properties: PublishProperties {
                payload_is_utf8: self.payload_is_utf8,
                message_expiry_seconds: self.message_expiry_seconds,
                response_topic: self.response_topic.clone(),
                correlation_data,
                user_properties: self.user_properties.clone(),
                content_type: self.content_type.clone(),
                ..PublishProperties::default()
            },
        };
        let outbound = Arc::new(Outbound { message, received_at: self.received_at });
        Some(Entry { outbound, qos: Qos::from_byte(self.qos)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_of_a_stored_message_is_read() {
        let stored = b"\x01{\"payload\":\"aGk=\",\"qos\":1,\"received_at\":5,\"payload_is_utf8\":true,\"message_expiry_seconds\":null,\"response_topic\":null,\"correlation_data\":\"Yw==\",\"content_type\":\"x/y\",\"user_properties\":[[\"k\",\"v\"]]}";
        let decoded: RetainedMessage = entity::decode(stored).unwrap();
        let entry = decoded.decode("a").unwrap();
        assert_eq!(entry.outbound.message.payload, "hi");
        assert_eq!(RetainedMessage::encode(&entry.outbound, entry.qos), decoded);
    }
}
