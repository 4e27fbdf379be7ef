"""What a stranger or a tenant writes begins no line of the log, and moves no terminal."""

import json
import socket
import urllib.parse

import pytest
from botocore.exceptions import ClientError
from conftest import Node, wait_for

# A line of its own, in the log's form, and a sequence that clears a terminal.
FORGED = "2026-01-01T00:00:00Z ERROR headwater: forged"
HOSTILE = f"x\n{FORGED}\r\n\x1b[2J\x1b]0;title\x07\u2028{FORGED}"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    data = tmp_path_factory.mktemp("data") / "node"
    node = Node(data, "--auth", "enforce", env={"HEADWATER_LOG": "debug"}).start()
    yield node
    node.stop()


def raw(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        connection.settimeout(10)
        try:
            while connection.recv(65536):
                pass
        except OSError:
            pass


def test_what_a_stranger_writes_begins_no_line_of_the_log(node):
    escaped = urllib.parse.quote(HOSTILE)
    for port in ("api", "console"):
        for path in (f"/{escaped}", f"/?Action={escaped}", f"/console/aws/{escaped}/x"):
            raw(node.ports[port], f"POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
    name = HOSTILE.encode()
    connect = b"\x00\x04MQTT\x04\x02\x00\x3c" + len(name).to_bytes(2, "big") + name
    raw(node.ports["mqtt"], bytes([0x10, len(connect)]) + connect)
    raw(node.ports["mqtts"], HOSTILE.encode() * 10)
    for service, operation, params in (
        ("iot", "create_thing", {"thingName": HOSTILE}),
        ("iot", "create_topic_rule", {"ruleName": "r", "topicRulePayload": {"sql": HOSTILE, "actions": []}}),
        ("glue", "create_database", {"DatabaseInput": {"Name": HOSTILE}}),
        ("firehose", "create_delivery_stream", {"DeliveryStreamName": HOSTILE}),
        ("athena", "start_query_execution", {"QueryString": f"SELECT '{HOSTILE}' FROM", "ResultConfiguration": {"OutputLocation": "s3://x/"}}),
        ("iam", "create_user", {"UserName": HOSTILE}),
        ("s3", "put_object", {"Bucket": "nothing-here", "Key": HOSTILE, "Body": b"x"}),
    ):
        try:
            getattr(node.client(service, parameter_validation=False), operation)(**params)
        except ClientError:
            pass
    # A request that is known to be the last to have been logged.
    raw(node.ports["api"], b"GET /the-last-one HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    wait_for(lambda: any("the-last-one" in line for line in node.log), what="the last line")
    log = "".join(node.log)
    assert len(node.log) > 10, "requests are in the log at this level"
    assert not [line for line in node.log if line.startswith(FORGED)], log
    for forbidden in ("\x1b[2J", "\x1b]0;", "\x07"):
        assert forbidden not in log, json.dumps(log)


def test_no_secret_is_in_the_log(node):
    secret = node.environment["AWS_SECRET_ACCESS_KEY"]
    made = node.client("iam").create_user(UserName="logged")["User"]["UserName"]
    key = node.client("iam").create_access_key(UserName=made)["AccessKey"]
    device = node.client("iot").create_keys_and_certificate(setAsActive=True)
    session = node.client("sts", credentials=(key["AccessKeyId"], key["SecretAccessKey"])).get_session_token()["Credentials"]
    raw(node.ports["api"], b"GET /the-very-last HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    wait_for(lambda: any("the-very-last" in line for line in node.log), what="the last line")
    log = "".join(node.log)
    private = device["keyPair"]["PrivateKey"].splitlines()[1]
    for what in (secret, key["SecretAccessKey"], session["SecretAccessKey"], session["SessionToken"], private):
        assert what not in log
    # Nor is any of them readable on the disk, but for the key that a client must be able to read.
    for path in node.data.rglob("*"):
        if path.is_file() and path.name != "credentials":
            content = path.read_bytes()
            for what in (secret, key["SecretAccessKey"], session["SecretAccessKey"], private):
                assert what.encode() not in content, path
