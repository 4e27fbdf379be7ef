"""The pipeline of `examples/boto3`, built twice."""

import sys

import pytest
from conftest import ROOT, Node, query
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

    with connected(node, "heartbeat-monitor", tmp_path / "certificate.pem", tmp_path / "key.pem") as device:
        for bpm in (60, 70, 80):
            publish(device, "dt/heart/heartbeat-monitor", {"bpm": bpm})
    athena = node.client("athena")
    named = athena.list_named_queries(WorkGroup="heartbeat-analysts")["NamedQueryIds"]
    assert len(named) == 1
    saved = athena.get_named_query(NamedQueryId=named[0])["NamedQuery"]
    rows = query(athena, saved["QueryString"], saved["Database"], workgroup="heartbeat-analysts")
    assert rows == [["device", "bpm"], ["heartbeat-monitor", "70.0"]]
