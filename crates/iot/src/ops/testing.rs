//! A control plane on memory stores, and calls through its table.

use std::sync::Arc;

use kernel::{Entropy, ManualClock, Timestamp};
use ports::{CheckRule, PortError, TopicRule};
use serde_json::Value;
use store::MetaStore;
use store::meta::memory::MemoryMetaStore;
use wire::{Fault, Service};

use crate::{Config, DESCRIPTOR, Iot, OPERATIONS};

/// Finds nothing wrong with any rule: what rules may say is the business of `rules`.
struct AnyRule;

impl CheckRule for AnyRule {
    fn check(&self, _: &TopicRule) -> Result<(), PortError> {
        Ok(())
    }
}

pub(crate) struct Tested {
    pub(crate) iot: Arc<Iot>,
    service: Arc<dyn Service>,
}

pub(crate) fn iot() -> Tested {
    let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_500_000_000_000)));
    let iot = Arc::new(Iot::new(Config::default(), &meta, Arc::new(AnyRule), clock, Entropy::seeded(1)));
    futures::executor::block_on(iot.recover()).unwrap();
    Tested { service: wire::service(&DESCRIPTOR, OPERATIONS, Arc::clone(&iot)), iot }
}

pub(crate) async fn call(tested: &Tested, operation: &str, input: Value) -> Value {
    wire::testing::call(&*tested.service, operation, input).await.unwrap()
}

pub(crate) async fn refused(tested: &Tested, operation: &str, input: Value) -> Fault {
    wire::testing::call(&*tested.service, operation, input).await.unwrap_err()
}
