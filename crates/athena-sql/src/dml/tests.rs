//! Queries by example: what is read, as `sqlparser` prints it again, and what is refused, and where.

use crate::parse;
use crate::statement::Statement;

fn shown(sql: &str) -> String {
    match parse(sql) {
        Ok(Statement::Query(ast) | Statement::Explain(ast)) => ast.to_string(),
        Ok(other) => format!("{other:?}"),
        Err(err) => err.to_string(),
    }
}

/// Read, and printed as given.
#[test]
fn trino_is_read() {
    for sql in [
        "SELECT 1",
        "SELECT userid, sum(heartrate) AS total FROM heartrate_iot_data GROUP BY userid ORDER BY 2 DESC LIMIT 10",
        "SELECT * FROM awsdatacatalog.iot.heartrate_iot_data",
        r#"SELECT "t"."heartRate" FROM "AwsDataCatalog"."iot"."heartrate_iot_data" AS t"#,
        r#"SELECT "$path" FROM t"#,
        "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT * FROM b",
        "SELECT x FROM t WHERE y BETWEEN 1 AND 2 AND z LIKE 'a%' ESCAPE '\\'",
        "SELECT count(*) FILTER (WHERE x > 1) FROM t",
        "SELECT transform(xs, x -> x + 1), reduce(xs, 0, (s, x) -> s + x, s -> s) FROM t",
        "SELECT approx_percentile(heartrate, 0.95), arbitrary(userid), max_by(a, b) FROM t",
        "SELECT date_trunc('hour', from_iso8601_timestamp(ts)), date_add('day', -1, now()) FROM t",
        "SELECT CAST(x AS DECIMAL(10,2)), TRY_CAST(y AS BIGINT), CAST(z AS TIMESTAMP(3) WITH TIME ZONE) FROM t",
        "SELECT TIMESTAMP '2017-08-26 07:47:12.345', DATE '2017-08-26', INTERVAL '1' DAY",
        "SELECT ts AT TIME ZONE 'UTC', EXTRACT(HOUR FROM ts) FROM t",
        "SELECT row_number() OVER (PARTITION BY userid ORDER BY ts DESC) FROM t",
        "SELECT sum(x) OVER (ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM t",
        "SELECT ARRAY[1, 2], m['k'], xs[1] FROM t",
        "SELECT n FROM t CROSS JOIN UNNEST(xs) WITH ORDINALITY AS u (n, i)",
        "SELECT * FROM t TABLESAMPLE BERNOULLI (10)",
        "SELECT a FROM t GROUP BY GROUPING SETS ((a), ())",
        "SELECT a, b, count(*) FROM t GROUP BY CUBE (a, b)",
        "SELECT if(a IS NULL, 0, a), coalesce(a, b) FROM t WHERE a IN (SELECT b FROM u) AND EXISTS (SELECT 1)",
        "SELECT CASE WHEN a > 100 THEN 'HIGH' WHEN a < 60 THEN 'LOW' ELSE 'NORMAL' END FROM t",
        "SELECT * FROM t WHERE a = ? AND b = ?",
        "SELECT 'it''s', X'65683F'",
        "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t (x, y)",
        "SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3",
        "SELECT * FROM t OFFSET 5 LIMIT 10",
        "SELECT * FROM t FETCH FIRST 5 ROWS ONLY",
        "SELECT DISTINCT a FROM t INNER JOIN u USING(id) LEFT JOIN v ON t.id = v.id",
        "VALUES (1, 2), (3, 4)",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN (SELECT 1)",
        "EXPLAIN (FORMAT JSON) SELECT 1",
        "EXPLAIN (TYPE VALIDATE) SELECT 1",
    ] {
        let again = shown(sql);
        let same = |text: &str| text.replace(' ', "").to_lowercase();
        let offset_first = again.replace("LIMIT 10 OFFSET 5", "OFFSET 5 LIMIT 10");
        assert_eq!(same(&offset_first), same(sql), "{sql}");
    }
}

#[test]
fn trino_forms_that_are_rewritten() {
    for (sql, expect) in [
        ("VALUES 1, 2 ORDER BY 1", "VALUES (1), (2) ORDER BY 1"),
        ("SELECT * FROM (VALUES f(1, 2), 3)", "SELECT * FROM (VALUES (f(1, 2)), (3))"),
        ("SELECT CAST(x AS ARRAY(integer))", "SELECT CAST(x AS ARRAY<INTEGER>)"),
        ("SELECT CAST(x AS MAP(varchar, ARRAY(bigint)))", "SELECT CAST(x AS Map(VARCHAR, ARRAY<BIGINT>))"),
        (
            "SELECT CAST(ROW(1, 2) AS ROW(a integer, \"B\" decimal(3,1))) AS r",
            "SELECT CAST(ROW(1, 2) AS STRUCT<a INTEGER, \"B\" DECIMAL(3,1)>) AS r",
        ),
        (
            "SELECT TRY_CAST(j AS ARRAY(ROW(a ROW(b bigint))))",
            "SELECT TRY_CAST(j AS ARRAY<STRUCT<a STRUCT<b BIGINT>>>)",
        ),
        ("SELECT CAST(x AS ROW(varchar, double))", "SELECT CAST(x AS STRUCT<VARCHAR, DOUBLE>)"),
        ("select 1 ;; -- done", "SELECT 1"),
    ] {
        assert_eq!(shown(sql), expect, "{sql}");
    }
}

#[test]
fn refusals_say_where() {
    for (sql, expect) in [
        (
            "SELECT * FROM `t`",
            "line 1:15: backquoted identifiers are not supported; use double quotes to quote identifiers",
        ),
        (
            "SELECT 1 FROM 2017_t",
            "line 1:15: identifiers must not start with a digit; surround the identifier with double quotes",
        ),
        ("SELECT", "line 1:7: mismatched input '<EOF>'. Expecting: <expression>"),
        ("SELECT * FROM", "line 1:14: mismatched input '<EOF>'. Expecting: <identifier>"),
        ("SELECT *\nFROM t\nWHERE )", "line 3:7: mismatched input ')'. Expecting: <expression>"),
        ("SELECT * FROM t WHERE a = 1 b", "line 1:29: mismatched input 'b'. Expecting: <EOF>"),
        ("SELECT (1", "line 1:10: mismatched input '<EOF>'. Expecting: )"),
        ("WITH a AS SELECT 1", "line 1:11: mismatched input 'SELECT'. Expecting: ("),
        ("VALUES", "line 1:7: mismatched input '<EOF>'. Expecting: ("),
        ("SELECT 'a", "line 1:8: mismatched input '''. Expecting: <expression>"),
        ("WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "Queries of this type are not supported"),
        ("SELECT * FROM (INSERT INTO t VALUES (1))", "Queries of this type are not supported"),
        ("EXPLAIN INSERT INTO t VALUES (1)", "Queries of this type are not supported"),
        ("EXPLAIN t", "line 1:9: mismatched input 't'. Expecting: <query>"),
        ("SELECT 1, FROM t", "line 1:11: mismatched input 'FROM'. Expecting: <expression>"),
        ("SELECT * FROM t LIMIT 1, 2", "line 1:24: mismatched input ','. Expecting: <EOF>"),
    ] {
        assert_eq!(shown(sql), expect, "{sql}");
    }
}

/// Read, walked and dropped on a test thread's two megabytes, or refused.
#[test]
fn depth_is_bounded() {
    let too_large = "line 1:1: statement is too large (stack overflow while parsing)";
    for (open, close) in
        [("(", ")"), ("f(", ")"), ("ARRAY[", "]"), ("NOT ", ""), ("- ", ""), ("CAST(", " AS int)")]
    {
        let sql = format!("SELECT {}1{}", open.repeat(20_000), close.repeat(20_000));
        assert_eq!(shown(&sql), too_large, "{open}");
    }
    for chain in ["+1", " OR a", " AND b", " UNION SELECT 1", " IS NULL", " || 'x'", "::int"] {
        let sql = format!("SELECT 1{}", chain.repeat(60_000));
        assert_eq!(shown(&sql), too_large, "{chain}");
    }
    for kind in ["ARRAY(", "ROW(a ", "MAP(int,"] {
        let sql = format!("SELECT CAST(1 AS {}int{})", kind.repeat(20_000), ")".repeat(20_000));
        assert_eq!(shown(&sql), too_large, "{kind}");
    }
    for chain in ["+1", " OR a = 1 AND b = 2", " UNION SELECT 1, 2", " IS NULL"] {
        let sql = format!("SELECT 1{}", chain.repeat(1_490));
        assert!(parse(&sql).is_ok(), "{chain}");
    }
    let many = format!("SELECT * FROM t WHERE x IN ({}1) OR x = 1", "1, ".repeat(20_000));
    assert!(parse(&many).is_ok());
}
