//! A control plane on memory stores, and calls through its table.

use std::sync::Arc;

use kernel::{Context, Entropy, ManualClock, Timestamp};
use ports::{CheckRule, PortError, TopicRule};
use serde_json::Value;
use store::MetaStore;
use store::meta::memory::MemoryMetaStore;
use wire::{Fault, Service};

use crate::{Config, DESCRIPTOR, Iot, OPERATIONS};

/// Finds nothing wrong with any rule: what rules may say is the business of `rules`.
struct AnyRule;

impl CheckRule for AnyRule {
    fn check(&self, _: &Context, _: &TopicRule) -> Result<(), PortError> {
        Ok(())
    }
}

pub(crate) struct Tested {
    pub(crate) iot: Arc<Iot>,
    service: Arc<dyn Service>,
}

pub(crate) fn iot() -> Tested {
    let meta: Arc<dyn MetaStore> = Arc::new(MemoryMetaStore::new());
    let clock = ManualClock::new(Timestamp::from_millis(1_500_000_000_000));
    futures::executor::block_on(iot_on(&meta, &clock))
}

/// One that is started on what another has left.
pub(crate) async fn iot_on(meta: &Arc<dyn MetaStore>, clock: &ManualClock) -> Tested {
    let (clock, entropy) = (Arc::new(clock.clone()), Entropy::seeded(1));
    let master = store::MasterKey::generate(&Entropy::seeded(2));
    let sealer = store::seal::open(meta, &master, &entropy).await.unwrap();
    let iot = Arc::new(Iot::new(Config::default(), meta, Arc::new(AnyRule), sealer, clock, entropy));
    iot.recover().await.unwrap();
    Tested { service: wire::service(&DESCRIPTOR, OPERATIONS, Arc::clone(&iot)), iot }
}

pub(crate) async fn call(tested: &Tested, operation: &str, input: Value) -> Value {
    wire::testing::call(&*tested.service, operation, input).await.unwrap()
}

pub(crate) async fn refused(tested: &Tested, operation: &str, input: Value) -> Fault {
    wire::testing::call(&*tested.service, operation, input).await.unwrap_err()
}
