//! IoT SQL: a statement, a template and a payload, separated by a zero byte.
//!
//! What parses is printed and parses to the same; evaluation ends whatever the message.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use iotsql::{Message, MqttProperties, Outcome, Payload, Problem, SqlVersion, Statement, Variables};

use super::{halves, texts};
use crate::{Memory, Target};

pub(super) static TARGET: Target = Target {
    name: "iot_sql",
    about: "a statement of IoT SQL, a template and a payload",
    words: &[
        "SELECT ",
        "SELECT VALUE ",
        " FROM '",
        " WHERE ",
        " AS ",
        " CASE WHEN ",
        "SET @x = ",
        "regexp_replace(",
        "regexp_matches(",
        "replace(",
        "lpad(",
        "encode(",
        "decode(",
        "cast(",
        "transform(\"enrichArray\", ",
        "parse_time(",
        "${",
        "topic(",
        "(SELECT * FROM ",
        "1e308",
        "99999999999999999999999999999999999999",
        "{\"a\":",
        "[[",
        "null",
    ],
    // `limits::WORK_MAX` counts bytes copied, and a few copies may live at the same time; a compiled pattern is a megabyte at most.
    memory: Memory { bytes: 24 << 20, per_byte: 4096 },
    mutations: 12_000,
    start: || Box::new(run),
    seeds,
};

fn run(input: &[u8]) {
    let (sql, rest) = halves(input, 0);
    let (template, payload) = halves(rest, 0);
    let sql = String::from_utf8_lossy(sql);
    let template = String::from_utf8_lossy(template);
    let payload = Payload::new(Bytes::copy_from_slice(payload));
    let user = [("k".to_owned(), "v".to_owned())];
    let message = Message {
        topic: "plant/3/temp",
        payload: &payload,
        timestamp_ms: 1_767_225_600_000,
        account_id: "000000000000",
        client_id: Some("sensor-1"),
        principal: None,
        source_ip: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        trace_id: None,
        properties: MqttProperties { user: &user, ..MqttProperties::default() },
        random: &|| 4,
    };
    for version in [SqlVersion::V2015_10_08, SqlVersion::V2016_03_23] {
        let Ok(statement) = Statement::parse(&sql, version) else { continue };
        let printed = statement.to_string();
        // Printing adds what a statement may have only so much of: characters and parentheses.
        let again = Statement::parse(&printed, version);
        let longer = printed.len() > iotsql::limits::TEXT_BYTES_MAX;
        let deeper = matches!(&again, Err(error) if error.problem == Problem::TooDeep);
        assert!(longer || deeper || again.as_ref() == Ok(&statement), "{printed}");
        let variables = match statement.evaluate(&message) {
            Outcome::Output(output) => output.variables,
            Outcome::NoMatch | Outcome::Failed(_) => Variables::default(),
        };
        if let Ok(template) = statement.parse_template(&template) {
            // Of another statement's variables there may be fewer than the template names.
            drop(template.render(&message, &variables));
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let payload = "{\"t\": 21.5, \"name\": \"a\", \"list\": [1, {\"b\": null}], \"deep\": {\"e\": true}, \"u\": \"\\u00e9\\ud83d\\ude00\"}";
    let statements = [
        "SELECT * FROM 'plant/+/temp' WHERE t > 20\0${topic(2)}/${t}",
        "SELECT t AS temperature, name, topic(2) AS plant, timestamp() AS at FROM 'plant/#'\0plain",
        "SELECT VALUE list FROM 'a'\0$$aws/${newuuid()}",
        "SELECT (SELECT VALUE b FROM list) AS bs, deep.e FROM 'a' WHERE EXISTS (SELECT * FROM list)\0",
        "SELECT CASE t WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE name END AS c FROM 'a' WHERE t IN [1, 2] OR NOT (t <= 3 AND t <> 4)\0",
        "SELECT regexp_matches(name, '^(a|b)*$') AS m, regexp_replace(name, 'a+', 'x'), regexp_substr(name, '[a-z]{1,3}') FROM 'a'\0",
        "SELECT encode(*, 'base64') AS data, md5(name), sha256(name), substring(name, 0, 1), concat(name, t), lpad(name, 9) FROM 'a'\0",
        "SET @x = t * 2, @y = @x + 1 SELECT @x AS x, @y % 3 AS y FROM 'a' WHERE @y > 0\0${@x}",
        "SELECT cast(t AS Int) AS i, cast(name AS Bool), parse_time('yyyy-MM-dd HH:mm:ss z', timestamp(), 'Europe/Berlin') FROM 'a'\0",
        "SELECT transform(\"enrichArray\", {\"k\": name}, list) FROM 'a'\0",
        "SELECT -t, +t, t / 0, power(10, 400), trunc(2.123, 1), {\"a\": [1, \"2\", undefined]} FROM 'a'\0",
        "SELECT get(list, 1).b, get_mqtt_property(*, 'x'), clientid(), principal(), accountid(), traceid(), sourceip() FROM 'a'\0",
        "SELECT replace(replace(name, 'a', 'aaaaaaaa'), 'a', 'aaaaaaaa') FROM 'a'\0",
    ];
    let mut seeds =
        texts(&statements.map(|statement| format!("{statement}\0{payload}")).each_ref().map(String::as_str));
    seeds.push(b"SELECT * FROM 'a'\0\0\xFF\xFE\x00".to_vec());
    seeds
}
