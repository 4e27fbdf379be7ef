//! The same on the stores of a real directory: closed in the middle and opened anew.

use std::path::Path;
use std::sync::Arc;

use kernel::{Clock, Entropy, ManualClock, Metrics};
use node::Stores;
use store::log::segment::{self, SegmentLog};
use store::meta::local::LocalMetaStore;
use testkit::{Sandbox, Setup};

use crate::lake::{self, deliver, once, seen, stored};

fn open(directory: &Path, clock: &ManualClock, seed: u64) -> Stores {
    let time: Arc<dyn Clock> = Arc::new(clock.clone());
    let config = segment::Config::default();
    let log =
        SegmentLog::open(&directory.join("log"), config, time, Entropy::seeded(seed), &Metrics::default());
    Stores {
        meta: Arc::new(LocalMetaStore::open(&directory.join("meta")).expect("the metadata opens")),
        log: Arc::new(log.expect("the log opens")),
        blobs: store::blob::local(&directory.join("blobs")).expect("the objects open"),
    }
}

#[tokio::test]
async fn ten_thousand_messages_survive_a_kill_on_a_disk() {
    let directory = tempfile::tempdir().expect("a directory");
    let usual = lake::setup();
    let clock = usual.clock.clone();
    let stores = open(directory.path(), &clock, 1);
    let mut sandbox = Sandbox::with(Setup { stores, ..usual }).await;
    lake::build(&sandbox).await;
    for part in 0..4 {
        lake::publish_all(&sandbox, part * 2500..(part + 1) * 2500).await;
        sandbox.crash_into(|| open(directory.path(), &clock, part + 2)).await;
        let totals = "SELECT count(*), count(DISTINCT n), max(n) FROM numbers";
        let count = ((part + 1) * 2500).to_string();
        let last = ((part + 1) * 2500 - 1).to_string();
        assert_eq!(sandbox.sql(totals).await.values(), [[count.as_str(), count.as_str(), last.as_str()]]);
        if part == 1 {
            deliver(&sandbox).await;
        }
    }
    deliver(&sandbox).await;
    assert_eq!(stored(&sandbox).await, once(0..10_000));
    assert_eq!(seen(&sandbox).await, once(0..10_000));
}
