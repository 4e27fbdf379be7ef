//! The delivery streams in memory: what intake, delivery and hot read see. A cache of the store's table, kept by recovery, by
//! the operations, and by the reconciler for what those were kept from telling.
//!
//! 1. An entry is replaced only by a later revision of the same incarnation, or by a later incarnation.
//! 2. An entry is removed only when the store was seen without it at its revision or later.
//! 3. A stream that was removed stays marked as deleted, and its pump ends.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};

use kernel::{AccountId, Arn, Metrics, Region};
use store::table::Stored;
use store::{LogId, Revision};
use tokio::sync::watch;

use crate::allowed::Allowed;
use crate::delivery::DeliveryIntent;
use crate::delivery_stream::{DeliveryStream, Target};
use crate::error::Error;
use crate::metrics::{self, Cells};

/// One incarnation of a stream.
pub(crate) struct Stream {
    pub(crate) name: String,
    pub(crate) arn: Arn,
    pub(crate) generation: String,
    pub(crate) log: LogId,
    pub(crate) cells: Cells,
    /// Roles that may put records.
    pub(crate) allowed: Allowed,
    /// Whether a pump was started.
    pub(crate) pumped: AtomicBool,
    state: watch::Sender<Arc<State>>,
    delivering: Mutex<Option<Arc<DeliveryIntent>>>,
}

/// What updates change.
pub(crate) struct State {
    pub(crate) stored: Stored<DeliveryStream>,
    pub(crate) target: Target,
    pub(crate) deleted: bool,
}

impl Stream {
    fn new(stored: Stored<DeliveryStream>, target: Target, metrics: &Metrics) -> Self {
        let entity = &stored.entity;
        Self {
            name: entity.name.clone(),
            arn: entity.arn(),
            generation: entity.generation.clone(),
            log: entity.log(),
            cells: Cells::new(metrics, &entity.parts()),
            allowed: Allowed::default(),
            pumped: AtomicBool::new(false),
            state: watch::Sender::new(Arc::new(State { stored, target, deleted: false })),
            delivering: Mutex::default(),
        }
    }

    /// The stream as it is now.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.borrow())
    }

    /// Changes with every update, and when the stream is deleted.
    pub(crate) fn changes(&self) -> watch::Receiver<Arc<State>> {
        self.state.subscribe()
    }

    /// The delivery under way.
    pub(crate) fn delivering(&self) -> Option<Arc<DeliveryIntent>> {
        self.delivering.lock().expect("no holder of this lock panics").clone()
    }

    pub(crate) fn set_delivering(&self, intent: Option<Arc<DeliveryIntent>>) {
        *self.delivering.lock().expect("no holder of this lock panics") = intent;
    }

    fn mark_deleted(&self) {
        self.state.send_modify(|state| {
            let State { stored, target, .. } = &**state;
            *state = Arc::new(State { stored: stored.clone(), target: target.clone(), deleted: true });
        });
    }
}

type Scope = (AccountId, Region);

/// Every stream of the node.
#[derive(Default)]
pub(crate) struct Registry {
    scopes: RwLock<HashMap<Scope, BTreeMap<String, Arc<Stream>>>>,
}

impl Registry {
    /// The stream of this name.
    pub(crate) fn get(&self, account: &AccountId, region: &Region, name: &str) -> Option<Arc<Stream>> {
        let scope = (account.clone(), region.clone());
        self.scopes.read().expect("no holder of this lock panics").get(&scope)?.get(name).cloned()
    }

    /// How many streams an account has in a region.
    pub(crate) fn count(&self, account: &AccountId, region: &Region) -> usize {
        let scope = (account.clone(), region.clone());
        self.scopes.read().expect("no holder of this lock panics").get(&scope).map_or(0, BTreeMap::len)
    }

    /// Up to `limit` names greater than `after`, in order.
    pub(crate) fn names(
        &self,
        account: &AccountId,
        region: &Region,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<String> {
        use std::ops::Bound;
        let scope = (account.clone(), region.clone());
        let scopes = self.scopes.read().expect("no holder of this lock panics");
        let Some(streams) = scopes.get(&scope) else { return Vec::new() };
        let lower = after.map_or(Bound::Unbounded, Bound::Excluded);
        streams.range::<str, _>((lower, Bound::Unbounded)).take(limit).map(|(name, _)| name.clone()).collect()
    }

    /// Every stream of an account, in all regions.
    pub(crate) fn of_account(&self, account: &AccountId) -> Vec<Arc<Stream>> {
        let scopes = self.scopes.read().expect("no holder of this lock panics");
        let own = scopes.iter().filter(|((owner, _), _)| owner == account);
        own.flat_map(|(_, streams)| streams.values().cloned()).collect()
    }

    /// Every stream.
    pub(crate) fn all(&self) -> Vec<Arc<Stream>> {
        let scopes = self.scopes.read().expect("no holder of this lock panics");
        scopes.values().flat_map(BTreeMap::values).cloned().collect()
    }

    /// Takes in what the store holds, unless something later is known. Returns the stream's entry.
    ///
    /// # Errors
    /// When the stored destination does not parse, which no release has written.
    pub(crate) fn publish(
        &self,
        stored: Stored<DeliveryStream>,
        metrics: &Metrics,
    ) -> Result<Arc<Stream>, Error> {
        let target = Target::of(&stored.entity)?;
        let scope = (stored.entity.account.clone(), stored.entity.region.clone());
        let mut scopes = self.scopes.write().expect("no holder of this lock panics");
        let streams = scopes.entry(scope).or_default();
        if let Some(known) = streams.get(&stored.entity.name) {
            let state = known.state();
            if state.stored.revision >= stored.revision {
                return Ok(Arc::clone(known));
            }
            if known.generation == stored.entity.generation {
                known.state.send_replace(Arc::new(State { stored, target, deleted: false }));
                return Ok(Arc::clone(known));
            }
            known.mark_deleted();
        }
        let stream = Arc::new(Stream::new(stored, target, metrics));
        streams.insert(stream.name.clone(), Arc::clone(&stream));
        Ok(stream)
    }

    /// Removes a stream that the store does not have at `seen_at`, unless it was written after that. Returns it.
    pub(crate) fn remove(
        &self,
        (account, region, name): (&AccountId, &Region, &str),
        seen_at: Revision,
        metrics: &Metrics,
    ) -> Option<Arc<Stream>> {
        let mut scopes = self.scopes.write().expect("no holder of this lock panics");
        let streams = scopes.get_mut(&(account.clone(), region.clone()))?;
        let known = streams.get(name)?;
        if known.state().stored.revision > seen_at {
            return None;
        }
        let removed = streams.remove(name)?;
        removed.mark_deleted();
        metrics::forget(metrics, &[account.as_str(), region.as_str(), name]);
        Some(removed)
    }
}
