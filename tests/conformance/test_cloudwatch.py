"""CloudWatch as boto3 speaks it in three protocols, the AWS CLI, Prometheus; and what kill -9 leaves."""

import datetime
import json
import re
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import cloudwatch
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from conftest import Node, wait_for

AWS = str(Path(sys.executable).parent / "aws")
KILLS = 5


def minute():
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.replace(second=0, microsecond=0)


def statistics(client, name, more=None, namespace="App", back=10):
    window = {
        "Namespace": namespace,
        "MetricName": name,
        "StartTime": minute() - datetime.timedelta(minutes=back),
        "EndTime": minute() + datetime.timedelta(minutes=2),
        "Period": 60,
        "Statistics": ["Sum", "SampleCount"],
    }
    return client.get_metric_statistics(**(window | (more or {})))["Datapoints"]


@pytest.mark.parametrize("protocol", cloudwatch.PROTOCOLS)
def test_every_operation_in_every_protocol(node, protocol):
    client = cloudwatch.client(node, protocol)
    name, at = f"m-{protocol}", minute() - datetime.timedelta(minutes=3)
    dimensions = [{"Name": "Host", "Value": "a & <b>"}]
    client.put_metric_data(
        Namespace="App",
        MetricData=[
            {"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Values": [1, 2.5], "Counts": [1, 3]},
            {"MetricName": name, "Timestamp": at, "Value": 7, "Unit": "Bytes", "StorageResolution": 1},
            {
                "MetricName": name,
                "Timestamp": at,
                "StatisticValues": {"SampleCount": 2, "Sum": 5, "Minimum": 1, "Maximum": 4},
            },
        ],
    )
    found = statistics(client, name, {"Dimensions": dimensions})
    assert found == [{"Timestamp": at, "SampleCount": 4.0, "Sum": 8.5, "Unit": "None"}]
    extended = {"Dimensions": dimensions, "ExtendedStatistics": ["p50", "TM(:90%)"]}
    window = {
        "Namespace": "App",
        "MetricName": name,
        "StartTime": at,
        "EndTime": at + datetime.timedelta(minutes=1),
        "Period": 60,
    }
    found = client.get_metric_statistics(**window, **extended)["Datapoints"]
    assert found[0]["ExtendedStatistics"]["p50"] == 2.5
    units = {point["Unit"]: point["Sum"] for point in statistics(client, name)}
    assert units == {"Bytes": 7.0, "None": 5.0}
    metric = {"Namespace": "App", "MetricName": name, "Dimensions": dimensions}
    stat = {"Metric": metric, "Period": 60, "Stat": "Average"}
    data = client.get_metric_data(
        StartTime=at,
        EndTime=at + datetime.timedelta(minutes=1),
        MetricDataQueries=[
            {"Id": "m1", "MetricStat": stat, "ReturnData": False},
            {"Id": "e1", "Expression": "m1 * 4", "Label": "${LABEL} ${MAX}"},
        ],
    )
    [result] = data["MetricDataResults"]
    assert (result["Id"], result["Label"], result["Values"]) == ("e1", "e1 8.5", [8.5])
    assert result["Timestamps"] == [at] and result["StatusCode"] == "Complete"
    pages = client.get_paginator("list_metrics").paginate(Namespace="App", MetricName=name)
    listed = [metric for page in pages for metric in page["Metrics"]]
    assert [metric["Dimensions"] for metric in listed] == [[], dimensions]


@pytest.mark.parametrize("protocol", cloudwatch.PROTOCOLS)
def test_errors_have_their_codes(node, protocol):
    client = cloudwatch.client(node, protocol, parameter_validation=False)

    def refused(operation, **params):
        with pytest.raises(ClientError) as error:
            getattr(client, operation)(**params)
        return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]

    assert refused("put_metric_data", Namespace="AWS/IoT", MetricData=[{"MetricName": "m", "Value": 1}]) == (
        "InvalidParameterValue",
        "The value AWS/IoT for parameter Namespace is invalid.",
    )
    assert refused("put_metric_data", Namespace="App", MetricData=[{"MetricName": "m", "Value": float("nan")}]) == (
        "InvalidParameterValue",
        "The value NaN for parameter MetricData.member.1.Value is invalid.",
    )
    assert refused("put_metric_data", Namespace="App") == (
        "MissingParameter",
        "The parameter MetricData is required.",
    )
    code, message = refused("get_metric_data", StartTime=minute(), EndTime=minute(), MetricDataQueries=[{"Id": "a"}])
    assert (code, message) == ("ValidationError", "The parameter StartTime must not equal parameter EndTime.")


def test_a_large_put_comes_compressed(node):
    """The SDK compresses what is over ten kilobytes."""
    client, sent = node.client("cloudwatch"), []
    client.meta.events.register(
        "before-send.cloudwatch.PutMetricData", lambda request, **_: sent.append(request.headers)
    )
    data = [{"MetricName": f"many-{n:04}", "Values": [n, n + 1], "Counts": [1, 1]} for n in range(1000)]
    client.put_metric_data(Namespace="Large", MetricData=data)
    assert b"gzip" in bytes(str(sent[0].get("Content-Encoding")), "ascii")
    pages = client.get_paginator("list_metrics").paginate(Namespace="Large")
    assert [len(page["Metrics"]) for page in pages] == [500, 500]
    assert statistics(client, "many-0999", namespace="Large")[0]["Sum"] == 1999.0


def test_aws_cli(node):
    def aws(*arguments):
        return node.run(AWS, "cloudwatch", *arguments)

    at = minute() - datetime.timedelta(minutes=5)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    aws(
        "put-metric-data", "--namespace", "Cli", "--metric-name", "m", "--timestamp", stamp,
        "--statistic-values", "Sum=11,Minimum=2,Maximum=5,SampleCount=3", "--unit", "Seconds",
    )
    aws("put-metric-data", "--namespace", "Cli", "--metric-name", "m", "--timestamp", stamp, "--value", "4", "--unit", "Seconds")
    end = (at + datetime.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = aws(
        "get-metric-statistics", "--namespace", "Cli", "--metric-name", "m", "--start-time", stamp,
        "--end-time", end, "--period", "300", "--statistics", "Sum", "Maximum", "SampleCount",
    )
    [point] = json.loads(said)["Datapoints"]
    assert (point["Sum"], point["Maximum"], point["SampleCount"], point["Unit"]) == (15.0, 5.0, 4.0, "Seconds")
    assert json.loads(aws("list-metrics", "--namespace", "Cli"))["Metrics"][0]["MetricName"] == "m"


# --- the operator's port


def scrape(node, path="/metrics", headers=None):
    request = urllib.request.Request(f"http://127.0.0.1:{node.ports['metrics']}{path}", headers=headers or {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


SERIES = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)')


def parsed(text):
    """Families and samples of Prometheus's text format; fails for what it does not allow."""
    kinds, samples = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds and kind in ("counter", "gauge", "histogram")
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            found = SERIES.fullmatch(line)
            assert found, line
            name, labels, value = found.groups()
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            assert name in kinds or kinds.get(family) == "histogram", line
            assert (name, labels) not in samples, line
            samples[name, labels] = float(value)
    return kinds, samples


def test_prometheus(node):
    node.client("s3").create_bucket(Bucket="scraped")
    status, content_type, text = scrape(node)
    assert status == 200 and content_type.startswith("text/plain; version=0.0.4")
    kinds, samples = parsed(text)
    assert kinds["log_commits_total"] == "counter" and kinds["log_commit_duration_micros"] == "histogram"
    assert samples["log_commit_duration_micros_count", None] == samples["log_commits_total", None]
    assert samples["disk_free_bytes", None] > 0
    buckets = [value for (name, _), value in samples.items() if name == "log_commit_duration_micros_bucket"]
    assert buckets == sorted(buckets)
    assert scrape(node, "/livez")[0] == scrape(node, "/readyz")[0] == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        scrape(node, headers={"Host": "rebound.example.com"})
    assert refused.value.code == 403


# --- kill -9


@pytest.fixture()
def killed(tmp_path):
    node = Node(tmp_path / "node").start()
    yield node
    node.stop()


def test_what_was_acknowledged_is_counted_exactly_once(killed):
    node, sent, acknowledged = killed, 0, 0
    for _ in range(KILLS):
        stop, counts = threading.Event(), {"sent": 0, "acknowledged": 0}

        def put():
            client = node.client("cloudwatch", connect_timeout=2, read_timeout=10)
            while not stop.is_set():
                counts["sent"] += 1
                try:
                    client.put_metric_data(Namespace="Kill", MetricData=[{"MetricName": "m", "Value": 1}])
                except (BotoCoreError, ClientError):
                    return
                counts["acknowledged"] += 1

        load = threading.Thread(target=put)
        load.start()
        wait_for(lambda: counts["acknowledged"] > 20, 30, "an acknowledgement")
        node.kill()
        stop.set()
        load.join()
        sent, acknowledged = sent + counts["sent"], acknowledged + counts["acknowledged"]
        node.start()
        points = statistics(node.client("cloudwatch"), "m", namespace="Kill", back=60)
        total = sum(point["Sum"] for point in points)
        assert acknowledged <= total <= sent, (acknowledged, total, sent)
