"""The four boto3 scripts that were written for AWS, and the whole flow after them, with a device over TLS."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from conftest import query, wait_for
from device import connect

SCRIPTS = Path(__file__).parent / "scripts"
ROLE = "arn:aws:iam::1234567890:role/firehose_delivery_role"


@pytest.fixture(scope="module")
def created(node):
    for name in ("create_bucket", "create_topic_rule", "create_delivery_stream", "create_named_query"):
        node.script(SCRIPTS / f"{name}.py")
    return node


def test_the_bucket_is_where_it_was_wanted(created):
    s3 = created.client("s3")
    assert "pydata.iot.serverless" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    location = s3.get_bucket_location(Bucket="pydata.iot.serverless")
    assert location["LocationConstraint"] == "ap-southeast-1"


def test_the_rule_is_as_it_was_given(created):
    rule = created.client("iot").get_topic_rule(ruleName="IoT_boto3")["rule"]
    assert rule["sql"] == 'select * from "/health/#"'
    assert rule["ruleDisabled"] is True
    assert rule["awsIotSqlVersion"] == "2016-03-23"
    action = rule["actions"][0]["firehose"]
    assert action["roleArn"] == "arn:aws:iam::1234567890:role/service-role/iot.firehose"
    assert action["deliveryStreamName"] == "iot.kinesis"
    assert action["separator"] == "\n"


def test_the_stream_is_as_it_was_given(created):
    described = created.client("firehose").describe_delivery_stream(DeliveryStreamName="iot_boto3")
    stream = described["DeliveryStreamDescription"]
    assert stream["DeliveryStreamStatus"] == "ACTIVE"
    destination = stream["Destinations"][0]["S3DestinationDescription"]
    assert destination["BufferingHints"] == {"SizeInMBs": 5, "IntervalInSeconds": 300}
    assert destination["CompressionFormat"] == "UNCOMPRESSED"
    assert destination["Prefix"] == "heartrate_data/"


def test_the_same_scripts_again_are_told_what_is_there(created):
    iot, firehose = created.client("iot"), created.client("firehose")
    with pytest.raises(ClientError) as refused:
        iot.create_topic_rule(ruleName="IoT_boto3", topicRulePayload={"sql": "select *", "actions": []})
    assert refused.value.response["Error"]["Code"] == "ResourceAlreadyExistsException"
    with pytest.raises(ClientError) as refused:
        firehose.create_delivery_stream(
            DeliveryStreamName="iot_boto3",
            S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::b"},
        )
    assert refused.value.response["Error"]["Code"] == "ResourceInUseException"


def connect_device(node, name, directory):
    """A device with a certificate made through the API, connected over TLS."""
    iot = node.client("iot")
    iot.create_thing(thingName=name)
    identity = iot.create_keys_and_certificate(setAsActive=True)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"arn:aws:iot:*:*:client/{name}"},
            {"Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:aws:iot:*:*:topic//health/*"},
        ],
    }
    iot.create_policy(policyName=f"{name}-policy", policyDocument=json.dumps(policy))
    iot.attach_policy(policyName=f"{name}-policy", target=identity["certificateArn"])
    iot.attach_thing_principal(thingName=name, principal=identity["certificateArn"])
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    certificate.write_text(identity["certificatePem"])
    key.write_text(identity["keyPair"]["PrivateKey"])

    return connect(node, name, certificate, key)


def test_a_heart_beat_travels_from_a_device_to_sql(created, tmp_path):
    node = created
    s3, iot, firehose, athena = (node.client(n) for n in ("s3", "iot", "firehose", "athena"))
    s3.create_bucket(Bucket="pydata.iot.pipeline")
    firehose.create_delivery_stream(
        DeliveryStreamName="iot.kinesis",
        S3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": "arn:aws:s3:::pydata.iot.pipeline",
            "Prefix": "heartrate_data/",
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1},
        },
    )
    iot.enable_topic_rule(ruleName="IoT_boto3")

    device = connect_device(node, "Bailey", tmp_path)
    sums = defaultdict(int)
    for n in range(200):
        user = ["Bailey", "Beatrice", "Rita"][n % 3]
        rate = 55 + n % 60
        sums[user] += rate
        beat = {
            "heartRate": rate,
            "userId": user,
            "rateType": "NORMAL",
            "dateTime": f"2017-08-26 07:47:{n % 60:02}.345",
        }
        device.publish(f"/health/{user}", json.dumps(beat), qos=1).wait_for_publish(10)
    device.disconnect()
    device.loop_stop()

    named = athena.list_named_queries()["NamedQueryIds"]
    ddl = athena.get_named_query(NamedQueryId=named[0])["NamedQuery"]["QueryString"]
    query(athena, ddl)
    sql = "SELECT userid, sum(heartrate) AS total FROM heartrate_iot_data GROUP BY userid ORDER BY userid"
    expected = [["userid", "total"]] + [[user, str(total)] for user, total in sorted(sums.items())]
    # At once, from the delivery stream's buffer …
    assert query(athena, sql) == expected

    def keys():
        listed = s3.list_objects_v2(Bucket="pydata.iot.pipeline", Prefix="heartrate_data/")
        return [item["Key"] for item in listed.get("Contents", [])]

    def delivered():
        bodies = [s3.get_object(Bucket="pydata.iot.pipeline", Key=k)["Body"].read() for k in keys()]
        return sum(body.count(b"\n") for body in bodies) == 200

    # … and when all of it is in objects, the same.
    wait_for(delivered, 30, "the delivery")
    assert all(re.match(r"heartrate_data/\d{4}/\d\d/\d\d/\d\d/iot\.kinesis-1-", key) for key in keys()), keys()
    assert query(athena, sql) == expected
    row = query(athena, "SELECT datetime FROM heartrate_iot_data WHERE userid = 'Bailey' ORDER BY 1 LIMIT 1")
    assert row[1] == ["2017-08-26 07:47:00.345"]


def test_a_device_may_only_do_what_its_policy_allows(created, tmp_path):
    device = connect_device(created, "Mallory", tmp_path)
    left = []
    device.on_disconnect = lambda *arguments: left.append(arguments)
    device.publish("/plans/secret", b"x", qos=1)
    wait_for(lambda: left, what="the end of the connection")
    device.loop_stop()
