"""The pipeline of `examples/boto3`, built twice."""

import sys

import pytest
from conftest import ROOT, Node, query, wait_for
from device import connected, publish

PIPELINE = str(ROOT / "examples" / "boto3" / "pipeline.py")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A node that enforces policies, as one does that others can reach."""
    node = Node(tmp_path_factory.mktemp("data") / "node", "--auth", "enforce").start()
    yield node
    node.stop()


def test_the_pipeline_is_built_once_and_a_heart_beat_arrives_in_sql(node, tmp_path):
    build = (sys.executable, PIPELINE, "--name", "heartbeat", "--device", str(tmp_path))
    *created, where = node.run(*build).splitlines()
    assert len(created) == 12 and all(line.startswith("created ") for line in created), created
    assert where.startswith("heartbeat-monitor publishes to dt/heart/heartbeat-monitor at ")
    # The second run finds everything.
    assert node.run(*build).splitlines() == [where]
    assert len(node.client("iot").list_certificates()["certificates"]) == 1

    def beat(*rates):
        pem = (tmp_path / "certificate.pem", tmp_path / "key.pem")
        with connected(node, "heartbeat-monitor", *pem) as device:
            for bpm in rates:
                publish(device, "dt/heart/heartbeat-monitor", {"bpm": bpm})

    beat(60, 70, 80)
    athena = node.client("athena")
    named = athena.list_named_queries(WorkGroup="heartbeat-analysts")["NamedQueryIds"]
    assert len(named) == 1
    saved = athena.get_named_query(NamedQueryId=named[0])["NamedQuery"]

    def mean():
        rows = query(athena, saved["QueryString"], saved["Database"], workgroup="heartbeat-analysts")
        assert rows[0] == ["device", "bpm"] and rows[1][0] == "heartbeat-monitor"
        return float(rows[1][1])

    assert mean() == 70

    # The rule acts as its role: what that may not, it does not; and the script gives the right back.
    node.client("iam").delete_role_policy(RoleName="heartbeat-rule", PolicyName="rule")
    beat(200)
    assert mean() == 70
    assert node.run(*build).splitlines() == [where]
    beat(110)
    assert mean() == 80

    # So does the stream.
    firehose, s3 = node.client("firehose"), node.client("s3")
    firehose.update_destination(
        DeliveryStreamName="heartbeat-beats",
        CurrentDeliveryStreamVersionId="1",
        DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 0}},
    )
    where = {"Bucket": "heartbeat-lake", "Prefix": "beats/"}
    wait_for(lambda: s3.list_objects_v2(**where)["KeyCount"], what="the delivery")
    assert mean() == 80
