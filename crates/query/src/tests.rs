//! The engine through its port, on fakes in memory: what it answers, counts, bounds and stops.

mod hot_read;
mod sample;
mod slt;
mod stream;
mod world;

use std::io::Write;

use futures::TryStreamExt;
use kernel::{AccountId, ManualClock, Region, Timestamp};
use ports::{Partition, QueryStatistics, Storage};

use self::sample::sample;
use self::world::{World, column};
use super::*;

const HCATALOG: &str = "org.apache.hive.hcatalog.data.JsonSerDe";
const OPENX: &str = "org.openx.data.jsonserde.JsonSerDe";

fn engine(world: &Arc<World>) -> Engine {
    let config = Config { threads: 2, ..Config::default() };
    // 2017-08-26 07:47:12.345
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_503_733_632_345)));
    Engine::new(config, Arc::clone(world) as _, Arc::clone(world) as _, Arc::clone(world) as _, clock)
}

fn cx() -> Context {
    Context::service(AccountId::default_account(), Region::default_region(), "test.amazonaws.com")
}

#[derive(Debug)]
struct Answered {
    columns: Vec<ResultColumn>,
    rows: Vec<Row>,
    statistics: QueryStatistics,
}

async fn ask(engine: &Engine, sql: &str) -> Result<Answered, PortError> {
    let request =
        QueryRequest { sql: sql.to_owned(), database: "default".to_owned(), bytes_scanned_max: None };
    ask_request(engine, request).await
}

async fn ask_request(engine: &Engine, request: QueryRequest) -> Result<Answered, PortError> {
    let running = engine.execute(&cx(), request).await?;
    let batches: Vec<Vec<Row>> = running.rows.try_collect().await?;
    let statistics = (running.statistics)();
    Ok(Answered { columns: running.columns, rows: batches.into_iter().flatten().collect(), statistics })
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn statistics_count_stored_bytes_also_when_the_cache_answers() {
    let world = sample();
    let engine = engine(&world);
    let stored: u64 = world
        .objects
        .lock()
        .unwrap()
        .values()
        .filter(|(info, _)| info.key.starts_with("heartrate/2017"))
        .map(|(info, _)| info.size)
        .sum();
    for gets in [2, 2] {
        let answered = ask(&engine, "SELECT sum(heartrate) FROM heartrate").await.unwrap();
        assert_eq!(answered.rows, [[Some("388".to_owned())]]);
        assert_eq!(answered.statistics.bytes_scanned, stored);
        assert_eq!(answered.statistics.objects, 2);
        assert_eq!(*world.gets.lock().unwrap(), gets);
    }
    // Other columns are another decoding.
    ask(&engine, "SELECT max(userid) FROM heartrate").await.unwrap();
    assert_eq!(*world.gets.lock().unwrap(), 4);
    // Another content is another object.
    world.put("heartrate/2017/08/26/07/a", "{\"heartrate\":1}\n", None);
    let answered = ask(&engine, "SELECT sum(heartrate) FROM heartrate").await.unwrap();
    assert_eq!(answered.rows, [[Some("142".to_owned())]]);
}

#[tokio::test]
async fn what_the_cache_holds_is_for_whoever_may_get_the_object() {
    let world = sample();
    let engine = engine(&world);
    let sql = "SELECT sum(heartrate) FROM heartrate";
    ask(&engine, sql).await.unwrap();
    *world.secret_prefix.lock().unwrap() = Some("heartrate/".to_owned());
    let error = ask(&engine, sql).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Denied, "AccessDenied"));
}

#[tokio::test]
async fn what_was_replaced_while_it_was_read_is_not_remembered_as_what_was_listed() {
    let world = Arc::new(World::default());
    world.table("t", &[("a", "int")], OPENX, &[]);
    let (old, new) = ("{\"a\":1}\n", "{\"a\":2}\n");
    world.put("t/x", old, None);
    *world.before_get.lock().unwrap() = Some(("t/x".to_owned(), new.to_owned()));
    let engine = engine(&world);
    for (content, shown) in [(None, "2"), (Some(old), "1"), (Some(new), "2"), (Some(old), "1")] {
        content.into_iter().for_each(|content| world.put("t/x", content, None));
        let answered = ask(&engine, "SELECT a FROM t").await.unwrap();
        assert_eq!(answered.rows, [[Some(shown.to_owned())]]);
    }
}

#[tokio::test]
async fn partitions_are_pruned_by_filters_on_their_keys() {
    let world = sample();
    let engine = engine(&world);
    for (filter, objects) in [
        ("year = 2017", 2),
        ("year > 2016 AND kind = 'b'", 1),
        ("kind IN ('a')", 2),
        ("line = 'mid'", 3),
        ("year = 1", 0),
    ] {
        let sql = format!("SELECT line, year, kind FROM logs WHERE {filter}");
        let answered = ask(&engine, &sql).await.unwrap();
        assert_eq!(answered.statistics.objects, objects, "{filter}");
    }
}

#[tokio::test]
async fn a_scan_has_a_limit_in_bytes() {
    let world = sample();
    let request = QueryRequest {
        sql: "SELECT * FROM heartrate".to_owned(),
        database: "default".to_owned(),
        bytes_scanned_max: Some(100),
    };
    let Err(error) = ask_request(&engine(&world), request).await else { panic!("was not limited") };
    assert_eq!((error.code.as_str(), error.kind), ("BYTES_SCANNED_LIMIT", ErrorKind::Invalid));
    assert_eq!(error.message, "BYTES_SCANNED_LIMIT: Bytes scanned limit was exceeded");
}

#[tokio::test]
async fn a_limit_reads_no_more_than_it_needs() {
    let world = Arc::new(World::default());
    world.table("many", &[("a", "int")], OPENX, &[]);
    for n in 0..50 {
        world.put(&format!("many/{n:03}"), "{\"a\":1}\n".repeat(9_000), None);
    }
    let answered = ask(&engine(&world), "SELECT a FROM many LIMIT 10").await.unwrap();
    assert_eq!(answered.rows.len(), 10);
    assert!(answered.statistics.objects < 10, "{:?}", answered.statistics);
}

#[tokio::test]
async fn large_objects_are_read_in_pieces_and_small_ones_are_joined() {
    let world = Arc::new(World::default());
    world.table("t", &[("a", "bigint")], OPENX, &[]);
    let line = format!("{{\"a\":1,\"pad\":\"{}\"}}\n", "x".repeat(1_000));
    world.put("t/large", line.repeat(20_000), None);
    for n in 0..200 {
        world.put(&format!("t/small{n}"), "{\"a\":1}\n", None);
    }
    let answered = ask(&engine(&world), "SELECT sum(a), count(*) FROM t").await.unwrap();
    assert_eq!(answered.rows, [[Some("20200".to_owned()), Some("20200".to_owned())]]);
}

#[tokio::test]
async fn dropping_a_running_query_stops_it() {
    let world = Arc::new(World::default());
    world.table("t", &[("a", "bigint")], OPENX, &[]);
    for n in 0..20 {
        world.put(&format!("t/{n}"), "{\"a\":1}\n".repeat(9_000), None);
    }
    let engine = engine(&world);
    let request = QueryRequest {
        sql: "SELECT a FROM t".to_owned(),
        database: "default".to_owned(),
        bytes_scanned_max: None,
    };
    let mut running = engine.execute(&cx(), request).await.unwrap();
    running.rows.try_next().await.unwrap().unwrap();
    drop(running);
    engine.tasks.shutdown().await;
    assert!(engine.tasks.running().is_empty());
    assert!(*world.gets.lock().unwrap() < 20);
}

#[tokio::test]
async fn a_panic_is_an_internal_error_of_its_query() {
    let error = contain::<()>(async { panic!("boom") }).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert!(!error.message.contains("boom"), "{}", error.message);
}

#[tokio::test]
async fn memory_is_bounded() {
    let world = Arc::new(World::default());
    world.table("t", &[("a", "bigint"), ("b", "string")], OPENX, &[]);
    let rows: String =
        (0..20_000).map(|n| format!("{{\"a\":{n},\"b\":\"{}\"}}\n", "x".repeat(200))).collect();
    world.put("t/x", rows, None);
    let config = Config { threads: 1, memory_bytes_max: 100_000, cache_bytes_max: 0 };
    let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
    let engine = Engine::new(config, Arc::clone(&world) as _, Arc::clone(&world) as _, world, clock);
    let asked = ask(&engine, "SELECT b, a FROM t ORDER BY b, a").await;
    let Err(error) = asked else { panic!("was not bounded") };
    assert_eq!(error.kind, ErrorKind::TooLarge);
    assert_eq!(error.message, "EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor");
}
