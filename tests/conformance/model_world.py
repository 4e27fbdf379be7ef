"""What the samples of `model_samples.py` refer to: buckets, things, streams, tables, queries."""

import datetime
import itertools
import json

import authority
import cloudwatch
import iam_samples
from conftest import Node, wait_for

ROLE = "arn:aws:iam::000000000000:role/pipeline"
POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}
)
# Of another CA than the node's; nobody has its key.
FOREIGN_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBeDCCAR+gAwIBAgIUUGdaHvA4I/EjpYUNkY4nl4iqT1gwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHZm9yZWlnbjAeFw0yNjExMjgxMzIzNDVaFw00ODEwMjMxMzIz
NDVaMBIxEDAOBgNVBAMMB2ZvcmVpZ24wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AATUk6OuZHfECTvxSOfY4CZaXkTDVI35Tq0kCnwIM5c4NyUOMDAcaIYqmnOxZq4k
hYr2B/tGnEFr7qycBfBc2HRLo1MwUTAdBgNVHQ4EFgQUPaHljkXcKxkYv8/7ckV5
1zMkWPowHwYDVR0jBBgwFoAUPaHljkXcKxkYv8/7ckV51zMkWPowDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBRce7XfqPqup9bSgu/0YtGlOlDyftl
bPAPFoRAK2SGVwIgb1yR8CotecXbg1rYuVj+HQh8wGz7+bMCkcaU8se0HeM=
-----END CERTIFICATE-----
"""


class World:
    """What the samples refer to, made through the same API when it is first asked for."""

    def __init__(self, node):
        self.node = node
        self.numbers = itertools.count(1)
        self.clients = {}
        self.kept = {}

    def client(self, service):
        if service not in self.clients:
            # The tests change bodies, which they can read in JSON.
            speaks_json = service == "cloudwatch"
            make = cloudwatch.client if speaks_json else Node.client
            chosen = "json" if speaks_json else service
            self.clients[service] = make(self.node, chosen, parameter_validation=False)
        return self.clients[service]

    def caller(self, service, operation):
        """Whose call of an operation is a good one: the root's, but where the root may not."""
        make = iam_samples.CALLERS.get((service, operation))
        return make(self, service) if make else self.client(service)

    def fresh(self, prefix="x"):
        return f"{prefix}{next(self.numbers)}"

    def once(self, name, make):
        if name not in self.kept:
            self.kept[name] = make()
        return self.kept[name]

    # --- access

    def policy_generation(self):
        details = {"principalArn": ROLE}
        return self.client("accessanalyzer").start_policy_generation(policyGenerationDetails=details)["jobId"]

    # --- metrics

    def hour_ago(self):
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        return self.once("hour ago", lambda: now - datetime.timedelta(hours=1))

    def metric(self):
        def make():
            datum = {"MetricName": "known", "Dimensions": [{"Name": "Host", "Value": "a"}], "Value": 2}
            self.client("cloudwatch").put_metric_data(Namespace="App", MetricData=[datum | {"Unit": "Seconds"}])
            return "known"

        return self.once("metric", make)

    # --- objects

    def bucket(self, kept=True):
        def make():
            name = self.fresh("bucket-")
            self.client("s3").create_bucket(Bucket=name)
            return name

        return self.once("bucket", make) if kept else make()

    def object(self, tagged=False):
        key = self.fresh("key")
        self.client("s3").put_object(Bucket=self.bucket(), Key=key, Body=b"ten bytes.")
        if tagged:
            tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
            self.client("s3").put_object_tagging(Bucket=self.bucket(), Key=key, Tagging=tags)
        return {"Bucket": self.bucket(), "Key": key}

    def upload(self):
        where = {"Bucket": self.bucket(), "Key": self.fresh("key")}
        upload = self.client("s3").create_multipart_upload(**where)["UploadId"]
        return where | {"UploadId": upload}

    def part(self):
        upload = self.upload()
        etag = self.client("s3").upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]
        return upload | {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": etag}]}}

    # --- devices

    def thing(self):
        name = self.fresh("thing")
        self.client("iot").create_thing(thingName=name)
        return name

    def certificate(self, active=True):
        return self.client("iot").create_keys_and_certificate(setAsActive=active)

    def foreign_certificate(self):
        """One that is not registered, since it is registered no more."""
        iot = self.client("iot")
        for certificate in iot.list_certificates()["certificates"]:
            found = iot.describe_certificate(certificateId=certificate["certificateId"])["certificateDescription"]
            if found["certificatePem"] == FOREIGN_CERTIFICATE:
                iot.update_certificate(certificateId=found["certificateId"], newStatus="INACTIVE")
                iot.delete_certificate(certificateId=found["certificateId"])
        return FOREIGN_CERTIFICATE

    def registration_code(self):
        return self.client("iot").get_registration_code()["registrationCode"]

    def new_ca(self):
        """A CA of somebody's, with the proof that its key is theirs."""
        ca = authority.create(self.fresh("ca"))
        return {
            "caCertificate": ca.certificate,
            "verificationCertificate": ca.sign(self.registration_code()),
        }

    def registered_ca(self, active=True):
        def make():
            ca = authority.create(self.fresh("ca"))
            made = self.client("iot").register_ca_certificate(
                caCertificate=ca.certificate,
                verificationCertificate=ca.sign(self.registration_code()),
                setAsActive=active,
            )
            return {"id": made["certificateId"], "ca": ca}

        return self.once("registered-ca", make) if active else make()

    def signed_certificate(self):
        ca = self.registered_ca()["ca"]
        return {"certificatePem": ca.sign(self.fresh("device")), "caCertificatePem": ca.certificate}

    def iot_policy(self):
        name = self.fresh("policy")
        self.client("iot").create_policy(policyName=name, policyDocument=POLICY)
        return name

    def policy_version(self):
        name = self.iot_policy()
        made = self.client("iot").create_policy_version(policyName=name, policyDocument=POLICY)
        return {"policyName": name, "policyVersionId": made["policyVersionId"]}

    def iot_policy_arn(self):
        return self.client("iot").get_policy(policyName=self.iot_policy())["policyArn"]

    def attached_thing(self):
        thing, principal = self.thing(), self.certificate()["certificateArn"]
        self.client("iot").attach_thing_principal(thingName=thing, principal=principal)
        return {"thingName": thing, "principal": principal}

    def attached_policy(self):
        policy, target = self.iot_policy(), self.certificate()["certificateArn"]
        self.client("iot").attach_policy(policyName=policy, target=target)
        return {"policyName": policy, "target": target}

    def rule(self):
        name = self.fresh("rule")
        self.client("iot").create_topic_rule(ruleName=name, topicRulePayload=self.rule_payload())
        return name

    def rule_payload(self):
        return {
            "sql": "SELECT * FROM 'a/b'",
            "description": "words",
            "actions": [
                {
                    "firehose": {
                        "roleArn": ROLE,
                        "deliveryStreamName": self.stream(),
                        "separator": "\n",
                        "batchMode": False,
                    }
                },
                {"s3": {"roleArn": ROLE, "bucketName": self.bucket(), "key": "k", "cannedAcl": "private"}},
            ],
            "ruleDisabled": False,
            "awsIotSqlVersion": "2016-03-23",
            "errorAction": {
                "republish": {
                    "roleArn": ROLE,
                    "topic": "errors",
                    "qos": 1,
                    "headers": {
                        "payloadFormatIndicator": "UTF8_DATA",
                        "contentType": "application/json",
                        "responseTopic": "answers",
                        "correlationData": "b25l",
                        "messageExpiry": "60",
                        "userProperties": [{"key": "k", "value": "v"}],
                    },
                }
            },
        }

    def retained(self):
        topic = self.fresh("topic/")
        self.client("iot-data").publish(topic=topic, qos=1, retain=True, payload=b"kept")
        return topic

    # --- streams

    def destination(self):
        return {
            "RoleARN": ROLE,
            "BucketARN": f"arn:aws:s3:::{self.bucket()}",
            "Prefix": "raw/",
            "ErrorOutputPrefix": "errors/",
            "BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 300},
            "CompressionFormat": "GZIP",
            "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
            "CloudWatchLoggingOptions": {"Enabled": False},
        }

    def extended(self):
        more = {
            "ProcessingConfiguration": {"Enabled": False, "Processors": []},
            "S3BackupMode": "Disabled",
            "DynamicPartitioningConfiguration": {"Enabled": False},
            "FileExtension": ".json.gz",
            "CustomTimeZone": "UTC",
        }
        return self.destination() | more

    def new_stream(self):
        name = self.fresh("stream")
        self.client("firehose").create_delivery_stream(
            DeliveryStreamName=name, ExtendedS3DestinationConfiguration=self.extended()
        )
        tags = [{"Key": "a", "Value": "b"}]
        self.client("firehose").tag_delivery_stream(DeliveryStreamName=name, Tags=tags)
        return name

    def stream(self):
        return self.once("stream", self.new_stream)

    # --- the catalog

    def database(self, kept=True):
        def make():
            name = self.fresh("database")
            self.client("glue").create_database(DatabaseInput={"Name": name}, Tags={"a": "b"})
            return name

        return self.once("database", make) if kept else make()

    def storage(self):
        return {
            "Columns": [{"Name": "a", "Type": "int", "Comment": "one", "Parameters": {"k": "v"}}],
            "Location": f"s3://{self.bucket()}/table/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "Compressed": False,
            "NumberOfBuckets": 1,
            "SerdeInfo": {
                "Name": "json",
                "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
                "Parameters": {"k": "v"},
            },
            "BucketColumns": ["a"],
            "SortColumns": [{"Column": "a", "SortOrder": 1}],
            "Parameters": {"k": "v"},
            "SkewedInfo": {
                "SkewedColumnNames": [],
                "SkewedColumnValues": [],
                "SkewedColumnValueLocationMaps": {},
            },
            "StoredAsSubDirectories": False,
        }

    def table_input(self, name):
        return {
            "Name": name,
            "Description": "words",
            "Owner": "me",
            "LastAccessTime": 1_700_000_000,
            "LastAnalyzedTime": 1_700_000_000,
            "Retention": 0,
            "StorageDescriptor": self.storage(),
            "PartitionKeys": [{"Name": "day", "Type": "string", "Comment": "of the year"}],
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "json"},
        }

    def table(self, kept=True):
        def make():
            name = self.fresh("table")
            self.client("glue").create_table(DatabaseName=self.database(), TableInput=self.table_input(name))
            return name

        return self.once("table", make) if kept else make()

    def in_table(self):
        return {"DatabaseName": self.database(), "TableName": self.table()}

    def partition_input(self):
        return {
            "Values": [self.fresh("day")],
            "LastAccessTime": 1_700_000_000,
            "StorageDescriptor": self.storage(),
            "Parameters": {"k": "v"},
            "LastAnalyzedTime": 1_700_000_000,
        }

    def partition(self):
        new = self.partition_input()
        self.client("glue").create_partition(**self.in_table(), PartitionInput=new)
        return new["Values"]

    def database_arn(self):
        return f"arn:aws:glue:us-east-1:000000000000:database/{self.database()}"

    # --- queries

    def result_configuration(self):
        return {
            "OutputLocation": f"s3://{self.bucket()}/results/",
            "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
            "ExpectedBucketOwner": "000000000000",
            "AclConfiguration": {"S3AclOption": "BUCKET_OWNER_FULL_CONTROL"},
        }

    def new_workgroup(self):
        name = self.fresh("workgroup")
        self.client("athena").create_work_group(Name=name, Tags=[{"Key": "a", "Value": "b"}])
        return name

    def workgroup_arn(self):
        name = self.once("workgroup", self.new_workgroup)
        return f"arn:aws:athena:us-east-1:000000000000:workgroup/{name}"

    def named_query(self):
        return self.client("athena").create_named_query(
            Name="n", Database="default", QueryString="SELECT 1", Description="words"
        )["NamedQueryId"]

    def started(self, sql="SELECT 1 AS one, 'x' AS two"):
        return self.client("athena").start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": "default", "Catalog": "AwsDataCatalog"},
            ResultConfiguration=self.result_configuration(),
        )["QueryExecutionId"]

    def executed(self):
        def make():
            execution = self.started()
            athena = self.client("athena")

            def done():
                answer = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
                assert answer["Status"]["State"] not in ("FAILED", "CANCELLED"), answer
                return answer["Status"]["State"] == "SUCCEEDED"

            wait_for(done, what="the query")
            return execution

        return self.once("executed", make)
