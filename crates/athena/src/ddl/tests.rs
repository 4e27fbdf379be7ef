//! Statements of the catalog, through StartQueryExecution.

use ports::Storage;

use crate::testing::*;

/// Checks each statement in turn: the lines it answers, or `!` and why it fails.
async fn check(node: &Node, statements: &[(&str, &[&str])]) {
    for (sql, expect) in statements {
        let answer = node.lines(sql).await.unwrap_or_else(|reason| vec![format!("!{reason}")]);
        assert_eq!(answer, *expect, "{sql}");
    }
}

const TASK: &str = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask.";

const HEARTRATE: &str = "CREATE EXTERNAL TABLE heartrate_iot_data (
    heartRate int, userId string COMMENT 'who', rateType string, `dateTime` string)
    PARTITIONED BY (YEAR int, month string)
    ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
    WITH SERDEPROPERTIES ( 'ignore.malformed.json' = 'true' )
    LOCATION 's3://lake/raw/' TBLPROPERTIES ('classification'='json')";

#[tokio::test]
async fn databases_come_and_go() {
    let node = node().await;
    let exists = format!("!{TASK} Database iot already exists");
    let full = format!(
        "!{TASK} InvalidOperationException(message:Database iot is not empty. One or more tables exist.)"
    );
    check(
        &node,
        &[
            ("create database `iot` comment 'x';", &[]),
            ("create schema IOT", &[exists.as_str()]),
            ("create database if not exists iot", &[]),
            ("show databases", &["default", "iot"]),
            ("show schemas like 'i*'", &["iot"]),
            ("create external table iot.t (a int) location 's3://lake/t/'", &[]),
            ("drop database iot", &[full.as_str()]),
            ("drop database iot restrict", &[full.as_str()]),
            ("drop database `iot` cascade;", &[]),
            (
                "drop database iot",
                &["!FAILED: SemanticException [Error 10072]: Database does not exist: iot"],
            ),
            ("drop database if exists iot", &[]),
            ("show databases", &["default"]),
        ],
    )
    .await;
}

#[tokio::test]
async fn tables_come_and_go() {
    let node = node().await;
    let exists = format!("!{TASK} AlreadyExistsException(message:Table t already exists)");
    let no_location =
        format!("!{TASK} MetaException(message:No location was given for table u: LOCATION is required)");
    let scheme = format!(
        "!{TASK} MetaException(message:Got exception: java.io.IOException No FileSystem for scheme: hdfs)"
    );
    check(
        &node,
        &[
            ("CREATE EXTERNAL TABLE T (A int) LOCATION 's3://lake/t/'", &[]),
            ("create external table t (a int) location 's3://lake/t/'", &[exists.as_str()]),
            ("create external table if not exists t (b int) location 's3://lake/t/'", &[]),
            ("create external table u (a int)", &[no_location.as_str()]),
            ("create external table u (a int) location 'hdfs://x/'", &[scheme.as_str()]),
            (
                "create external table u (a int, A int) location 's3://lake/u/'",
                &["!FAILED: SemanticException [Error 10036]: Duplicate column name: a"],
            ),
            (
                "create external table u (a int) partitioned by (a int) location 's3://lake/u/'",
                &["!FAILED: SemanticException [Error 10035]: Column repeated in partitioning columns"],
            ),
            (
                "create external table gone.u (a int) location 's3://lake/u/'",
                &["!FAILED: SemanticException [Error 10072]: Database does not exist: gone"],
            ),
            ("show tables", &["t"]),
            ("show tables in default 'x*'", &[]),
            (
                "show tables in gone",
                &["!FAILED: SemanticException [Error 10072]: Database does not exist: gone"],
            ),
            ("drop table t", &[]),
            ("drop table t", &["!FAILED: SemanticException [Error 10001]: Table not found t"]),
            ("drop table if exists t", &[]),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_table_with_the_json_serde_is_described_and_created_again() {
    let node = node().await;
    node.run(HEARTRATE).await;
    let pad = |name: &str, ty: &str, comment: &str| format!("{name:<20}\t{ty:<20}\t{comment:<20}");
    let described = node.lines("describe heartrate_iot_data").await.unwrap();
    let expect = [
        pad("heartrate", "int", ""),
        pad("userid", "string", "who"),
        pad("ratetype", "string", ""),
        pad("datetime", "string", ""),
        pad("year", "int", ""),
        pad("month", "string", ""),
        "\t \t ".to_owned(),
        "# Partition Information\t \t ".to_owned(),
        pad("# col_name", "data_type", "comment"),
        "\t \t ".to_owned(),
        pad("year", "int", ""),
        pad("month", "string", ""),
    ];
    assert_eq!(described, expect);

    let created = node.lines("show create table heartrate_iot_data").await.unwrap();
    let expect = "CREATE EXTERNAL TABLE `heartrate_iot_data`(
  `heartrate` int,\u{20}
  `userid` string COMMENT 'who',\u{20}
  `ratetype` string,\u{20}
  `datetime` string)
PARTITIONED BY (\u{20}
  `year` int,\u{20}
  `month` string)
ROW FORMAT SERDE\u{20}
  'org.apache.hive.hcatalog.data.JsonSerDe'\u{20}
WITH SERDEPROPERTIES (\u{20}
  'ignore.malformed.json'='true',\u{20}
  'serialization.format'='1')\u{20}
STORED AS INPUTFORMAT\u{20}
  'org.apache.hadoop.mapred.TextInputFormat'\u{20}
OUTPUTFORMAT\u{20}
  'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION
  's3://lake/raw/'
TBLPROPERTIES (
  'classification'='json',\u{20}
  'transient_lastDdlTime'='1503733632')";
    assert_eq!(created.join("\n"), expect);
    let before = node.world.catalog.find("default", "heartrate_iot_data");
    node.run("drop table heartrate_iot_data").await;
    node.run(&created.join("\n")).await;
    assert_eq!(node.world.catalog.find("default", "heartrate_iot_data"), before);

    let formatted = node.lines("describe formatted heartrate_iot_data").await.unwrap();
    for line in [
        pad("Database:", "default", " ").trim_end().to_owned(),
        format!("{:<20}\t{:<20}\t ", "Location:", "s3://lake/raw/").trim_end().to_owned(),
        format!("{:<20}\torg.apache.hive.hcatalog.data.JsonSerDe", "SerDe Library:"),
        format!("{:<20}\tSat Aug 26 07:47:12 UTC 2017", "CreateTime:"),
    ] {
        assert!(formatted.iter().any(|found| found.trim_end() == line), "{line:?} in {formatted:#?}");
    }
    let extended = node.lines("describe extended heartrate_iot_data").await.unwrap();
    let last = extended.last().unwrap();
    assert!(last.starts_with("Detailed Table Information\tTable(tableName:heartrate_iot_data, "), "{last}");
}

#[tokio::test]
async fn what_is_shown_of_a_table() {
    let node = node().await;
    node.run(HEARTRATE).await;
    let not_partitioned = format!("!{TASK} Table flat is not a partitioned table");
    let not_found: &[&str] = &["!FAILED: SemanticException [Error 10001]: Table not found gone"];
    check(
        &node,
        &[
            ("create external table flat (a int) comment 'it\\'s' location 's3://lake/flat/'", &[]),
            ("show columns in flat", &["a                   "]),
            (
                "show tblproperties flat",
                &["EXTERNAL\tTRUE", "comment\tit's", "transient_lastDdlTime\t1503733632"],
            ),
            ("show tblproperties flat('comment')", &["it's"]),
            ("show tblproperties flat('x')", &["Table default.flat does not have property: x"]),
            ("show partitions flat", &[not_partitioned.as_str()]),
            ("msck repair table flat", &[not_partitioned.as_str()]),
            ("show partitions gone", not_found),
            ("show create table gone", not_found),
            ("describe gone", not_found),
            ("show columns in gone", not_found),
            ("show tblproperties gone", not_found),
            ("alter table gone add columns (a int)", not_found),
            ("msck repair table gone", not_found),
        ],
    )
    .await;
}

#[tokio::test]
async fn partitions_come_and_go() {
    let node = node().await;
    node.run(HEARTRATE).await;
    let exists = format!("!{TASK} AlreadyExistsException(message:Partition already exists.)");
    check(
        &node,
        &[
            (
                "alter table heartrate_iot_data add partition (year = 2017, month = '08') partition (year = 2018, \
                 month = 'a/b') location 's3://lake/other/'",
                &[],
            ),
            ("show partitions heartrate_iot_data", &["year=2017/month=08", "year=2018/month=a%2Fb"]),
            (
                "alter table heartrate_iot_data add partition (year = 2017, month = '08')",
                &[exists.as_str()],
            ),
            ("alter table heartrate_iot_data add if not exists partition (year = 2017, month = '08')", &[]),
            (
                "alter table heartrate_iot_data add partition (year = 2017)",
                &["!FAILED: SemanticException partition spec {year=2017} doesn't contain all (2) partition columns"],
            ),
            (
                "alter table heartrate_iot_data add partition (year = 2017, month = '')",
                &["!FAILED: SemanticException [Error 10006]: Partition value is not valid in {year=2017, month=}"],
            ),
            (
                "alter table heartrate_iot_data add partition (day = 1)",
                &["!FAILED: SemanticException Partition spec {day=1} contains non-partition columns"],
            ),
            (
                "alter table heartrate_iot_data partition (year = 2017, month = '08') set location 's3://lake/new/'",
                &[],
            ),
            (
                "alter table heartrate_iot_data partition (year = 1, month = '08') set location 's3://lake/new/'",
                &["!FAILED: SemanticException [Error 10006]: Partition not found (year = '1', month = '08')"],
            ),
        ],
    )
    .await;
    let locations = node.world.catalog.locations("default", "heartrate_iot_data");
    assert_eq!(locations, ["s3://lake/new/", "s3://lake/other/"]);
    check(
        &node,
        &[
            ("alter table heartrate_iot_data drop partition (year = 2018)", &[]),
            ("show partitions heartrate_iot_data", &["year=2017/month=08"]),
            (
                "alter table heartrate_iot_data drop partition (year = 2018)",
                &["!FAILED: SemanticException [Error 10006]: Partition not found (year = '2018')"],
            ),
            ("alter table heartrate_iot_data drop if exists partition (year = 2018)", &[]),
        ],
    )
    .await;
}

#[tokio::test]
async fn repair_finds_folders_that_are_named_like_partitions() {
    let node = node().await;
    node.run(HEARTRATE).await;
    for key in [
        "raw/year=2017/month=08/a",
        "raw/year=2017/month=08/b",
        "raw/Year=2017/month=a%2Fb/a",
        "raw/year=2017/month=",
        "raw/year=2017/object",
        "raw/2017/08/a",
        "raw/year=2018/month=01",
    ] {
        node.world.objects.add("lake", key);
    }
    node.run("alter table heartrate_iot_data add partition (year = 2016, month = '01')").await;
    let table = "heartrate_iot_data";
    let not_in =
        format!("Partitions not in metastore:\t{table}:year=2017/month=08\t{table}:year=2017/month=a%2Fb");
    let added = |path: &str| format!("Repair: Added partition to metastore {table}:{path}");
    assert_eq!(
        node.lines("msck repair table heartrate_iot_data").await.unwrap(),
        [not_in, added("year=2017/month=08"), added("year=2017/month=a%2Fb")]
    );
    assert_eq!(
        node.world.catalog.locations("default", table),
        [
            "s3://lake/raw/year=2016/month=01/",
            "s3://lake/raw/year=2017/month=08/",
            "s3://lake/raw/Year=2017/month=a%2Fb/"
        ]
    );
    assert!(node.lines("msck repair table heartrate_iot_data").await.unwrap().is_empty());
}

#[tokio::test]
async fn columns_properties_and_location_change() {
    let node = node().await;
    let duplicate = format!("!{TASK} Duplicate column name: year");
    check(
        &node,
        &[
            ("create external table t (a int) partitioned by (year int) location 's3://lake/t/'", &[]),
            ("alter table t add columns (B string comment 'x')", &[]),
            ("alter table t add columns (year int)", &[duplicate.as_str()]),
            ("alter table t set tblproperties ('k' = 'v', 'EXTERNAL' = 'TRUE')", &[]),
            ("alter table t set location 's3://lake/new/'", &[]),
            ("show columns in t", &["a                   ", "b                   ", "year                "]),
            ("show tblproperties t('k')", &["v"]),
            ("alter table t replace columns (c bigint)", &[]),
            ("show columns in t", &["c                   ", "year                "]),
        ],
    )
    .await;
    assert_eq!(node.world.catalog.find("default", "t").storage.location, "s3://lake/new/");
}

#[tokio::test]
async fn a_view_of_another_client_is_dropped_as_a_view_only() {
    let node = node().await;
    let view = ports::Table {
        database: "default".to_owned(),
        name: "v".to_owned(),
        table_type: Some("VIRTUAL_VIEW".to_owned()),
        description: None,
        columns: Vec::new(),
        partition_keys: Vec::new(),
        storage: Storage::default(),
        parameters: Vec::new(),
        created_at: NOW,
    };
    node.world.catalog.insert(view);
    let not_a_table = format!("!{TASK} Cannot drop a view with DROP TABLE");
    let is_view = format!("!{TASK} v is a view, not a table");
    check(
        &node,
        &[
            ("create external table t (a int) location 's3://lake/t/'", &[]),
            ("drop table v", &[not_a_table.as_str()]),
            ("show create table v", &[is_view.as_str()]),
            ("drop view v", &[]),
            ("drop view v", &["!line 1:1: View 'awsdatacatalog.default.v' does not exist"]),
            ("drop view if exists v", &[]),
            (
                "drop view t",
                &["!line 1:1: View 'awsdatacatalog.default.t' does not exist, but a table with that name exists. Did \
                   you mean DROP TABLE awsdatacatalog.default.t?"],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_database_of_the_context_is_that_of_names_without_one() {
    let node = node().await;
    node.run("create database iot").await;
    let sql = "create external table t (a int) location 's3://lake/t/'";
    let context = serde_json::json!({"Database": "IOT"});
    let execution =
        node.run_with(serde_json::json!({"QueryString": sql, "QueryExecutionContext": context})).await;
    assert_eq!(execution["StatementType"], "DDL");
    assert_eq!(execution["SubstatementType"], "CREATE_TABLE");
    assert_eq!(node.lines("show tables in iot").await.unwrap(), ["t"]);
}

#[tokio::test]
async fn a_meaning_hive_refuses_fails_the_execution() {
    let node = node().await;
    let execution =
        node.run("create external table t (a int) stored as floppy location 's3://lake/t/'").await;
    let sentence = "FAILED: SemanticException Unrecognized file format in STORED AS clause: 'FLOPPY'";
    assert_eq!(execution["Status"]["StateChangeReason"], sentence);
    assert_eq!(execution["Status"]["AthenaError"]["ErrorType"], 1003);
    let said =
        node.said("StartQueryExecution", serde_json::json!({"QueryString": "create external t"})).await;
    assert!(said.starts_with("InvalidRequestException: FAILED: ParseException line 1:"), "{said}");
}
