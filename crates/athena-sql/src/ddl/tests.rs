//! Hive DDL by example: the statement, and a one-line summary of what was understood or Athena's error.

use std::fmt::Write as _;

use super::storage::Storage;
use super::*;

fn properties(properties: &[(String, String)]) -> String {
    let pairs: Vec<String> = properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{{{}}}", pairs.join(","))
}

fn columns(columns: &[Column]) -> String {
    let shown = |c: &Column| {
        let comment = c.comment.as_ref().map_or_else(String::new, |text| format!(" '{text}'"));
        format!("{} {}{comment}", c.name, c.ty)
    };
    columns.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn name(name: &TableName) -> String {
    format!("{}{}", name.database.as_ref().map_or_else(String::new, |db| format!("{db}.")), name.table)
}

fn optional<T: std::fmt::Debug>(label: &str, value: Option<&T>) -> String {
    value.map_or_else(String::new, |value| format!(" {label} {value:?}"))
}

fn flag(label: &str, set: bool) -> &str {
    if set { label } else { "" }
}

fn table_summary(table: &CreateTable) -> String {
    let storage = Storage::of(table);
    let last = |class: &str| class.rsplit('.').next().unwrap_or_default().to_owned();
    let mut out = format!(
        "create {}{} ({})",
        flag("if-absent ", table.if_not_exists),
        name(&table.name),
        columns(&table.columns)
    );
    if !table.partition_columns.is_empty() {
        write!(out, " by ({})", columns(&table.partition_columns)).unwrap();
    }
    if let Some(buckets) = &table.buckets {
        write!(out, " buckets {}:{}", buckets.columns.join(","), buckets.count).unwrap();
    }
    out += &optional("comment", table.comment.as_ref());
    write!(
        out,
        " {}/{}{}",
        last(&storage.input_format),
        last(&storage.serde),
        properties(&storage.serde_properties)
    )
    .unwrap();
    out += &optional("at", table.location.as_ref());
    if !table.properties.is_empty() {
        write!(out, " {}", properties(&table.properties)).unwrap();
    }
    out
}

fn change_summary(change: &TableChange) -> String {
    match change {
        TableChange::AddPartitions { if_not_exists, partitions } => {
            let shown =
                |p: &NewPartition| format!("{}{}", properties(&p.spec), optional("at", p.location.as_ref()));
            let partitions: Vec<String> = partitions.iter().map(shown).collect();
            format!("add {}{}", flag("if-absent ", *if_not_exists), partitions.join(" "))
        }
        TableChange::DropPartitions { if_exists, partitions } => {
            let partitions: Vec<String> = partitions.iter().map(|spec| properties(spec)).collect();
            format!("drop {}{}", flag("if-present ", *if_exists), partitions.join(" "))
        }
        TableChange::SetProperties(set) => format!("set {}", properties(set)),
        TableChange::AddColumns(added) => format!("add ({})", columns(added)),
        TableChange::ReplaceColumns(new) => format!("replace ({})", columns(new)),
        TableChange::SetLocation { partition, location } => {
            let partition = partition.as_ref().map_or_else(String::new, |spec| properties(spec));
            format!("move {partition} to {location}")
        }
    }
}

fn summary(sql: &str) -> String {
    let ddl = match parse(sql) {
        Ok(ddl) => ddl,
        Err(err) => return err.to_string(),
    };
    match &ddl {
        Ddl::CreateDatabase(db) => format!(
            "create database {}{}{}{} {}",
            flag("if-absent ", db.if_not_exists),
            db.name,
            optional("comment", db.comment.as_ref()),
            optional("at", db.location.as_ref()),
            properties(&db.properties)
        ),
        Ddl::DropDatabase { name, if_exists, cascade } => {
            format!("drop database {}{name}{}", flag("if-present ", *if_exists), flag(" cascade", *cascade))
        }
        Ddl::CreateTable(table) => table_summary(table),
        Ddl::DropTable { name: table, if_exists } => {
            format!("drop table {}{}", flag("if-present ", *if_exists), name(table))
        }
        Ddl::DropView { name: view, if_exists } => {
            format!("drop view {}{}", flag("if-present ", *if_exists), name(view))
        }
        Ddl::AlterTable { table, change } => format!("alter {} {}", name(table), change_summary(change)),
        Ddl::RepairTable { table } => format!("repair {}", name(table)),
        Ddl::ShowDatabases { pattern } => format!("databases{}", optional("like", pattern.as_ref())),
        Ddl::ShowTables { database, pattern } => {
            format!("tables{}{}", optional("in", database.as_ref()), optional("like", pattern.as_ref()))
        }
        Ddl::ShowColumns { table } => format!("columns of {}", name(table)),
        Ddl::ShowPartitions { table } => format!("partitions of {}", name(table)),
        Ddl::ShowCreateTable { table } => format!("ddl of {}", name(table)),
        Ddl::ShowTableProperties { table, property } => {
            format!("properties of {}{}", name(table), optional("only", property.as_ref()))
        }
        Ddl::DescribeTable { table, detail } => format!("describe {} {detail:?}", name(table)),
    }
}

fn check(sql: &str, expect: &str) {
    assert_eq!(summary(sql), expect, "{sql}");
    let with_semicolon = format!("{sql} ;\n");
    if !expect.starts_with("FAILED") {
        assert_eq!(summary(&with_semicolon), expect, "{with_semicolon}");
    }
}

#[test]
fn the_heart_rate_table_in_any_case() {
    let sql = "CREATE EXTERNAL TABLE heartrate_iot_data (heartRate int, userId string, rateType string, dateTime timestamp) ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe' WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true') LOCATION 's3://pydata.iot.pipeline/heartrate_data/'";
    let expect = "create heartrate_iot_data (heartrate int, userid string, ratetype string, datetime timestamp) \
                  TextInputFormat/JsonSerDe{ignore.malformed.json=true,serialization.format=1} \
                  at \"s3://pydata.iot.pipeline/heartrate_data/\"";
    check(sql, expect);
    // Keywords and names in either case; what is in quotes stays.
    for change in [str::to_uppercase, str::to_lowercase] {
        let mut quoted = false;
        let parts: Vec<String> = sql
            .split('\'')
            .map(|part| {
                quoted = !quoted;
                if quoted { change(part) } else { part.to_owned() }
            })
            .collect();
        check(&parts.join("'"), expect);
    }
}

#[test]
fn databases() {
    for (sql, expect) in [
        ("create database `my-db` comment 'it\\'s'", "create database my-db comment \"it's\" {}"),
        (
            "CREATE SCHEMA IF NOT EXISTS D COMMENT 'c' LOCATION 's3://b/' WITH DBPROPERTIES ('k'='v', 'l'='w')",
            "create database if-absent d comment \"c\" at \"s3://b/\" {k=v,l=w}",
        ),
        ("drop database x", "drop database x"),
        ("drop schema if exists `x` cascade", "drop database if-present x cascade"),
        ("DROP DATABASE x RESTRICT", "drop database x"),
        ("show databases", "databases"),
        ("show schemas like 'a*|b*'", "databases like \"a*|b*\""),
    ] {
        check(sql, expect);
    }
}

#[test]
fn tables() {
    for (sql, expect) in [
        (
            "CREATE EXTERNAL TABLE IF NOT EXISTS db.t (a int COMMENT 'first', b array<struct<X:map<string,double>>>)
             COMMENT 'about' PARTITIONED BY (year string, month int COMMENT 'm')
             STORED AS PARQUET LOCATION 's3://b/p/' TBLPROPERTIES ('parquet.compression'='SNAPPY')",
            "create if-absent db.t (a int 'first', b array<struct<X:map<string,double>>>) by (year string, month int 'm') comment \"about\" MapredParquetInputFormat/ParquetHiveSerDe{serialization.format=1} at \"s3://b/p/\" {parquet.compression=SNAPPY}",
        ),
        (
            "create external table t (a int) row format delimited fields terminated by ',' escaped by '\\\\' collection items terminated by '|' map keys terminated by ':' lines terminated by '\\n' null defined as '-' stored as textfile location 's3://b/'",
            "create t (a int) TextInputFormat/LazySimpleSerDe{field.delim=,,serialization.format=,,escape.delim=\\,colelction.delim=|,mapkey.delim=:,line.delim=\n,serialization.null.format=-} at \"s3://b/\"",
        ),
        (
            "create external table t (`date` date, timestamp timestamp, user string) stored as inputformat 'a.In' outputformat 'a.Out' location 's3://b/'",
            "create t (date date, timestamp timestamp, user string) In/LazySimpleSerDe{serialization.format=1} at \"s3://b/\"",
        ),
        (
            "create external table t (a int) clustered by (a) into 8 buckets row format serde 'x.Y' stored as orc with serdeproperties ('serialization.format'='9') location 's3://b/'",
            "create t (a int) buckets a:8 OrcInputFormat/Y{serialization.format=9} at \"s3://b/\"",
        ),
        ("create external table 2017_t (a int)", "create 2017_t (a int) TextInputFormat/LazySimpleSerDe{serialization.format=1}"),
        ("drop table if exists `db`.`t`", "drop table if-present db.t"),
        ("drop view v", "drop view v"),
        ("msck repair table db.t", "repair db.t"),
        ("show tables", "tables"),
        ("show tables in db '*x'", "tables in \"db\" like \"*x\""),
        ("show tables like 'a*'", "tables like \"a*\""),
        ("show columns in db.t", "columns of db.t"),
        ("show columns from t from db", "columns of db.t"),
        ("show partitions t", "partitions of t"),
        ("show create table t", "ddl of t"),
        ("show tblproperties t", "properties of t"),
        ("show tblproperties t('k')", "properties of t only \"k\""),
        ("describe t", "describe t Columns"),
        ("desc extended db.t", "describe db.t Extended"),
        ("DESCRIBE FORMATTED t", "describe t Formatted"),
        ("/* a */ describe -- b\n t", "describe t Columns"),
    ] {
        check(sql, expect);
    }
}

#[test]
fn alterations() {
    for (sql, expect) in [
        (
            "ALTER TABLE db.t ADD IF NOT EXISTS PARTITION (year='2017', month=8) LOCATION 's3://b/1/' PARTITION (Year=\"2018\", month=-1)",
            "alter db.t add if-absent {year=2017,month=8} at \"s3://b/1/\" {year=2018,month=-1}",
        ),
        ("alter table t add partition (d = date '2017-08-26')", "alter t add {d=2017-08-26}"),
        (
            "alter table t drop if exists partition (a=1), partition (a=2.5)",
            "alter t drop if-present {a=1} {a=2.5}",
        ),
        ("alter table t set tblproperties ('a'='b')", "alter t set {a=b}"),
        ("alter table t add columns (a int, b string comment 'x')", "alter t add (a int, b string 'x')"),
        ("alter table t replace columns (a int)", "alter t replace (a int)"),
        ("alter table t set location 's3://b/'", "alter t move  to s3://b/"),
        ("alter table t partition (a='1') set location 's3://b/'", "alter t move {a=1} to s3://b/"),
    ] {
        check(sql, expect);
    }
}

#[test]
fn refusals_say_where() {
    for (sql, expect) in [
        (
            "create external t",
            "FAILED: ParseException line 1:16 mismatched input 't' expecting TABLE near 'external' in create table statement",
        ),
        (
            "create external table t (a int",
            "FAILED: ParseException line 1:30 mismatched input '<EOF>' expecting ) near 'int' in create table statement",
        ),
        (
            "create external table t\n  (a map, b int)",
            "FAILED: ParseException line 2:8 mismatched input ',' expecting < near 'map' in map type",
        ),
        (
            "create external table t (a)",
            "FAILED: ParseException line 1:26 cannot recognize input near ')' '<EOF>' '<EOF>' in column type",
        ),
        (
            "create external table \"t\" (a int)",
            "FAILED: ParseException line 1:22 cannot recognize input near '\"t\"' '(' 'a' in table name",
        ),
        (
            "create external table _t (a int)",
            "FAILED: ParseException line 1:22 cannot recognize input near '_t' '(' 'a' in table name",
        ),
        (
            "create external table t (select int)",
            "FAILED: ParseException line 1:25 cannot recognize input near 'select' 'int' ')' in column specification",
        ),
        (
            "create external table t (a int) location s3",
            "FAILED: ParseException line 1:41 mismatched input 's3' expecting StringLiteral near 'location' in table location specification",
        ),
        (
            "create external table t (a int) location 's3://b/' stored as orc",
            "FAILED: ParseException line 1:51 missing EOF at 'stored' near ''s3://b/''",
        ),
        (
            "create external table t (a int) stored as xml",
            "FAILED: SemanticException Unrecognized file format in STORED AS clause: 'XML'",
        ),
        (
            "create external table t (a int) row format xml",
            "FAILED: ParseException line 1:43 cannot recognize input near 'xml' '<EOF>' '<EOF>' in row format specification",
        ),
        (
            "create external table t (a int) clustered by (a) into 0 buckets",
            "FAILED: SemanticException Bucket count must be greater than zero",
        ),
        (
            "create external table t (a decimal(99))",
            "FAILED: SemanticException Decimal precision out of allowed range [1,38]",
        ),
        (
            "create external table t (a int) tblproperties ('a' 'b')",
            "FAILED: ParseException line 1:51 mismatched input ''b'' expecting = near ''a'' in table properties",
        ),
        (
            "create database",
            "FAILED: ParseException line 1:15 cannot recognize input near '<EOF>' '<EOF>' '<EOF>' in create database statement",
        ),
        (
            "create database if exists x",
            "FAILED: ParseException line 1:19 mismatched input 'exists' expecting NOT near 'if' in create database statement",
        ),
        (
            "create index i",
            "FAILED: ParseException line 1:0 cannot recognize input near 'create' 'index' 'i' in ddl statement",
        ),
        (
            "drop function f",
            "FAILED: ParseException line 1:0 cannot recognize input near 'drop' 'function' 'f' in ddl statement",
        ),
        (
            "show me",
            "FAILED: ParseException line 1:0 cannot recognize input near 'show' 'me' '<EOF>' in ddl statement",
        ),
        (
            "show columns t",
            "FAILED: ParseException line 1:13 mismatched input 't' expecting FROM near 'columns' in show statement",
        ),
        (
            "drop table t purge",
            "FAILED: ParseException line 1:13 extraneous input 'purge' expecting EOF near '<EOF>'",
        ),
        (
            "alter table t rename to u",
            "FAILED: ParseException line 1:14 cannot recognize input near 'rename' 'to' 'u' in alter table statement",
        ),
        (
            "alter view v",
            "FAILED: ParseException line 1:6 mismatched input 'view' expecting TABLE near 'alter' in alter table statement",
        ),
        (
            "alter table t add partition (a)",
            "FAILED: ParseException line 1:30 mismatched input ')' expecting = near 'a' in partition specification",
        ),
        (
            "alter table t add partition (a=b)",
            "FAILED: ParseException line 1:31 cannot recognize input near 'b' ')' '<EOF>' in constant",
        ),
        (
            "msck table t",
            "FAILED: ParseException line 1:5 mismatched input 'table' expecting REPAIR near 'msck' in metastore check statement",
        ),
        (
            "describe",
            "FAILED: ParseException line 1:8 cannot recognize input near '<EOF>' '<EOF>' '<EOF>' in table name",
        ),
        ("describe t #", "FAILED: ParseException line 1:11 character '#' not supported here"),
    ] {
        check(sql, expect);
    }
}
