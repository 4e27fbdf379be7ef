//! The tables that `slt/*.slt` asks.

use super::*;

/// The tables of `slt/*.slt`.
pub(super) fn sample() -> Arc<World> {
    let world = World::default();
    let heartbeat = |user: &str, rate: i32, kind: &str, at: &str| {
        format!(
            r#"{{"heartRate":{rate},"userId":"{user}","rateType":"{kind}","dateTime":"2017-08-26 {at}"}}"#
        ) + "\n"
    };
    world.table(
        "heartrate",
        &[("heartrate", "int"), ("userid", "string"), ("ratetype", "string"), ("datetime", "timestamp")],
        HCATALOG,
        &[("ignore.malformed.json", "true")],
    );
    world.put(
        "heartrate/2017/08/26/07/a",
        [
            heartbeat("Bailey", 72, "NORMAL", "07:47:12.345"),
            heartbeat("Bailey", 55, "LOW", "07:48:00"),
            "{broken\n".to_owned(),
            heartbeat("Ana", 120, "HIGH", "07:48:30.5"),
        ]
        .concat(),
        None,
    );
    let zipped = heartbeat("Ana", 80, "NORMAL", "08:00:00") + &heartbeat("Zoe", 61, "NORMAL", "09:15:00");
    world.put("heartrate/2017/08/26/08/b.gz", gzip(&zipped), None);
    world.put("heartrate/_temporary/c", heartbeat("Ghost", 1, "LOW", "00:00:00"), None);

    world.table(
        "shapes",
        &[
            ("id", "bigint"),
            ("tiny", "tinyint"),
            ("price", "decimal(10,2)"),
            ("ratio", "double"),
            ("ok", "boolean"),
            ("day", "date"),
            ("raw", "binary"),
            ("tags", "array<string>"),
            ("counts", "map<string,int>"),
            ("place", "struct<City:string,geo:struct<lat:double,lon:double>>"),
        ],
        OPENX,
        &[("mapping.day", "on_day")],
    );
    world.put(
        "shapes/1.json",
        concat!(
            r#"{"id":1,"tiny":"7","price":12.345,"ratio":1e10,"ok":true,"on_day":"2017-08-26","raw":"AQID","#,
            r#""tags":["a","b",null],"counts":{"x":1,"y":2},"place":{"city":"Oslo","geo":{"lat":59.9,"lon":10.7}}}"#,
            "\n",
            r#"{"ID":"2","id":3,"price":"0.1","ratio":"NaN","ok":"FALSE","tags":[],"counts":{},"place":null}"#,
            "\n",
        ),
        None,
    );

    world.table("strict", &[("a", "int")], OPENX, &[]);
    world.put("strict/x", "{\"a\":1}\n\n{\"a\":\"one\"}\n", None);
    world.table("gone", &[("a", "int")], OPENX, &[]);
    world.tables.lock().unwrap().last_mut().unwrap().storage.location = "s3://nowhere/x/".to_owned();
    world.table("empty", &[("a", "int"), ("b", "string")], OPENX, &[]);

    world.table("logs", &[("line", "string")], OPENX, &[]);
    world.tables.lock().unwrap().last_mut().unwrap().partition_keys =
        vec![column("year", "int"), column("kind", "string")];
    for (year, kind, line) in [("2016", "a", "old"), ("2017", "a", "mid"), ("2017", "b", "new")] {
        let key = format!("logs/year={year}/kind={kind}/");
        world.put(&format!("{key}1"), format!("{{\"line\":\"{line}\"}}\n"), None);
        world.partitions.lock().unwrap().entry("logs".to_owned()).or_default().push(Partition {
            values: vec![year.to_owned(), kind.to_owned()],
            storage: Storage { location: format!("s3://lake/{key}"), ..Storage::default() },
        });
    }
    Arc::new(world)
}
