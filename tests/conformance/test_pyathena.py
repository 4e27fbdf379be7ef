"""PyAthena, as people use it: a DB-API connection, its cursors, values of every type, errors, cancelling, pages, the catalog."""

import threading
from datetime import date, datetime
from decimal import Decimal

import pytest
from boto3 import Session
from pyathena import connect
from pyathena.cursor import Cursor, DictCursor
from pyathena.error import OperationalError

from conftest import query

ROWS = 2500


@pytest.fixture(scope="module")
def lake(node):
    """A database with one table of `ROWS` rows."""
    s3, athena = node.client("s3"), node.client("athena")
    s3.create_bucket(Bucket="lake")
    lines = "".join(f'{{"n": {n}, "name": "row {n}"}}\n' for n in range(ROWS))
    s3.put_object(Bucket="lake", Key="numbers/all.json", Body=lines.encode())
    query(athena, "CREATE DATABASE measured")
    query(
        athena,
        "CREATE EXTERNAL TABLE measured.numbers (n int COMMENT 'counts', name string) PARTITIONED BY (day string) "
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://lake/numbers/'",
    )
    query(athena, "ALTER TABLE measured.numbers ADD PARTITION (day = 'd') LOCATION 's3://lake/numbers/'")
    return node


@pytest.fixture
def connection(lake):
    env = lake.environment
    session = Session(
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
        region_name=env["AWS_REGION"],
    )
    with connect(
        session=session,
        endpoint_url=env["AWS_ENDPOINT_URL"],
        region_name=env["AWS_REGION"],
        s3_staging_dir="s3://lake/results/",
        schema_name="measured",
        poll_interval=0.05,
    ) as connection:
        yield connection


def test_a_cursor_describes_and_fetches(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT n, name FROM numbers ORDER BY n LIMIT 3")
    assert [(column[0], column[1]) for column in cursor.description] == [("n", "integer"), ("name", "varchar")]
    assert cursor.fetchone() == (0, "row 0")
    assert cursor.fetchmany(1) == [(1, "row 1")]
    assert cursor.fetchall() == [(2, "row 2")]
    assert cursor.fetchone() is None
    assert cursor.state == "SUCCEEDED" and cursor.statement_type == "DML"
    assert cursor.output_location.startswith("s3://lake/results/")
    assert cursor.data_scanned_in_bytes > 0 and cursor.total_execution_time_in_millis >= 0


def test_a_dict_cursor_names_its_columns(connection):
    cursor = connection.cursor(DictCursor)
    cursor.execute("SELECT n, name FROM numbers ORDER BY n LIMIT 2")
    assert cursor.fetchall() == [{"n": 0, "name": "row 0"}, {"n": 1, "name": "row 1"}]


@pytest.mark.parametrize(
    "sql, kind, value",
    [
        ("1", "integer", 1),
        ("BIGINT '9007199254740993'", "bigint", 9007199254740993),
        ("CAST(1 AS smallint)", "smallint", 1),
        ("CAST(1 AS tinyint)", "tinyint", 1),
        ("1.5e0", "double", 1.5),
        ("CAST(0.25 AS real)", "float", 0.25),
        ("'a, \"b\"\n'", "varchar", 'a, "b"\n'),
        ("''", "varchar", ""),
        ("true", "boolean", True),
        ("DATE '2017-08-26'", "date", date(2017, 8, 26)),
        ("TIMESTAMP '2017-08-26 01:02:03.456'", "timestamp", datetime(2017, 8, 26, 1, 2, 3, 456000)),
        ("CAST('1234.50' AS decimal(10, 2))", "decimal", Decimal("1234.50")),
        ("ARRAY[1, 2]", "array", [1, 2]),
        ("CAST(NULL AS double)", "double", None),
        ("CAST(NULL AS varchar)", "varchar", None),
    ],
)
def test_a_value_comes_as_its_python_type(connection, sql, kind, value):
    cursor = connection.cursor()
    cursor.execute(f"SELECT {sql} AS v")
    assert (cursor.description[0][1], cursor.fetchall()) == (kind, [(value,)])


def test_an_array_is_text_to_athena_itself(lake):
    assert query(lake.client("athena"), "SELECT ARRAY['a', 'b'] AS v") == [["v"], ["[a, b]"]]


def test_parameters_are_formatted_or_sent(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT n FROM numbers WHERE name = %(name)s", {"name": "row 7"})
    assert cursor.fetchall() == [(7,)]
    cursor.execute("SELECT n FROM numbers WHERE name = ?", ["'row 8'"], paramstyle="qmark")
    assert cursor.fetchall() == [(8,)]


@pytest.mark.parametrize(
    "sql, said",
    [
        ("SELECT nope FROM numbers", "COLUMN_NOT_FOUND"),
        ("SELECT 1 FROM nope", "TABLE_NOT_FOUND"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO"),
    ],
)
def test_a_statement_that_fails_says_why(connection, sql, said):
    with pytest.raises(OperationalError, match=said):
        connection.cursor().execute(sql)


def test_a_statement_that_does_not_parse_is_refused(connection):
    with pytest.raises(Exception, match="line 1:1: mismatched input 'SELET'"):
        connection.cursor().execute("SELET 1")


def test_rows_come_in_pages(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT n FROM numbers ORDER BY n")
    assert [row[0] for row in cursor] == list(range(ROWS))
    assert cursor.rownumber == ROWS


def test_a_running_query_is_cancelled(connection):
    cursor = connection.cursor()
    started = threading.Event()
    ended = {}

    def run():
        try:
            cursor.execute(
                "SELECT count(*) FROM numbers a, numbers b, numbers c, numbers d WHERE a.n + b.n + c.n + d.n = -1",
                on_start_query_execution=lambda _: started.set(),
            )
        except OperationalError as error:
            ended["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(30)
    cursor.cancel()
    thread.join(30)
    assert not thread.is_alive()
    assert "error" in ended or cursor.state == "CANCELLED"


def test_the_catalog_is_listed(connection):
    cursor = connection.cursor()
    assert {database.name for database in cursor.list_databases("AwsDataCatalog")} >= {"default", "measured"}
    tables = cursor.list_table_metadata("AwsDataCatalog", "measured")
    assert [table.name for table in tables] == ["numbers"]
    table = cursor.get_table_metadata("numbers", "AwsDataCatalog", "measured")
    assert [(column.name, column.type, column.comment) for column in table.columns] == [
        ("n", "int", "counts"),
        ("name", "string", None),
    ]
    assert [key.name for key in table.partition_keys] == ["day"]
    assert table.table_type == "EXTERNAL_TABLE" and table.location == "s3://lake/numbers/"


def test_statements_on_the_catalog_have_rows(connection):
    cursor = connection.cursor()
    cursor.execute("SHOW TABLES IN measured")
    assert cursor.fetchall() == [("numbers",)]
    cursor.execute("SHOW PARTITIONS numbers")
    assert cursor.fetchall() == [("day=d",)]
    cursor.execute("DESCRIBE numbers")
    assert any("counts" in row[0] for row in cursor.fetchall())


def test_a_cached_result_is_found_again(connection):
    first = connection.cursor(Cursor).execute("SELECT count(*) FROM numbers")
    again = connection.cursor(Cursor).execute("SELECT count(*) FROM numbers", cache_size=50)
    assert again.query_id == first.query_id
    assert again.fetchall() == [(ROWS,)]
