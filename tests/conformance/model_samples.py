"""A good input for every operation that is served, and what is known of its answer.

Inputs carry as many members as are supported: what is not in them is expected to be refused, or to change nothing that can be seen.
"""

import datetime
import json
import re
from pathlib import Path

import iam_samples
from conftest import ROOT
from model_world import POLICY, ROLE


def served(document=ROOT / "docs" / "operations.md"):
    """Every operation that is served, as `docs/operations.md` lists them: (service, operation)."""
    service, rows = None, []
    for line in Path(document).read_text().splitlines():
        if found := re.fullmatch(r'<a id="(.*)"></a>', line):
            service = found.group(1)
        elif found := re.match(r"\| (\w+) \| `\w+:", line):
            rows.append((service, found.group(1)))
    return rows


def workgroup_configuration(w):
    return {
        "ResultConfiguration": w.result_configuration(),
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": False,
        "BytesScannedCutoffPerQuery": 10_000_000,
        "RequesterPaysEnabled": False,
        "EngineVersion": {"SelectedEngineVersion": "AUTO"},
    }


TAGS = [{"Key": "k", "Value": "v"}]
DIMENSIONS = [{"Name": "Host", "Value": "a"}]

# The input of an operation, made anew for each call that needs one.
SAMPLES = {
    **iam_samples.samples(),
    # --- iot
    ("iot", "AttachPolicy"): lambda w: {
        "policyName": w.iot_policy(),
        "target": w.certificate()["certificateArn"],
    },
    ("iot", "AttachThingPrincipal"): lambda w: {
        "thingName": w.thing(),
        "principal": w.certificate()["certificateArn"],
    },
    ("iot", "CreateKeysAndCertificate"): lambda w: {"setAsActive": True},
    ("iot", "CreatePolicy"): lambda w: {
        "policyName": w.fresh("policy"),
        "policyDocument": POLICY,
        "tags": TAGS,
    },
    ("iot", "CreateThing"): lambda w: {
        "thingName": w.fresh("thing"),
        "attributePayload": {"attributes": {"a": "b"}, "merge": True},
    },
    ("iot", "CreateTopicRule"): lambda w: {
        "ruleName": w.fresh("rule"),
        "topicRulePayload": w.rule_payload(),
        "tags": "a=b",
    },
    ("iot", "DeleteCertificate"): lambda w: {
        "certificateId": w.certificate(active=False)["certificateId"],
        "forceDelete": True,
    },
    ("iot", "DeletePolicy"): lambda w: {"policyName": w.iot_policy()},
    ("iot", "DeleteThing"): lambda w: {"thingName": w.thing(), "expectedVersion": 1},
    ("iot", "DeleteTopicRule"): lambda w: {"ruleName": w.rule()},
    ("iot", "DescribeCertificate"): lambda w: {"certificateId": w.certificate()["certificateId"]},
    ("iot", "DescribeEndpoint"): lambda w: {"endpointType": "iot:Data-ATS"},
    ("iot", "DescribeThing"): lambda w: {"thingName": w.thing()},
    ("iot", "DetachPolicy"): lambda w: w.attached_policy(),
    ("iot", "DetachThingPrincipal"): lambda w: w.attached_thing(),
    ("iot", "DisableTopicRule"): lambda w: {"ruleName": w.rule()},
    ("iot", "EnableTopicRule"): lambda w: {"ruleName": w.rule()},
    ("iot", "GetPolicy"): lambda w: {"policyName": w.iot_policy()},
    ("iot", "GetTopicRule"): lambda w: {"ruleName": w.rule()},
    ("iot", "ListAttachedPolicies"): lambda w: {
        "target": w.attached_policy()["target"],
        "recursive": False,
        "pageSize": 10,
    },
    ("iot", "ListCertificates"): lambda w: {"pageSize": 2, "ascendingOrder": True},
    ("iot", "ListPolicies"): lambda w: {"pageSize": 2, "ascendingOrder": True},
    ("iot", "ListThingPrincipals"): lambda w: {
        "thingName": w.attached_thing()["thingName"],
        "maxResults": 10,
    },
    ("iot", "ListThings"): lambda w: {"maxResults": 2, "attributeName": "a", "attributeValue": "b"},
    ("iot", "ListTopicRules"): lambda w: {"maxResults": 2, "topic": "a/b", "ruleDisabled": False},
    ("iot", "DeleteCACertificate"): lambda w: {"certificateId": w.registered_ca(active=False)["id"]},
    ("iot", "DeleteRegistrationCode"): lambda w: w.registration_code() and {},
    ("iot", "DescribeCACertificate"): lambda w: {"certificateId": w.registered_ca()["id"]},
    ("iot", "GetRegistrationCode"): lambda w: {},
    ("iot", "ListCACertificates"): lambda w: {"pageSize": 2, "ascendingOrder": True},
    ("iot", "ListCertificatesByCA"): lambda w: {
        "caCertificateId": w.registered_ca()["id"],
        "pageSize": 2,
        "ascendingOrder": True,
    },
    ("iot", "RegisterCACertificate"): lambda w: w.new_ca() | {"setAsActive": True, "certificateMode": "DEFAULT"},
    ("iot", "RegisterCertificate"): lambda w: w.signed_certificate()
    | {"setAsActive": True, "status": "ACTIVE"},
    ("iot", "UpdateCACertificate"): lambda w: {
        "certificateId": w.registered_ca()["id"],
        "newStatus": "ACTIVE",
    },
    ("iot", "RegisterCertificateWithoutCA"): lambda w: {
        "certificatePem": w.foreign_certificate(),
        "status": "ACTIVE",
    },
    ("iot", "ReplaceTopicRule"): lambda w: {"ruleName": w.rule(), "topicRulePayload": w.rule_payload()},
    ("iot", "UpdateCertificate"): lambda w: {
        "certificateId": w.certificate()["certificateId"],
        "newStatus": "INACTIVE",
    },
    ("iot", "UpdateThing"): lambda w: {
        "thingName": w.thing(),
        "attributePayload": {"attributes": {"a": "b"}, "merge": True},
        "expectedVersion": 1,
    },
    ("iot", "CreatePolicyVersion"): lambda w: {
        "policyName": w.iot_policy(),
        "policyDocument": POLICY,
        "setAsDefault": True,
    },
    ("iot", "DeletePolicyVersion"): lambda w: w.policy_version(),
    ("iot", "GetPolicyVersion"): lambda w: w.policy_version(),
    ("iot", "ListPolicyVersions"): lambda w: {"policyName": w.policy_version()["policyName"]},
    ("iot", "SetDefaultPolicyVersion"): lambda w: w.policy_version(),
    ("iot", "ListTagsForResource"): lambda w: {"resourceArn": w.iot_policy_arn()},
    ("iot", "TagResource"): lambda w: {"resourceArn": w.iot_policy_arn(), "tags": TAGS},
    ("iot", "UntagResource"): lambda w: {"resourceArn": w.iot_policy_arn(), "tagKeys": ["k"]},
    # --- iot-data
    ("iot-data", "GetRetainedMessage"): lambda w: {"topic": w.retained()},
    ("iot-data", "ListRetainedMessages"): lambda w: {"maxResults": 2},
    ("iot-data", "Publish"): lambda w: {
        "topic": "a/b",
        "qos": 1,
        "retain": False,
        "payload": b"{}",
        "userProperties": [{"k": "v"}],
        "payloadFormatIndicator": "UTF8_DATA",
        "contentType": "application/json",
        "responseTopic": "answers",
        "correlationData": "b25l",
        "messageExpiry": 60,
    },
    # --- firehose
    ("firehose", "CreateDeliveryStream"): lambda w: {
        "DeliveryStreamName": w.fresh("stream"),
        "DeliveryStreamType": "DirectPut",
        "ExtendedS3DestinationConfiguration": w.extended(),
        "Tags": TAGS,
    },
    ("firehose", "DeleteDeliveryStream"): lambda w: {
        "DeliveryStreamName": w.new_stream(),
        "AllowForceDelete": True,
    },
    ("firehose", "DescribeDeliveryStream"): lambda w: {"DeliveryStreamName": w.stream(), "Limit": 1},
    ("firehose", "ListDeliveryStreams"): lambda w: {
        "DeliveryStreamType": "DirectPut",
        "Limit": 1,
        "ExclusiveStartDeliveryStreamName": "a",
    },
    ("firehose", "ListTagsForDeliveryStream"): lambda w: {
        "DeliveryStreamName": w.stream(),
        "ExclusiveStartTagKey": "A",
        "Limit": 1,
    },
    ("firehose", "PutRecord"): lambda w: {"DeliveryStreamName": w.stream(), "Record": {"Data": b"{}\n"}},
    ("firehose", "PutRecordBatch"): lambda w: {
        "DeliveryStreamName": w.stream(),
        "Records": [{"Data": b"{}\n"}, {"Data": b"{}\n"}],
    },
    ("firehose", "TagDeliveryStream"): lambda w: {"DeliveryStreamName": w.stream(), "Tags": TAGS},
    ("firehose", "UntagDeliveryStream"): lambda w: {"DeliveryStreamName": w.stream(), "TagKeys": ["k"]},
    ("firehose", "UpdateDestination"): lambda w: {
        "DeliveryStreamName": w.new_stream(),
        "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": w.extended(),
    },
    # --- s3
    ("s3", "AbortMultipartUpload"): lambda w: w.upload(),
    ("s3", "CompleteMultipartUpload"): lambda w: w.part(),
    ("s3", "CopyObject"): lambda w: w.object() | {"CopySource": w.object(), "MetadataDirective": "REPLACE"},
    ("s3", "CreateBucket"): lambda w: {"Bucket": w.fresh("bucket-")},
    ("s3", "CreateMultipartUpload"): lambda w: {
        "Bucket": w.bucket(),
        "Key": w.fresh("key"),
        "ContentType": "text/plain",
        "Metadata": {"a": "b"},
    },
    ("s3", "DeleteBucket"): lambda w: {"Bucket": w.bucket(kept=False)},
    ("s3", "DeleteBucketCors"): lambda w: {"Bucket": w.bucket()},
    ("s3", "DeleteBucketOwnershipControls"): lambda w: {"Bucket": w.bucket(kept=False)},
    ("s3", "DeleteBucketPolicy"): lambda w: {"Bucket": w.bucket()},
    ("s3", "DeleteBucketTagging"): lambda w: {"Bucket": w.bucket()},
    ("s3", "DeleteObject"): lambda w: w.object(),
    ("s3", "DeleteObjectTagging"): lambda w: w.object(tagged=True),
    ("s3", "DeleteObjects"): lambda w: {
        "Bucket": w.bucket(),
        "Delete": {"Objects": [{"Key": w.object()["Key"]}], "Quiet": False},
    },
    ("s3", "DeletePublicAccessBlock"): lambda w: {"Bucket": w.bucket(kept=False)},
    ("s3", "GetBucketCors"): lambda w: {"Bucket": bucket_with_cors(w)},
    ("s3", "GetBucketLocation"): lambda w: {"Bucket": w.bucket()},
    ("s3", "GetBucketPolicy"): lambda w: {"Bucket": bucket_with_policy(w)},
    ("s3", "GetBucketPolicyStatus"): lambda w: {"Bucket": bucket_with_policy(w)},
    ("s3", "GetBucketTagging"): lambda w: {"Bucket": tagged_bucket(w)},
    ("s3", "GetObject"): lambda w: w.object(),
    ("s3", "GetObjectTagging"): lambda w: w.object(tagged=True),
    ("s3", "HeadBucket"): lambda w: {"Bucket": w.bucket()},
    ("s3", "HeadObject"): lambda w: w.object(),
    ("s3", "ListBuckets"): lambda w: {"MaxBuckets": 10, "Prefix": "bucket-"},
    ("s3", "ListMultipartUploads"): lambda w: {"Bucket": w.upload()["Bucket"], "MaxUploads": 3},
    ("s3", "ListObjects"): lambda w: {"Bucket": w.object()["Bucket"], "MaxKeys": 3, "Delimiter": "/"},
    ("s3", "ListObjectsV2"): lambda w: {
        "Bucket": w.object()["Bucket"],
        "MaxKeys": 3,
        "Delimiter": "/",
        "FetchOwner": True,
    },
    ("s3", "ListObjectVersions"): lambda w: {"Bucket": w.object()["Bucket"], "MaxKeys": 3, "Delimiter": "/"},
    ("s3", "ListParts"): lambda w: {k: v for k, v in w.part().items() if k != "MultipartUpload"},
    ("s3", "PutBucketCors"): lambda w: with_cors(w.bucket(kept=False)),
    ("s3", "PutBucketOwnershipControls"): lambda w: {
        "Bucket": w.bucket(),
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    },
    ("s3", "PutBucketPolicy"): lambda w: with_policy(w.bucket(kept=False)),
    ("s3", "PutBucketTagging"): lambda w: {"Bucket": w.bucket(), "Tagging": {"TagSet": TAGS}},
    ("s3", "PutObject"): lambda w: {
        "Bucket": w.bucket(),
        "Key": w.fresh("key"),
        "Body": b"ten bytes.",
        "ContentType": "text/plain",
        "Metadata": {"a": "b"},
    },
    ("s3", "PutObjectTagging"): lambda w: w.object() | {"Tagging": {"TagSet": TAGS}},
    ("s3", "PutPublicAccessBlock"): lambda w: {
        "Bucket": w.bucket(kept=False),
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": False,
            "RestrictPublicBuckets": True,
        },
    },
    ("s3", "UploadPart"): lambda w: w.upload() | {"PartNumber": 1, "Body": b"part"},
    ("s3", "UploadPartCopy"): lambda w: w.upload() | {"PartNumber": 1, "CopySource": w.object()},
    # --- access analyzer
    ("accessanalyzer", "StartPolicyGeneration"): lambda w: {
        "policyGenerationDetails": {"principalArn": ROLE},
        "clientToken": w.fresh("token"),
    },
    ("accessanalyzer", "GetGeneratedPolicy"): lambda w: {
        "jobId": w.policy_generation(),
        "includeResourcePlaceholders": False,
        "includeServiceLevelTemplate": False,
    },
    ("accessanalyzer", "ListPolicyGenerations"): lambda w: {"principalArn": ROLE, "maxResults": 2},
    # --- cloudwatch
    ("cloudwatch", "GetMetricData"): lambda w: {
        "MetricDataQueries": [
            {
                "Id": "m1",
                "MetricStat": {
                    "Metric": {"Namespace": "App", "MetricName": w.metric(), "Dimensions": DIMENSIONS},
                    "Period": 60,
                    "Stat": "Average",
                    "Unit": "Seconds",
                },
                "Label": "${LABEL}",
                "ReturnData": True,
                "AccountId": "000000000000",
            },
        ],
        "StartTime": w.hour_ago(),
        "EndTime": w.hour_ago() + datetime.timedelta(hours=2),
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": 10,
        "LabelOptions": {"Timezone": "+0100"},
    },
    ("cloudwatch", "GetMetricStatistics"): lambda w: {
        "Namespace": "App",
        "MetricName": w.metric(),
        "Dimensions": DIMENSIONS,
        "StartTime": w.hour_ago(),
        "EndTime": w.hour_ago() + datetime.timedelta(hours=2),
        "Period": 60,
        "Statistics": ["Sum", "Average"],
        "Unit": "Seconds",
    },
    ("cloudwatch", "ListMetrics"): lambda w: {
        "Namespace": "App",
        "MetricName": w.metric(),
        "Dimensions": DIMENSIONS,
        "RecentlyActive": "PT3H",
        "IncludeLinkedAccounts": True,
        "OwningAccount": "000000000000",
    },
    ("cloudwatch", "PutMetricData"): lambda w: {
        "Namespace": "App",
        "MetricData": [
            {
                "MetricName": "m",
                "Dimensions": DIMENSIONS,
                "Timestamp": w.hour_ago(),
                "Value": 1.5,
                "Unit": "Seconds",
                "StorageResolution": 60,
            },
        ],
        "StrictEntityValidation": False,
    },
    # --- tagging
    ("resourcegroupstaggingapi", "GetResources"): lambda w: {
        "PaginationToken": "",
        "TagFilters": [{"Key": "k", "Values": ["v"]}],
        "ResourcesPerPage": 2,
        "TagsPerPage": 100,
        "ResourceTypeFilters": ["iot:policy", "s3"],
        "IncludeComplianceDetails": False,
        "ExcludeCompliantResources": False,
    },
    ("resourcegroupstaggingapi", "GetTagKeys"): lambda w: {"PaginationToken": ""},
    ("resourcegroupstaggingapi", "GetTagValues"): lambda w: {"PaginationToken": "", "Key": "k"},
    ("resourcegroupstaggingapi", "TagResources"): lambda w: {
        "ResourceARNList": [w.iot_policy_arn(), f"arn:aws:s3:::{w.bucket()}"],
        "Tags": {"k": "v"},
    },
    ("resourcegroupstaggingapi", "UntagResources"): lambda w: {
        "ResourceARNList": [w.iot_policy_arn()],
        "TagKeys": ["k"],
    },
    # --- glue
    ("glue", "BatchCreatePartition"): lambda w: w.in_table() | {"PartitionInputList": [w.partition_input()]},
    ("glue", "BatchDeletePartition"): lambda w: w.in_table()
    | {"PartitionsToDelete": [{"Values": w.partition()}, {"Values": ["absent"]}]},
    ("glue", "BatchDeleteTable"): lambda w: {
        "DatabaseName": w.database(),
        "TablesToDelete": [w.table(kept=False), "absent"],
    },
    ("glue", "BatchGetPartition"): lambda w: w.in_table() | {"PartitionsToGet": [{"Values": w.partition()}]},
    ("glue", "BatchUpdatePartition"): lambda w: w.in_table()
    | {"Entries": [{"PartitionValueList": w.partition(), "PartitionInput": w.partition_input()}]},
    ("glue", "CreateDatabase"): lambda w: {
        "CatalogId": "000000000000",
        "DatabaseInput": {
            "Name": w.fresh("database"),
            "Description": "words",
            "LocationUri": "s3://somewhere/",
            "Parameters": {"k": "v"},
        },
        "Tags": {"k": "v"},
    },
    ("glue", "CreatePartition"): lambda w: w.in_table() | {"PartitionInput": w.partition_input()},
    ("glue", "CreateTable"): lambda w: {
        "DatabaseName": w.database(),
        "TableInput": w.table_input(w.fresh("table")),
    },
    ("glue", "DeleteDatabase"): lambda w: {"Name": w.database(kept=False)},
    ("glue", "DeletePartition"): lambda w: w.in_table() | {"PartitionValues": w.partition()},
    ("glue", "DeleteTable"): lambda w: {"DatabaseName": w.database(), "Name": w.table(kept=False)},
    ("glue", "GetDatabase"): lambda w: {"Name": w.database()},
    ("glue", "GetDatabases"): lambda w: {"MaxResults": 2},
    ("glue", "GetPartition"): lambda w: w.in_table() | {"PartitionValues": w.partition()},
    ("glue", "GetPartitionIndexes"): lambda w: w.in_table(),
    ("glue", "GetPartitions"): lambda w: w.in_table()
    | {"Expression": f"day = '{w.partition()[0]}'", "MaxResults": 2, "ExcludeColumnSchema": False},
    ("glue", "GetTable"): lambda w: {"DatabaseName": w.database(), "Name": w.table()},
    ("glue", "GetTables"): lambda w: {"DatabaseName": w.in_table()["DatabaseName"], "MaxResults": 2},
    ("glue", "GetTags"): lambda w: {"ResourceArn": w.database_arn()},
    ("glue", "TagResource"): lambda w: {"ResourceArn": w.database_arn(), "TagsToAdd": {"k": "v"}},
    ("glue", "UntagResource"): lambda w: {"ResourceArn": w.database_arn(), "TagsToRemove": ["k"]},
    ("glue", "UpdateDatabase"): lambda w: {
        "Name": w.database(),
        "DatabaseInput": {"Name": w.database(), "Description": "words"},
    },
    ("glue", "UpdatePartition"): lambda w: update_partition(w, w.partition_input()),
    ("glue", "UpdateTable"): lambda w: {
        "DatabaseName": w.database(),
        "TableInput": w.table_input(w.table()),
        "SkipArchive": True,
    },
    # --- athena
    ("athena", "BatchGetNamedQuery"): lambda w: {"NamedQueryIds": [w.named_query(), "absent"]},
    ("athena", "BatchGetQueryExecution"): lambda w: {"QueryExecutionIds": [w.executed(), "absent"]},
    ("athena", "CreateNamedQuery"): lambda w: {
        "Name": "n",
        "Description": "words",
        "Database": "default",
        "QueryString": "SELECT 1",
        "ClientRequestToken": w.fresh("a-token-that-is-long-enough-for-everyone"),
        "WorkGroup": "primary",
    },
    ("athena", "CreateWorkGroup"): lambda w: {
        "Name": w.fresh("workgroup"),
        "Configuration": workgroup_configuration(w),
        "Description": "words",
        "Tags": TAGS,
    },
    ("athena", "DeleteNamedQuery"): lambda w: {"NamedQueryId": w.named_query()},
    ("athena", "DeleteWorkGroup"): lambda w: {
        "WorkGroup": w.new_workgroup(),
        "RecursiveDeleteOption": True,
    },
    ("athena", "GetDataCatalog"): lambda w: {"Name": "AwsDataCatalog", "WorkGroup": "primary"},
    ("athena", "GetDatabase"): lambda w: {
        "CatalogName": "AwsDataCatalog",
        "DatabaseName": w.database(),
        "WorkGroup": "primary",
    },
    ("athena", "GetNamedQuery"): lambda w: {"NamedQueryId": w.named_query()},
    ("athena", "GetQueryExecution"): lambda w: {"QueryExecutionId": w.executed()},
    ("athena", "GetQueryResults"): lambda w: {"QueryExecutionId": w.executed(), "MaxResults": 1},
    ("athena", "GetTableMetadata"): lambda w: {
        "CatalogName": "AwsDataCatalog",
        "DatabaseName": w.database(),
        "TableName": w.table(),
        "WorkGroup": "primary",
    },
    ("athena", "GetWorkGroup"): lambda w: {"WorkGroup": w.workgroup_arn().rsplit("/")[-1]},
    ("athena", "ListDataCatalogs"): lambda w: {"MaxResults": 10, "WorkGroup": "primary"},
    ("athena", "ListDatabases"): lambda w: {
        "CatalogName": "AwsDataCatalog",
        "MaxResults": 2,
        "WorkGroup": "primary",
    },
    ("athena", "ListNamedQueries"): lambda w: {"MaxResults": 2, "WorkGroup": "primary"},
    ("athena", "ListQueryExecutions"): lambda w: {"MaxResults": 2, "WorkGroup": "primary"},
    ("athena", "ListTableMetadata"): lambda w: {
        "CatalogName": "AwsDataCatalog",
        "DatabaseName": w.in_table()["DatabaseName"],
        "Expression": ".*",
        "MaxResults": 2,
        "WorkGroup": "primary",
    },
    ("athena", "ListTagsForResource"): lambda w: {"ResourceARN": w.workgroup_arn(), "MaxResults": 75},
    ("athena", "ListWorkGroups"): lambda w: {"MaxResults": 2},
    ("athena", "StartQueryExecution"): lambda w: {
        "QueryString": "SELECT ?",
        "ClientRequestToken": w.fresh("a-token-that-is-long-enough-for-everyone"),
        "QueryExecutionContext": {"Database": "default", "Catalog": "AwsDataCatalog"},
        "ResultConfiguration": w.result_configuration(),
        "WorkGroup": "primary",
        "ExecutionParameters": ["1"],
        "ResultReuseConfiguration": {
            "ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}
        },
    },
    ("athena", "StopQueryExecution"): lambda w: {"QueryExecutionId": w.started()},
    ("athena", "TagResource"): lambda w: {"ResourceARN": w.workgroup_arn(), "Tags": TAGS},
    ("athena", "UntagResource"): lambda w: {"ResourceARN": w.workgroup_arn(), "TagKeys": ["k"]},
    ("athena", "UpdateNamedQuery"): lambda w: {
        "NamedQueryId": w.named_query(),
        "Name": "other",
        "Description": "words",
        "QueryString": "SELECT 2",
    },
    ("athena", "UpdateWorkGroup"): lambda w: {
        "WorkGroup": w.new_workgroup(),
        "Description": "words",
        "ConfigurationUpdates": {
            "EnforceWorkGroupConfiguration": False,
            "ResultConfigurationUpdates": {
                "OutputLocation": f"s3://{w.bucket()}/other/",
                "RemoveEncryptionConfiguration": True,
                "RemoveExpectedBucketOwner": True,
                "RemoveAclConfiguration": True,
            },
            "PublishCloudWatchMetricsEnabled": False,
            "RemoveBytesScannedCutoffPerQuery": True,
            "RequesterPaysEnabled": False,
            "EngineVersion": {"SelectedEngineVersion": "AUTO"},
        },
        "State": "DISABLED",
    },
}

# Reads of what a new bucket has, and of what it has not: the error that says so is the good answer.
SAMPLES |= {
    ("s3", name): lambda w: {"Bucket": w.bucket()}
    for name in (
        "GetBucketAccelerateConfiguration",
        "GetBucketAcl",
        "GetBucketLogging",
        "GetBucketNotificationConfiguration",
        "GetBucketOwnershipControls",
        "GetBucketRequestPayment",
        "GetBucketVersioning",
        "GetPublicAccessBlock",
    )
}
NOT_CONFIGURED = {
    ("s3", "GetBucketEncryption"): "ServerSideEncryptionConfigurationNotFoundError",
    ("s3", "GetBucketLifecycleConfiguration"): "NoSuchLifecycleConfiguration",
    ("s3", "GetBucketReplication"): "ReplicationConfigurationNotFoundError",
    ("s3", "GetBucketWebsite"): "NoSuchWebsiteConfiguration",
    ("s3", "GetObjectLockConfiguration"): "ObjectLockConfigurationNotFoundError",
}
SAMPLES |= {row: lambda w: {"Bucket": w.bucket()} for row in NOT_CONFIGURED}

# Good inputs that are refused, since nobody vouches for them here.
REFUSED = {("sts", "AssumeRoleWithWebIdentity"): "InvalidIdentityToken"}


def update_partition(w, new):
    return w.in_table() | {"PartitionValueList": w.partition(), "PartitionInput": new}


def with_policy(bucket):
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObject",
        "Resource": f"arn:aws:s3:::{bucket}/kept/*",
    }
    return {"Bucket": bucket, "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}


def bucket_with_policy(w):
    def make():
        name = w.bucket(kept=False)
        w.client("s3").put_bucket_policy(**with_policy(name))
        return name

    return w.once("bucket with policy", make)


def with_cors(bucket):
    rule = {
        "ID": "app",
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 60,
    }
    return {"Bucket": bucket, "CORSConfiguration": {"CORSRules": [rule]}}


def bucket_with_cors(w):
    def make():
        name = w.bucket(kept=False)
        w.client("s3").put_bucket_cors(**with_cors(name))
        return name

    return w.once("bucket with CORS", make)


def tagged_bucket(w):
    def make():
        name = w.bucket(kept=False)
        w.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": TAGS})
        return name

    return w.once("tagged bucket", make)
