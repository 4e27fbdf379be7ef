//! The log on segments: its contract on real files, and what happens when power, disk or bits fail.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use kernel::{Entropy, Metrics, SystemClock};
use proptest::prelude::*;
use tempfile::TempDir;

use super::disk::Disk;
use super::file::{Header, HeaderRead};
use super::frame::{self, Generation, Item, Kind, Scan};
use super::{Config, OpenError, SegmentLog};
use crate::conformance::log::{Harness, Step, agrees_with_memory, failures};
use crate::fault::SimDisk;
use crate::log::{Bounds, CommitLog, LogError, LogId, Offset, Record};
use crate::metrics;

fn small() -> Config {
    Config {
        segment_bytes: 64 << 10,
        log_bytes_max: 16 << 20,
        queue_bytes_max: 1 << 20,
        cache_bytes_max: 4 << 10,
    }
}

fn large() -> Config {
    Config {
        segment_bytes: 4 << 20,
        log_bytes_max: 64 << 20,
        queue_bytes_max: 4 << 20,
        cache_bytes_max: 1 << 20,
    }
}

fn open(disk: &SimDisk, config: Config) -> SegmentLog {
    let disk = Arc::new(disk.clone());
    SegmentLog::open_on(disk, config, Arc::new(SystemClock), Entropy::seeded(1), &Metrics::default()).unwrap()
}

fn id(name: &str) -> LogId {
    LogId::from_name(name)
}

async fn all(log: &dyn CommitLog, name: &LogId) -> Vec<Record> {
    log.read(name, Offset(0), usize::MAX).await.unwrap()
}

/// On real files; a crash is a drop.
struct OnFiles {
    directory: TempDir,
    log: Option<SegmentLog>,
}

impl OnFiles {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = Some(Self::open(&directory));
        Self { directory, log }
    }

    fn open(directory: &TempDir) -> SegmentLog {
        let path = directory.path().join("log");
        SegmentLog::open(&path, large(), Arc::new(SystemClock), Entropy::from_os(), &Metrics::default())
            .unwrap()
    }
}

impl Harness for OnFiles {
    fn log(&self) -> &dyn CommitLog {
        self.log.as_ref().unwrap()
    }

    fn reopen(&mut self) -> BoxFuture<'_, ()> {
        self.log = None;
        self.log = Some(Self::open(&self.directory));
        std::future::ready(()).boxed()
    }
}

/// On a disk whose power is cut: whatever was not synced may be gone.
struct OnSim {
    disk: SimDisk,
    config: Config,
    chance: Entropy,
    log: Option<SegmentLog>,
}

impl OnSim {
    fn new(config: Config, seed: u64) -> Self {
        Self::on(SimDisk::new(), config, seed)
    }

    fn on(disk: SimDisk, config: Config, seed: u64) -> Self {
        let log = Some(open(&disk, config.clone()));
        Self { disk, config, chance: Entropy::seeded(seed), log }
    }
}

impl Harness for OnSim {
    fn log(&self) -> &dyn CommitLog {
        self.log.as_ref().unwrap()
    }

    fn reopen(&mut self) -> BoxFuture<'_, ()> {
        // The image is taken while the log is still at work.
        self.disk = self.disk.after_power_cut(&self.chance);
        self.log = None;
        self.log = Some(open(&self.disk, self.config.clone()));
        std::future::ready(()).boxed()
    }
}

#[tokio::test]
async fn it_keeps_the_contract_on_files() {
    assert_eq!(failures(OnFiles::new).await, [""; 0]);
}

#[tokio::test]
async fn it_keeps_the_contract_when_every_crash_is_a_power_cut() {
    assert_eq!(failures(|| OnSim::new(large(), 5)).await, [""; 0]);
}

/// A log that is broken in one way.
struct Broken {
    inner: OnSim,
    how: How,
}

#[derive(Clone, Copy)]
enum How {
    SyncsNothing,
    Reorders,
    ForgetsToTrim,
    ReusesOffsets,
}

impl Harness for Broken {
    fn log(&self) -> &dyn CommitLog {
        self
    }

    fn reopen(&mut self) -> BoxFuture<'_, ()> {
        self.inner.reopen()
    }
}

impl CommitLog for Broken {
    fn append(&self, log: &LogId, mut records: Vec<Bytes>) -> BoxFuture<'static, Result<Offset, LogError>> {
        if matches!(self.how, How::Reorders) {
            records.reverse();
        }
        self.inner.log().append(log, records)
    }

    fn read(
        &self,
        log: &LogId,
        from: Offset,
        bytes_max: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, LogError>> {
        self.inner.log().read(log, from, bytes_max)
    }

    fn trim(&self, log: &LogId, before: Offset) -> BoxFuture<'static, Result<(), LogError>> {
        match self.how {
            How::ForgetsToTrim => std::future::ready(Ok(())).boxed(),
            How::ReusesOffsets if before >= self.bounds(log).next => self.inner.log().delete(log),
            _ => self.inner.log().trim(log, before),
        }
    }

    fn delete(&self, log: &LogId) -> BoxFuture<'static, Result<(), LogError>> {
        self.inner.log().delete(log)
    }

    fn bounds(&self, log: &LogId) -> Bounds {
        self.inner.log().bounds(log)
    }

    fn oldest(&self, log: &LogId) -> Option<kernel::Timestamp> {
        self.inner.log().oldest(log)
    }

    fn logs(&self, prefix: &str) -> Vec<LogId> {
        self.inner.log().logs(prefix)
    }

    fn changed(&self, log: &LogId) -> tokio::sync::watch::Receiver<Offset> {
        self.inner.log().changed(log)
    }
}

#[tokio::test]
async fn the_contract_notices_a_broken_log() {
    for (how, expected) in [
        (How::SyncsNothing, "what was acknowledged is read at once and after a crash"),
        (How::Reorders, "offsets begin at zero and grow by one"),
        (How::ForgetsToTrim, "trimmed records stay away and their offsets taken"),
        (How::ReusesOffsets, "a log trimmed to its end goes on where it was"),
    ] {
        let make = || {
            let inner = OnSim::new(large(), 5);
            if matches!(how, How::SyncsNothing) {
                inner.disk.lie();
            }
            Broken { inner, how }
        };
        let failed = failures(make).await;
        assert!(failed.contains(&expected), "{failed:?}");
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0u8..4, proptest::collection::vec(prop_oneof![0u16..40, 1000u16..6000], 1..6))
            .prop_map(|(log, sizes)| Step::Append(log, sizes)),
        3 => (0u8..4, 0u16..12).prop_map(|(log, count)| Step::Trim(log, count)),
        1 => (0u8..4).prop_map(Step::Delete),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..120)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_history_with_power_cuts_agrees_with_memory(steps in steps(), seed in any::<u64>()) {
        runtime().block_on(agrees_with_memory(OnSim::new(small(), seed), &steps));
    }
}

/// What a writer was promised: for each log the payloads in order, and how many of them for sure.
#[derive(Default)]
struct Ledger {
    sent: BTreeMap<String, Vec<Vec<u8>>>,
    acknowledged: BTreeMap<String, usize>,
}

/// Appends batches of three, several at once, until the disk fails.
async fn write_until_failure(log: &SegmentLog, ledger: &mut Ledger, round: u32) {
    for n in 0..400 {
        let batch = |name: &str| -> Vec<Vec<u8>> {
            (0..3)
                .map(|nth| format!("{round}.{n}.{nth} {name}").repeat(1 + n as usize % 17).into_bytes())
                .collect()
        };
        let appends = join_all(["a", "b", "c"].map(|name| {
            let payloads = batch(name);
            ledger.sent.entry(name.to_owned()).or_default().extend(payloads.iter().cloned());
            log.append(&id(name), payloads.into_iter().map(Bytes::from).collect())
        }))
        .await;
        for (name, appended) in ["a", "b", "c"].into_iter().zip(&appends) {
            if appended.is_ok() {
                ledger.acknowledged.insert(name.to_owned(), ledger.sent[name].len());
            }
        }
        if appends.iter().any(Result::is_err) {
            return;
        }
    }
}

/// What power cuts did that they must not.
#[derive(Debug, Default, PartialEq)]
struct Harm {
    /// Acknowledged records that are not there.
    lost: usize,
    /// Times a log ended inside a batch.
    torn: usize,
}

/// Cuts the power at many moments.
async fn power_cuts(seed: u64, lie: bool) -> Harm {
    let chance = Entropy::seeded(seed);
    let mut disk = SimDisk::new();
    if lie {
        disk.lie();
    }
    let mut ledger = Ledger::default();
    let mut harm = Harm::default();
    for round in 0..4 {
        let log = open(&disk, small());
        disk.fail_after(20 + chance.below(300));
        write_until_failure(&log, &mut ledger, round).await;
        let image = disk.after_power_cut(&chance);
        drop(log);
        disk = image;
        let log = open(&disk, small());
        for (name, sent) in &mut ledger.sent {
            let acknowledged = ledger.acknowledged.get(name).copied().unwrap_or(0);
            let Ok(found) = log.read(&id(name), Offset(0), usize::MAX).await else {
                harm.lost += acknowledged;
                continue;
            };
            let payloads = found.iter().map(|record| record.payload.as_ref());
            assert!(payloads.eq(&sent[..found.len()]), "seed {seed}: {name} has what was not sent");
            harm.torn += usize::from(found.len() % 3 != 0);
            harm.lost += acknowledged.saturating_sub(found.len());
            // What was not acknowledged and is not there will not be repeated.
            sent.truncate(found.len());
        }
    }
    harm
}

#[tokio::test]
async fn no_power_cut_loses_what_was_acknowledged_or_tears_a_batch() {
    for seed in 0..50 {
        assert_eq!(power_cuts(seed, false).await, Harm::default(), "seed {seed}");
    }
}

#[tokio::test]
async fn a_disk_that_lies_about_syncs_is_noticed() {
    assert_ne!(power_cuts(1, true).await, Harm::default());
}

/// A record of the undamaged files: where its frame lies.
struct Place {
    log: u64,
    offset: u64,
    bytes: std::ops::Range<usize>,
}

fn places(disk: &SimDisk) -> BTreeMap<String, Vec<Place>> {
    let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for name in disk.list().unwrap() {
        let bytes = disk.bytes(&name);
        let HeaderRead::Valid(header) = Header::decode(&bytes) else { continue };
        let generation = Generation::new(header.generation, header.first_commit);
        for item in Scan::new(&bytes, generation, super::file::HEADER_BLOCK) {
            let Item::Whole { position, frame, body } = item else { panic!("{item:?} in {name}") };
            if frame.kind == Kind::Record {
                let bytes = position..position + frame::size(body.len());
                places.entry(name.clone()).or_default().push(Place {
                    log: frame.log,
                    offset: frame.offset,
                    bytes,
                });
            }
        }
    }
    places
}

/// Reads around damage: every record that is there, and the offsets reported as damaged.
async fn read_around(log: &SegmentLog, name: &LogId) -> (Vec<Record>, Vec<u64>) {
    let (mut records, mut damaged) = (Vec::new(), Vec::new());
    let mut from = Offset(0);
    loop {
        match log.read(name, from, 20_000).await {
            Ok(found) if found.is_empty() => return (records, damaged),
            Ok(found) => {
                from = Offset(found.last().unwrap().offset.0 + 1);
                records.extend(found);
            }
            Err(LogError::Damaged { offset, .. }) => {
                damaged.push(offset.0);
                from = Offset(offset.0 + 1);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn damaged_files_lose_what_was_touched_and_nothing_else() {
    // Single-record appends to three logs over several segments, with trims, then closed.
    let disk = SimDisk::new();
    let log = open(&disk, small());
    for n in 0..400u64 {
        for name in ["a", "b", "c"] {
            log.append(&id(name), vec![Bytes::from(format!("{name} {n} ").repeat(1 + n as usize % 9))])
                .await
                .unwrap();
        }
        if n % 50 == 49 {
            log.trim(&id("b"), Offset(n / 2)).await.unwrap();
        }
    }
    let names = ["a", "b", "c"].map(id);
    let mut expected = BTreeMap::new();
    for (number, name) in (1..).zip(&names) {
        expected.insert(number, all(&log, name).await);
    }
    drop(log);
    let places = places(&disk);
    let files: Vec<_> = places.keys().cloned().collect();
    assert!(files.len() >= 3, "{files:?}");
    let chance = Entropy::seeded(11);
    for trial in 0..400 {
        let image = disk.after_kill();
        let file = &files[chance.below(files.len() as u64) as usize];
        let size = image.bytes(file).len() as u64;
        let at = chance.below(size) as usize;
        let (touched, truncated) = match trial % 3 {
            0 => {
                image.tamper(file, |bytes| bytes[at] ^= 1 << chance.below(8));
                (at..at + 1, false)
            }
            1 => {
                let end = (at + 1 + chance.below(200) as usize).min(size as usize);
                image.tamper(file, |bytes| {
                    bytes[at..end].iter_mut().for_each(|byte| *byte = chance.below(256) as u8)
                });
                (at..end, false)
            }
            _ => {
                image.tamper(file, |bytes| bytes.truncate(at));
                (at..size as usize, true)
            }
        };
        let log = open(&image, small());
        for (number, name) in (1..).zip(&names) {
            let (found, damaged) = read_around(&log, name).await;
            let originals = &expected[&number];
            // A header block that is gone takes its segment along.
            let is_touched = |offset: u64| {
                places[file].iter().any(|place| {
                    (place.log, place.offset) == (number, offset)
                        && (place.bytes.start < touched.end && touched.start < place.bytes.end
                            || truncated && touched.start < 64)
                })
            };
            let mut kept = found.iter().peekable();
            for original in originals {
                // Older ones come back only if their trim was damaged, and then they are what was written.
                while kept.next_if(|record| record.offset < original.offset).is_some() {}
                match kept.next_if(|record| record.offset == original.offset) {
                    Some(record) => assert!(record.payload == original.payload, "trial {trial}"),
                    None => assert!(
                        is_touched(original.offset.0),
                        "trial {trial}: lost {name} {:?}",
                        original.offset
                    ),
                }
            }
            assert!(kept.next().is_none(), "trial {trial}: {name} has a record that was never written");
            let first = originals[0].offset.0;
            for offset in damaged.into_iter().filter(|offset| *offset >= first) {
                assert!(is_touched(offset), "trial {trial}: {name} {offset} is reported damaged");
            }
            let next = log.append(&id(name.as_str()), vec![Bytes::from_static(b"next")]).await.unwrap();
            let last = originals.last().unwrap().offset.0;
            // Of a record at the end whose header is gone nothing says that it was ever whole: it is a write that a crash tore.
            let is_torn = places[file].iter().any(|place| {
                let header = place.bytes.start..place.bytes.start + frame::HEADER_BYTES;
                (place.log, place.offset) == (number, last)
                    && header.start < touched.end
                    && touched.start < header.end
            });
            assert!(
                truncated || is_torn || next.0 == last + 1,
                "trial {trial}: {next:?} of {name} after {last}"
            );
        }
    }
}

#[tokio::test]
async fn a_damaged_record_is_reported_when_it_is_read_from_disk() {
    let disk = SimDisk::new();
    let log = open(&disk, Config { cache_bytes_max: 0, ..small() });
    for text in ["zero", "one", "two"] {
        log.append(&id("a"), vec![Bytes::from_static(text.as_bytes())]).await.unwrap();
    }
    let (file, place) =
        places(&disk).into_iter().next().map(|(file, mut places)| (file, places.remove(1))).unwrap();
    disk.tamper(&file, |bytes| bytes[place.bytes.start + frame::HEADER_BYTES] ^= 1);
    let (records, damaged) = read_around(&log, &id("a")).await;
    assert_eq!(damaged, [1]);
    assert_eq!(records.iter().map(|record| record.offset.0).collect::<Vec<_>>(), [0, 2]);
    let error = log.read(&id("a"), Offset(1), 10).await.unwrap_err();
    assert_eq!(error.to_string(), "record 1 of a is damaged");
}

#[tokio::test]
async fn a_full_log_refuses_appends_and_resumes_after_a_trim() {
    let config = Config { log_bytes_max: 6 * (64 << 10), ..small() };
    let disk = SimDisk::new();
    let log = open(&disk, config.clone());
    let payload = Bytes::from(vec![1; 8000]);
    let mut appended = 0;
    let refused = loop {
        match log.append(&id("a"), vec![payload.clone()]).await {
            Ok(_) => appended += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, LogError::Full), "{refused}");
    assert!(appended > 20, "{appended}");
    assert_eq!(all(&log, &id("a")).await.len() as u64, appended);
    drop(log);
    let log = open(&disk, config.clone());
    assert_eq!(log.bounds(&id("a")).next, Offset(appended), "what was refused does not appear");
    for round in 0..10 {
        log.trim(&id("a"), Offset(appended / 2 + round)).await.unwrap();
    }
    log.append(&id("a"), vec![payload.clone()]).await.unwrap();
    log.trim(&id("a"), Offset(appended)).await.unwrap();
    for _ in 0..200 {
        let first = log.append(&id("a"), vec![payload.clone()]).await.unwrap();
        log.trim(&id("a"), first).await.unwrap();
    }
    assert!(disk.list().unwrap().len() <= 7, "{:?}", disk.list());
}

#[tokio::test]
async fn segments_pinned_by_a_few_records_do_not_fill_the_disk() {
    let config = Config { log_bytes_max: 8 * (64 << 10), ..small() };
    let disk = SimDisk::new();
    let metrics = Metrics::default();
    let copied = metrics.counter(&metrics::LOG_COPIED_BYTES, &[]);
    let mut log = SegmentLog::open_on(
        Arc::new(disk.clone()),
        config.clone(),
        Arc::new(SystemClock),
        Entropy::seeded(1),
        &metrics,
    )
    .unwrap();
    let payload = Bytes::from(vec![1; 4000]);
    for round in 0..600u64 {
        let first = log.append(&id("busy"), vec![payload.clone()]).await.unwrap();
        log.trim(&id("busy"), first).await.unwrap();
        if round % 15 == 0 {
            let quiet = id(&format!("quiet {}", round % 300));
            log.append(&quiet, vec![Bytes::from(round.to_string())]).await.unwrap();
        }
        if round % 200 == 199 {
            drop(log);
            log = open(&disk, config.clone());
        }
    }
    assert!(copied.value() > 0);
    assert!(disk.list().unwrap().len() <= 9, "{:?}", disk.list());
    for round in (0..600).step_by(15) {
        let nth = usize::from(round >= 300);
        let found = all(&log, &id(&format!("quiet {}", round % 300))).await;
        assert_eq!(found[nth].payload, round.to_string());
    }
}

#[tokio::test]
async fn a_failed_sync_stops_the_log_until_it_is_opened_anew() {
    let disk = SimDisk::new();
    let log = open(&disk, small());
    log.append(&id("a"), vec![Bytes::from_static(b"0")]).await.unwrap();
    disk.fail_syncs(Some(std::io::ErrorKind::Other));
    let error = log.append(&id("a"), vec![Bytes::from_static(b"1")]).await.unwrap_err();
    assert!(matches!(error, LogError::Failed(Some(_))), "{error:?}");
    disk.fail_syncs(None);
    let error = log.append(&id("a"), vec![Bytes::from_static(b"2")]).await.unwrap_err();
    assert!(matches!(error, LogError::Failed(Some(_))), "the sync is not repeated: {error:?}");
    assert!(log.trim(&id("a"), Offset(1)).await.is_err());
    assert_eq!(all(&log, &id("a")).await.len(), 1, "what is durable can be read");
    drop(log);
    let log = open(&disk.after_power_cut(&Entropy::seeded(2)), small());
    assert_eq!(all(&log, &id("a")).await[0].payload, "0");
    assert!(log.append(&id("a"), vec![Bytes::from_static(b"3")]).await.is_ok());
}

#[tokio::test]
async fn a_full_disk_refuses_and_the_log_resumes_when_there_is_room() {
    let disk = SimDisk::new();
    let clock = kernel::ManualClock::new(kernel::Timestamp::EPOCH);
    let metrics = Metrics::default();
    let log = SegmentLog::open_on(
        Arc::new(disk.clone()),
        small(),
        Arc::new(clock.clone()),
        Entropy::seeded(1),
        &metrics,
    )
    .unwrap();
    disk.fail_creates(Some(std::io::ErrorKind::StorageFull));
    let payload = Bytes::from(vec![1; 8000]);
    let mut appended = 0;
    while let Ok(first) = log.append(&id("a"), vec![payload.clone()]).await {
        appended = first.0 + 1;
    }
    assert!(matches!(log.append(&id("a"), vec![payload.clone()]).await, Err(LogError::Full)));
    assert!(metrics.counter(&metrics::LOG_REFUSED, &[]).value() >= 2);
    disk.fail_creates(None);
    clock.advance(std::time::Duration::from_secs(2));
    assert_eq!(log.append(&id("a"), vec![payload]).await.unwrap(), Offset(appended));
    assert_eq!(all(&log, &id("a")).await.len() as u64, appended + 1);
}

#[tokio::test]
async fn a_batch_larger_than_half_a_segment_is_refused() {
    let log = open(&SimDisk::new(), small());
    let error = log.append(&id("a"), vec![Bytes::from(vec![0; 40_000])]).await.unwrap_err();
    assert_eq!(error.to_string(), "a batch of 40048 bytes is larger than a segment holds");
}

#[tokio::test]
async fn more_logs_than_a_checkpoint_holds_are_refused_and_the_rest_go_on() {
    let log = open(&SimDisk::new(), small());
    let mut names = (0..).map(|n| id(&format!("log {n}")));
    let last = loop {
        let name = names.next().unwrap();
        match log.append(&name, vec![Bytes::from_static(b"x")]).await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(matches!(last, LogError::Full));
    assert!(log.logs("").len() > 100);
    log.append(&id("log 0"), vec![Bytes::from_static(b"y")]).await.unwrap();
    log.delete(&id("log 1")).await.unwrap();
    log.append(&id("log 9"), vec![Bytes::from_static(b"y")]).await.unwrap();
}

#[tokio::test]
async fn a_later_format_and_a_bad_configuration_are_refused() {
    let disk = SimDisk::new();
    drop(open(&disk, small()));
    let name = disk.list().unwrap().remove(0);
    disk.tamper(&name, |bytes| {
        for copy in [0, 2048] {
            bytes[copy + 8] = 9;
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(&bytes[copy..copy + 12]);
            hasher.update(&bytes[copy + 16..copy + 64]);
            let checksum = hasher.finalize().to_le_bytes();
            bytes[copy + 12..copy + 16].copy_from_slice(&checksum);
        }
    });
    let open = |config| {
        SegmentLog::open_on(
            Arc::new(disk.clone()),
            config,
            Arc::new(SystemClock),
            Entropy::seeded(1),
            &Metrics::default(),
        )
        .err()
        .unwrap()
    };
    assert_eq!(
        open(small()).to_string(),
        format!("the log's file {name} has format 9, which is newer than this release")
    );
    assert!(matches!(open(Config { segment_bytes: 1000, ..small() }), OpenError::Config(_)));
    assert!(matches!(open(Config { log_bytes_max: 0, ..small() }), OpenError::Config(_)));
}

#[tokio::test]
async fn a_reader_is_not_misled_by_a_recycled_segment() {
    let disk = SimDisk::new();
    let log = Arc::new(open(&disk, Config { cache_bytes_max: 0, ..small() }));
    let payload = |n: u64| Bytes::from(n.to_le_bytes().repeat(400));
    let writer = async {
        for n in 0..400 {
            log.append(&id("a"), vec![payload(n)]).await.unwrap();
            log.trim(&id("a"), Offset(n.saturating_sub(3))).await.unwrap();
        }
    };
    let reader = async {
        let mut from = 0;
        while from < 400 {
            for record in log.read(&id("a"), Offset(from), 20_000).await.unwrap() {
                assert!(record.offset.0 >= from);
                assert!(record.payload == payload(record.offset.0));
                from = record.offset.0 + 1;
            }
            tokio::task::yield_now().await;
        }
    };
    futures::join!(writer, reader);
}

#[tokio::test]
async fn a_read_is_whole_while_its_records_are_copied() {
    let config = Config { log_bytes_max: 8 * (64 << 10), cache_bytes_max: 0, ..small() };
    let log = open(&SimDisk::new(), config);
    let quiet = |n: u64| Bytes::from(n.to_le_bytes().repeat(30));
    let name = id("quiet");
    let mut appended = 0;
    for round in 0..300 {
        let write = async {
            for _ in 0..4 {
                let first = log.append(&id("busy"), vec![Bytes::from(vec![1; 8000])]).await.unwrap();
                log.trim(&id("busy"), first).await.unwrap();
            }
        };
        let ((), found) = futures::join!(write, all(&log, &name));
        assert_eq!(found.len() as u64, appended, "round {round}");
        assert!((0..).zip(&found).all(|(n, record)| record.payload == quiet(n)));
        if appended < 60 {
            log.append(&name, vec![quiet(appended)]).await.unwrap();
            appended += 1;
        }
    }
}

#[tokio::test]
async fn appends_beyond_the_queue_wait_and_all_arrive() {
    let disk = SimDisk::new();
    let log = open(&disk, Config { queue_bytes_max: 1000, ..small() });
    let appends =
        join_all((0..200u64).map(|n| log.append(&id("a"), vec![Bytes::from(vec![n as u8; 300])]))).await;
    for (n, first) in (0..).zip(appends) {
        assert_eq!(first.unwrap(), Offset(n));
    }
    assert_eq!(all(&log, &id("a")).await.len(), 200);
}

#[tokio::test]
async fn another_segment_size_is_taken_up_unless_it_is_too_small_for_the_names() {
    let disk = SimDisk::new();
    let log = open(&disk, large());
    for n in 0..300 {
        log.append(&id(&format!("log {n}")), vec![Bytes::from(n.to_string())]).await.unwrap();
    }
    drop(log);
    let disk_in_use = Arc::new(disk.clone());
    let error = SegmentLog::open_on(
        disk_in_use,
        small(),
        Arc::new(SystemClock),
        Entropy::seeded(1),
        &Metrics::default(),
    );
    assert!(matches!(error.err().unwrap(), OpenError::Config(_)));
    let log = open(&disk, Config { segment_bytes: 1 << 20, ..large() });
    for n in 0..300 {
        assert_eq!(all(&log, &id(&format!("log {n}"))).await[0].payload, n.to_string());
        log.delete(&id(&format!("log {n}"))).await.unwrap();
    }
    drop(log);
    assert!(disk.list().unwrap().iter().all(|name| disk.bytes(name).len() == 1 << 20), "{:?}", disk.list());
}

#[tokio::test]
async fn a_disk_without_room_or_sync_does_not_open() {
    let open = |disk: &SimDisk| {
        let disk = Arc::new(disk.clone());
        SegmentLog::open_on(disk, small(), Arc::new(SystemClock), Entropy::seeded(1), &Metrics::default())
            .err()
    };
    let disk = SimDisk::new();
    disk.fail_creates(Some(std::io::ErrorKind::StorageFull));
    assert!(matches!(open(&disk), Some(OpenError::Full)));
    disk.fail_creates(None);
    disk.fail_syncs(Some(std::io::ErrorKind::Other));
    assert!(matches!(open(&disk), Some(OpenError::Io { .. })));
    disk.fail_syncs(None);
    assert!(open(&disk).is_none());
}
