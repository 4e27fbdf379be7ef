//! The router: which subscribers get a message.
//!
//! 1. A session gets a message once, at the highest QoS of its subscriptions that match.
//! 2. Of the sessions that share a subscription one gets it: any that is connected, or else any that keeps messages.
//! 3. The lock is held to look up or to change, never while delivering.
//!
//! Differs from AWS: a shared subscription has no queue of its own. While no member is connected its QoS 1 messages go to the
//! queues of members with persistent sessions, each message to one.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use kernel::Entropy;
use mqtt::{MultiLevel, Qos, SubscriptionOptions, TopicFilter, TopicTrie};

use crate::session::Session;

/// A subscription among those of one filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    session: u64,
    /// The whole filter, if it is shared.
    group: Option<Arc<str>>,
}

struct Entry {
    session: Arc<Session>,
    options: SubscriptionOptions,
}

/// Who gets a message, and how.
pub(crate) struct Recipient {
    pub(crate) session: Arc<Session>,
    pub(crate) qos: Qos,
    pub(crate) retain_as_published: bool,
}

/// See the file's header.
pub(crate) struct Router {
    trie: RwLock<TopicTrie<Key, Entry>>,
}

impl Router {
    pub(crate) fn new() -> Self {
        Self { trie: RwLock::new(TopicTrie::new(MultiLevel::Children)) }
    }

    /// Adds a subscription, or replaces its options. Whether it is new.
    pub(crate) fn insert(
        &self,
        filter: &TopicFilter,
        session: &Arc<Session>,
        options: SubscriptionOptions,
    ) -> bool {
        let mut trie = self.trie.write().unwrap_or_else(PoisonError::into_inner);
        trie.insert(filter, key(filter, session), Entry { session: Arc::clone(session), options }).is_none()
    }

    pub(crate) fn remove(&self, filter: &TopicFilter, session: &Session) {
        self.trie.write().unwrap_or_else(PoisonError::into_inner).remove(filter, &key(filter, session));
    }

    /// Everyone who gets a message of `publisher` to `topic`.
    pub(crate) fn recipients(
        &self,
        topic: &str,
        publisher: Option<u64>,
        entropy: &Entropy,
    ) -> Vec<Recipient> {
        let mut found: Vec<Recipient> = Vec::new();
        let mut groups: BTreeMap<Arc<str>, Vec<Recipient>> = BTreeMap::new();
        let trie = self.trie.read().unwrap_or_else(PoisonError::into_inner);
        trie.matches(topic, |key, entry| {
            if entry.options.no_local && publisher == Some(key.session) {
                return;
            }
            let recipient = Recipient {
                session: Arc::clone(&entry.session),
                qos: entry.options.qos,
                retain_as_published: entry.options.retain_as_published,
            };
            match &key.group {
                Some(group) => groups.entry(Arc::clone(group)).or_default().push(recipient),
                None => found.push(recipient),
            }
        });
        drop(trie);
        found.extend(groups.into_values().filter_map(|members| choose(members, entropy)));
        if found.len() > 1 {
            found.sort_by_key(|recipient| recipient.session.number);
            found.dedup_by(|later, kept| {
                let same = later.session.number == kept.session.number;
                if same && later.qos > kept.qos {
                    kept.qos = later.qos;
                    kept.retain_as_published = later.retain_as_published;
                }
                same
            });
        }
        found
    }
}

fn key(filter: &TopicFilter, session: &Session) -> Key {
    Key { session: session.number, group: filter.share_name().map(|_| filter.as_str().into()) }
}

fn choose(mut members: Vec<Recipient>, entropy: &Entropy) -> Option<Recipient> {
    if members.iter().any(|member| member.session.is_connected()) {
        members.retain(|member| member.session.is_connected());
    } else {
        members.retain(|member| member.session.is_persistent());
    }
    if members.is_empty() {
        return None;
    }
    let chosen = entropy.below(members.len() as u64);
    Some(members.swap_remove(usize::try_from(chosen).unwrap_or_default()))
}
