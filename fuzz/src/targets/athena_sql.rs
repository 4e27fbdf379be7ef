//! Athena's two languages: tokens, Hive DDL, Trino queries, types and name patterns.
//!
//! A refusal says where; what was read has a class.

use athena_sql::{HiveType, StatementType, name_pattern, parse};

use super::texts;
use crate::{Memory, Target};

pub(super) static TARGET: Target = Target {
    name: "athena_sql",
    about: "statements, types and name patterns of Athena",
    words: &[
        "SELECT ",
        "WITH x AS (",
        "CREATE EXTERNAL TABLE ",
        "PARTITIONED BY (",
        "STORED AS ",
        "TBLPROPERTIES (",
        "array<",
        "map<",
        "struct<",
        "ROW(",
        "CAST(",
        " UNION ALL ",
        " JOIN ",
        " OVER (PARTITION BY ",
        "INTERVAL '",
        "EXPLAIN ",
        "MSCK REPAIR TABLE ",
        "/*",
        "--",
        "`",
        "\"\"",
        "''",
        "((((",
        "1+1+1+1",
        "CASE WHEN ",
        "NOT NOT NOT ",
    ],
    // The parser's tree holds a large node for every token, and tries some statements in several ways.
    memory: Memory { bytes: 1 << 20, per_byte: 16 << 10 },
    mutations: 12_000,
    start: || Box::new(read),
    seeds,
};

fn read(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match parse(&text) {
        Ok(statement) => {
            let class = statement.class();
            assert!(!class.substatement_type.is_empty() || class.statement_type == StatementType::Ddl);
        }
        Err(error) => assert!(!error.to_string().is_empty(), "a refusal says why"),
    }
    if let Ok(ty) = text.parse::<HiveType>() {
        assert_eq!(ty.to_string().parse::<HiveType>().as_ref(), Ok(&ty), "{ty}");
    }
    name_pattern::matches(
        &text,
        "heart_beats_of_a_long_name_of_a_table_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    );
}

fn seeds() -> Vec<Vec<u8>> {
    texts(&[
        "SELECT device, avg(bpm) AS b, count(*) FROM lake.heart_beats WHERE day = '2026-01-01' GROUP BY device ORDER BY 2 DESC LIMIT 10",
        "WITH x AS (SELECT * FROM a JOIN b ON a.id = b.id LEFT JOIN c USING (id)) SELECT *, row_number() OVER (PARTITION BY id ORDER BY t) FROM x",
        "SELECT CAST(json_extract_scalar(p, '$.a') AS double), p['k'], a[1], CASE WHEN a > 1 THEN 'x' ELSE NULL END FROM t CROSS JOIN UNNEST(list) AS u (item)",
        "SELECT date_trunc('hour', from_iso8601_timestamp(ts)) - INTERVAL '1' DAY, U&'\\00e9', X'00FF', 1e10, .5, \"q\"\"q\", 'it''s' FROM \"my db\".\"t\"",
        "EXPLAIN (FORMAT TEXT) SELECT 1",
        "SELECT regexp_like(a, '^(a+)+$'), a LIKE '%a%a%a%a%a%b' ESCAPE '\\' FROM t",
        "SELECT 1 UNION ALL (SELECT 2 EXCEPT SELECT 3) -- end\n/* comment */;",
        "CREATE DATABASE IF NOT EXISTS `lake` COMMENT 'c' LOCATION 's3://lake/' WITH DBPROPERTIES ('a'='b')",
        "CREATE EXTERNAL TABLE IF NOT EXISTS lake.t (`device` string COMMENT 'x', `m` map<string,array<struct<a:int,b:decimal(10,2)>>>) PARTITIONED BY (day string) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('ignore.malformed.json'='true') LOCATION 's3://lake/raw/' TBLPROPERTIES ('has_encrypted_data'='false','projection.enabled'='true')",
        "CREATE EXTERNAL TABLE t (a int) CLUSTERED BY (a) INTO 4 BUCKETS ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' STORED AS TEXTFILE LOCATION 's3://b/p/'",
        "ALTER TABLE t ADD IF NOT EXISTS PARTITION (day='2026-01-01', h=1) LOCATION 's3://lake/x/' PARTITION (day='2026-01-02')",
        "ALTER TABLE t DROP PARTITION (day='x'), PARTITION (day='y')",
        "SHOW TABLES IN lake 'heart*|b*'",
        "SHOW PARTITIONS t",
        "DESCRIBE FORMATTED lake.t PARTITION (day='x')",
        "MSCK REPAIR TABLE t",
        "DROP TABLE IF EXISTS `a b`",
        "array<map<string,struct<a:varchar(10),b:array<timestamp>>>>",
        "heart*|*b*|a*a*a*a*a*a*b",
    ])
}
