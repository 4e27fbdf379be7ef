"""Kill -9 under load, again and again: what was acknowledged is there, and there once."""

import json
import random
import threading
import uuid

import paho.mqtt.client as mqtt
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from conftest import Node, query, wait_for

KILLS = 50
SEED = 20261123
ROLE = "arn:aws:iam::000000000000:role/r"


class Ledger:
    """What was acknowledged, kept outside the node; a record counts as sent before it is."""

    def __init__(self):
        self.lock = threading.Lock()
        self.acknowledged = set()
        self.sent = set()

    def new(self, kind):
        nonce = f"{kind}-{uuid.uuid4()}"
        with self.lock:
            self.sent.add(nonce)
        return nonce

    def ack(self, nonce):
        with self.lock:
            self.acknowledged.add(nonce)


def publish(node, ledger, stop):
    """A device that publishes at QoS 1 until the node dies under it."""
    tokens = {}
    device = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"load-{uuid.uuid4()}")
    device.max_inflight_messages_set(50)

    def acknowledged(_client, _userdata, mid, reason, _properties):
        nonce = tokens.get(mid)
        if nonce and not reason.is_failure:
            ledger.ack(nonce)

    device.on_publish = acknowledged
    try:
        device.connect("127.0.0.1", node.ports["mqtt"])
    except OSError:
        return
    while not stop.is_set():
        if len(tokens) < 20_000 and device.want_write() is False and device.is_connected():
            nonce = ledger.new("mqtt")
            info = device.publish("load/a", json.dumps({"nonce": nonce}), qos=1)
            tokens[info.mid] = nonce
        if device.loop(0.001) != mqtt.MQTT_ERR_SUCCESS:
            return


def put(node, ledger, stop):
    """A client that puts batches of records until the node dies under it."""
    firehose = node.client("firehose", connect_timeout=2, read_timeout=10)
    while not stop.is_set():
        nonces = [ledger.new("put") for _ in range(10)]
        records = [{"Data": json.dumps({"nonce": nonce}) + "\n"} for nonce in nonces]
        try:
            answer = firehose.put_record_batch(DeliveryStreamName="kill", Records=records)
        except (BotoCoreError, ClientError):
            return
        for nonce, result in zip(nonces, answer["RequestResponses"]):
            if "RecordId" in result:
                ledger.ack(nonce)


@pytest.fixture()
def killed(tmp_path):
    node = Node(tmp_path / "node").start()
    yield node
    node.stop()


def test_what_was_acknowledged_is_in_sql_exactly_once(killed):
    node, ledger, chance = killed, Ledger(), random.Random(SEED)
    node.client("s3").create_bucket(Bucket="kill")
    node.client("firehose").create_delivery_stream(
        DeliveryStreamName="kill",
        S3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": "arn:aws:s3:::kill",
            "Prefix": "r/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1},
        },
    )
    action = {"firehose": {"roleArn": ROLE, "deliveryStreamName": "kill", "separator": "\n"}}
    node.client("iot").create_topic_rule(
        ruleName="kill",
        topicRulePayload={"sql": "SELECT * FROM 'load/#'", "actions": [action], "awsIotSqlVersion": "2016-03-23"},
    )
    query(
        node.client("athena"),
        "CREATE EXTERNAL TABLE kill (nonce string) ROW FORMAT SERDE "
        "'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://kill/r/'",
    )
    for _ in range(KILLS):
        stop = threading.Event()
        load = [threading.Thread(target=work, args=(node, ledger, stop)) for work in (publish, publish, put)]
        before = len(ledger.acknowledged)
        for thread in load:
            thread.start()
        wait_for(lambda: len(ledger.acknowledged) > before, 30, "an acknowledgement")
        # The random moment: whatever the node is doing then.
        stop.wait(chance.uniform(0.0, 0.4))
        node.kill()
        stop.set()
        for thread in load:
            thread.join()
        node.start()

    athena = node.client("athena")
    rows = query(athena, "SELECT nonce, count(*) AS n FROM kill GROUP BY nonce")[1:]
    found = {nonce: int(n) for nonce, n in rows}
    lost = ledger.acknowledged - found.keys()
    twice = {nonce: n for nonce, n in found.items() if n != 1}
    strangers = found.keys() - ledger.sent
    assert len(ledger.acknowledged) > KILLS
    assert not lost, f"{len(lost)} of {len(ledger.acknowledged)} acknowledged records are lost (seed {SEED})"
    assert not twice, f"{len(twice)} records are there more than once (seed {SEED})"
    assert not strangers
