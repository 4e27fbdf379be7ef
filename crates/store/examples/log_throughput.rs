//! Prints what the log on segments does on this disk: durable records per second by batch size and by number of writers, the
//! speed of reads from memory and from disk, and what opening takes. Beside it, the metadata store's reads and commits.
//!
//! `cargo run -p store --example log_throughput [DIRECTORY]`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::future::join_all;
use kernel::{Entropy, Metrics, SystemClock};
use store::log::segment::{Config, SegmentLog};
use store::meta::local::LocalMetaStore;
use store::{Batch, CommitLog, LogId, MetaStore, Offset, metrics};

const RECORD_BYTES: usize = 1024;

fn open(directory: &Path, metrics: &Metrics) -> SegmentLog {
    SegmentLog::open(directory, Config::default(), Arc::new(SystemClock), Entropy::from_os(), metrics)
        .expect("the log opens")
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "figures are what this program is for")]
async fn main() {
    let directory = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = directory.join(format!("log_throughput.{}", std::process::id()));
    std::fs::create_dir(&directory).expect("the directory is writable");
    let metrics = Metrics::default();
    let begun = Instant::now();
    let log = open(&directory.join("log"), &metrics);
    println!("open, empty: {:?}", begun.elapsed());
    let name = LogId::new("bench", &[]);
    let commits = metrics.counter(&metrics::LOG_COMMITS, &[]);
    let micros = metrics.counter(&metrics::LOG_COMMIT_MICROS, &[]);
    for (writers, batch, rounds) in
        [(1, 1, 500), (64, 1, 200), (1024, 1, 30), (1, 256, 150), (16, 256, 30), (4, 1024, 30)]
    {
        let records = vec![Bytes::from(vec![7; RECORD_BYTES]); batch];
        let (commits_before, micros_before) = (commits.value(), micros.value());
        let begun = Instant::now();
        for _ in 0..rounds {
            for appended in join_all((0..writers).map(|_| log.append(&name, records.clone()))).await {
                appended.expect("an append");
            }
        }
        let elapsed = begun.elapsed();
        let count = writers * batch * rounds;
        let commits = (commits.value() - commits_before).max(1);
        println!(
            "append: {writers:4} writers of {batch:4} x 1 KiB: {:9.0} records/s, {commits} commits of {:.2} ms each",
            count as f64 / elapsed.as_secs_f64(),
            (micros.value() - micros_before) as f64 / commits as f64 / 1000.0,
        );
    }
    let next = log.bounds(&name).next.0;
    for (what, from) in [("memory", next - 8 * 1024), ("disk", 0)] {
        let begun = Instant::now();
        let found = log.read(&name, Offset(from), 8 << 20).await.expect("a read");
        let elapsed = begun.elapsed();
        println!("read from {what}: {} records in {elapsed:?}", found.len());
    }
    drop(log);
    let begun = Instant::now();
    let log = open(&directory.join("log"), &Metrics::default());
    println!("open with {} records of 1 KiB: {:?}", log.bounds(&name).next.0, begun.elapsed());
    drop(log);

    let store = LocalMetaStore::open(&directory.join("meta.sqlite")).expect("the store opens");
    let begun = Instant::now();
    for n in 0..200 {
        let batch = Batch::default().put(format!("key {n}"), vec![b'x'; 300]);
        store.commit(batch).await.expect("a commit");
    }
    println!("meta: one commit after the other: {:?} each", begun.elapsed() / 200);
    let begun = Instant::now();
    join_all((0..2000).map(|n| store.commit(Batch::default().put(format!("key {n}"), vec![b'x'; 300]))))
        .await;
    println!("meta: 2000 commits at once: {:?} each", begun.elapsed() / 2000);
    let begun = Instant::now();
    for n in 0..2000 {
        store.get(format!("key {n}").as_bytes()).await.expect("a read");
    }
    println!("meta: get: {:?} each", begun.elapsed() / 2000);
    let begun = Instant::now();
    for _ in 0..20 {
        store.scan(b"key", None, 1000).await.expect("a scan");
    }
    println!("meta: scan of 1000: {:?} each", begun.elapsed() / 20);
    drop(store);
    std::fs::remove_dir_all(&directory).expect("what was written can be removed");
}
