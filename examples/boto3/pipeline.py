"""The whole pipeline with boto3, from a device to SQL. Run it again: what is there stays as it is.

    eval "$(headwater env)"
    python pipeline.py

Without AWS_ENDPOINT_URL, and with credentials of AWS, the same script builds the pipeline there.
"""

import argparse
import json
import time
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TOPIC = "dt/heart"
EXISTS = {
    "BucketAlreadyOwnedByYou",
    "EntityAlreadyExists",
    "AlreadyExistsException",
    "ResourceAlreadyExistsException",
    "ResourceInUseException",
}

# How long a new role may take to be known.
ROLE_SECONDS = 60


def ensure(create, **arguments):
    """Creates what may be there already, and returns whether it is new."""
    deadline = time.monotonic() + ROLE_SECONDS
    while True:
        try:
            create(**arguments)
            return True
        except ClientError as error:
            response = error.response["Error"]
            # Athena has no code of its own for it.
            if response["Code"] in EXISTS or "is already created" in response["Message"]:
                return False
            # On AWS a new role is not known everywhere at once.
            unknown_role = any(word in response["Message"].lower() for word in ("assume", "principal"))
            if not unknown_role or time.monotonic() > deadline:
                raise
            time.sleep(2)


class Pipeline:
    def __init__(self, name, directory):
        self.name = name
        self.database = name.replace("-", "_")
        self.directory = Path(directory)
        self.new = []
        self.s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
        self.iam, self.iot, self.firehose, self.glue, self.athena = (
            boto3.client(service) for service in ("iam", "iot", "firehose", "glue", "athena")
        )
        self.account = boto3.client("sts").get_caller_identity()["Account"]
        self.region = self.iot.meta.region_name

    def ensure(self, what, create, **arguments):
        if ensure(create, **arguments):
            self.new.append(what)

    def buckets(self):
        # In us-east-1 a bucket that is there is created once more without an error.
        there = {bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]}
        for use in ("lake", "results"):
            bucket = {"Bucket": f"{self.name}-{use}"}
            if self.region != "us-east-1":
                bucket["CreateBucketConfiguration"] = {"LocationConstraint": self.region}
            if bucket["Bucket"] not in there:
                self.ensure(f"bucket {self.name}-{use}", self.s3.create_bucket, **bucket)
            tags = {"TagSet": [{"Key": "project", "Value": self.name}]}
            self.s3.put_bucket_tagging(Bucket=f"{self.name}-{use}", Tagging=tags)
            flags = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
            self.s3.put_public_access_block(
                Bucket=f"{self.name}-{use}", PublicAccessBlockConfiguration=dict.fromkeys(flags, True)
            )

    def lake_policy(self, role_arn):
        """What was recorded stays: delivery may add to it, and only the root may delete."""
        everything = f"arn:aws:s3:::{self.name}-lake/*"
        root = f"arn:aws:iam::{self.account}:root"
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": role_arn},
                "Action": ["s3:AbortMultipartUpload", "s3:PutObject"],
                "Resource": everything,
            },
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
                "Resource": everything,
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": root}},
            },
        ]
        policy = {"Version": "2012-10-17", "Statement": statements}
        ensure(self.s3.put_bucket_policy, Bucket=f"{self.name}-lake", Policy=json.dumps(policy))

    def role(self, use, service, statements):
        """A role that the service may assume for this account's resources; returns its ARN."""
        role = f"{self.name}-{use}"
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": self.account}},
                }
            ],
        }
        self.ensure(
            f"role {role}", self.iam.create_role, RoleName=role, AssumeRolePolicyDocument=json.dumps(trust)
        )
        policy = {"Version": "2012-10-17", "Statement": statements}
        self.iam.put_role_policy(RoleName=role, PolicyName=use, PolicyDocument=json.dumps(policy))
        return self.iam.get_role(RoleName=role)["Role"]["Arn"]

    def stream(self):
        lake = f"arn:aws:s3:::{self.name}-lake"
        objects = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        bucket = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        role = self.role(
            "delivery",
            "firehose.amazonaws.com",
            [
                {"Effect": "Allow", "Action": bucket, "Resource": lake},
                {"Effect": "Allow", "Action": objects, "Resource": f"{lake}/*"},
            ],
        )
        self.lake_policy(role)
        name = f"{self.name}-beats"
        self.ensure(
            f"delivery stream {name}",
            self.firehose.create_delivery_stream,
            DeliveryStreamName=name,
            ExtendedS3DestinationConfiguration={
                "RoleARN": role,
                "BucketARN": lake,
                "Prefix": "beats/",
                "ErrorOutputPrefix": "failed-delivery/",
                "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
                "CompressionFormat": "GZIP",
            },
            Tags=[{"Key": "project", "Value": self.name}],
        )
        while True:
            described = self.firehose.describe_delivery_stream(DeliveryStreamName=name)
            description = described["DeliveryStreamDescription"]
            if description["DeliveryStreamStatus"] != "CREATING":
                return description["DeliveryStreamARN"]
            time.sleep(1)

    def rule(self, stream_arn):
        put = ["firehose:PutRecord", "firehose:PutRecordBatch"]
        role = self.role(
            "rule", "iot.amazonaws.com", [{"Effect": "Allow", "Action": put, "Resource": stream_arn}]
        )
        action = {
            "roleArn": role,
            "deliveryStreamName": stream_arn.split("/")[-1],
            "separator": "\n",
        }
        self.ensure(
            f"rule {self.database}_beats",
            self.iot.create_topic_rule,
            ruleName=f"{self.database}_beats",
            topicRulePayload={
                "sql": f"SELECT *, topic(3) AS device, timestamp() AS received FROM '{TOPIC}/#'",
                "awsIotSqlVersion": "2016-03-23",
                "actions": [{"firehose": action}],
            },
            tags=f"project={self.name}",
        )

    def device(self):
        """A thing with a certificate that may publish under its own name; the key is given once, so it is written down."""
        thing, policy = f"{self.name}-monitor", f"{self.name}-device"
        arn = f"arn:aws:iot:{self.region}:{self.account}"
        own = "${iot:Connection.Thing.ThingName}"
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{arn}:client/{own}"},
                {"Effect": "Allow", "Action": "iot:Publish", "Resource": f"{arn}:topic/{TOPIC}/{own}"},
            ],
        }
        self.ensure(
            f"policy {policy}", self.iot.create_policy, policyName=policy, policyDocument=json.dumps(document)
        )
        self.iot.create_thing(thingName=thing)
        if self.iot.list_thing_principals(thingName=thing)["principals"]:
            return
        identity = self.iot.create_keys_and_certificate(setAsActive=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "certificate.pem").write_text(identity["certificatePem"])
        key = self.directory / "key.pem"
        key.touch(mode=0o600)
        key.write_text(identity["keyPair"]["PrivateKey"])
        self.iot.attach_policy(policyName=policy, target=identity["certificateArn"])
        self.iot.attach_thing_principal(thingName=thing, principal=identity["certificateArn"])
        self.new.append(f"thing {thing}")

    def table(self):
        self.ensure(
            f"database {self.database}", self.glue.create_database, DatabaseInput={"Name": self.database}
        )
        columns = {"device": "string", "bpm": "int", "received": "bigint"}
        self.ensure(
            f"table {self.database}.beats",
            self.glue.create_table,
            DatabaseName=self.database,
            TableInput={
                "Name": "beats",
                "TableType": "EXTERNAL_TABLE",
                "Parameters": {"EXTERNAL": "TRUE", "classification": "json"},
                "StorageDescriptor": {
                    "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
                    "Location": f"s3://{self.name}-lake/beats/",
                    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
                },
            },
        )

    def queries(self):
        group = f"{self.name}-analysts"
        self.ensure(
            f"workgroup {group}",
            self.athena.create_work_group,
            Name=group,
            Configuration={
                "ResultConfiguration": {"OutputLocation": f"s3://{self.name}-results/analysts/"},
                "EnforceWorkGroupConfiguration": True,
            },
            Tags=[{"Key": "project", "Value": self.name}],
        )
        saved = self.athena.get_paginator("list_named_queries").paginate(WorkGroup=group)
        if not any(page["NamedQueryIds"] for page in saved):
            self.athena.create_named_query(
                Name=f"{self.name}-mean",
                Database=self.database,
                WorkGroup=group,
                QueryString="SELECT device, avg(bpm) AS bpm FROM beats GROUP BY device ORDER BY device",
            )
            self.new.append(f"named query {self.name}-mean")

    def build(self):
        self.buckets()
        self.rule(self.stream())
        self.device()
        self.table()
        self.queries()


def main():
    parser = argparse.ArgumentParser(description="Builds the pipeline.")
    parser.add_argument("--name", default="heartbeat", help="what everything is named after")
    parser.add_argument("--device", default="device", help="the folder for the device's certificate and key")
    arguments = parser.parse_args()
    pipeline = Pipeline(arguments.name, arguments.device)
    pipeline.build()
    for what in pipeline.new:
        print(f"created {what}")
    endpoint = pipeline.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    print(f"{pipeline.name}-monitor publishes to {TOPIC}/{pipeline.name}-monitor at {endpoint}")


if __name__ == "__main__":
    main()
