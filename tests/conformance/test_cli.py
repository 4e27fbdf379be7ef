"""AWS CLI version 1: S3, Firehose and Athena as its users type them."""

import json
import sys
from pathlib import Path

from conftest import wait_for

AWS = str(Path(sys.executable).parent / "aws")


def aws(node, *arguments):
    return node.run(AWS, *arguments)


def test_s3_cp_ls_and_sync(node, tmp_path):
    aws(node, "s3", "mb", "s3://cli-bucket")
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "a.txt").write_text("alpha")
    (source / "deep" / "b c+ü.txt").write_text("beta")
    big = bytes(range(256)) * 40_000
    (source / "big.bin").write_bytes(big)
    aws(node, "s3", "cp", str(source / "a.txt"), "s3://cli-bucket/one/a.txt")
    listing = aws(node, "s3", "ls", "s3://cli-bucket/one/")
    assert "a.txt" in listing and " 5 " in listing
    aws(node, "s3", "sync", str(source), "s3://cli-bucket/tree")
    assert aws(node, "s3", "sync", str(source), "s3://cli-bucket/tree") == ""
    target = tmp_path / "target"
    aws(node, "s3", "sync", "s3://cli-bucket/tree", str(target))
    assert (target / "big.bin").read_bytes() == big
    assert (target / "deep" / "b c+ü.txt").read_text() == "beta"
    aws(node, "s3", "rm", "--recursive", "s3://cli-bucket")
    aws(node, "s3", "rb", "s3://cli-bucket")
    assert "cli-bucket" not in aws(node, "s3", "ls")


def test_firehose_put_record_and_athena(node):
    aws(node, "s3", "mb", "s3://cli-lake")
    configuration = {
        "RoleARN": "arn:aws:iam::000000000000:role/firehose",
        "BucketARN": "arn:aws:s3:::cli-lake",
        "Prefix": "t/",
        "CompressionFormat": "GZIP",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1},
    }
    aws(
        node, "firehose", "create-delivery-stream", "--delivery-stream-name", "cli",
        "--extended-s3-destination-configuration", json.dumps(configuration),
    )
    for n in range(3):
        record = json.dumps({"Data": json.dumps({"n": n}) + "\n"})
        answer = aws(node, "firehose", "put-record", "--delivery-stream-name", "cli", "--record", record)
        assert json.loads(answer)["RecordId"]
    ddl = (
        "CREATE EXTERNAL TABLE cli_t (n int) "
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://cli-lake/t/'"
    )

    def run(sql):
        started = aws(node, "athena", "start-query-execution", "--query-string", sql)
        execution = json.loads(started)["QueryExecutionId"]

        def state():
            out = aws(node, "athena", "get-query-execution", "--query-execution-id", execution)
            status = json.loads(out)["QueryExecution"]["Status"]
            assert status["State"] not in ("FAILED", "CANCELLED"), status
            return status["State"] == "SUCCEEDED"

        wait_for(state, 60, sql)
        out = aws(node, "athena", "get-query-results", "--query-execution-id", execution)
        return [[c.get("VarCharValue") for c in row["Data"]] for row in json.loads(out)["ResultSet"]["Rows"]]

    run(ddl)
    assert run("SELECT sum(n), count(*) FROM cli_t") == [["_col0", "_col1"], ["3", "3"]]
    wait_for(lambda: ".gz" in aws(node, "s3", "ls", "--recursive", "s3://cli-lake/t/"), 30, "the delivery")
    assert run("SELECT sum(n), count(*) FROM cli_t") == [["_col0", "_col1"], ["3", "3"]]


def test_who_am_i(node):
    identity = json.loads(aws(node, "sts", "get-caller-identity"))
    assert identity["Arn"] == "arn:aws:iam::000000000000:root"
