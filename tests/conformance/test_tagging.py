"""The Resource Groups Tagging API by boto3, over the resources of every service that keeps tags."""

import json

import pytest

ACCOUNT = "000000000000"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}
DESTINATION = {"RoleARN": f"arn:aws:iam::{ACCOUNT}:role/r", "BucketARN": "arn:aws:s3:::tagged"}

# In the order in which they are listed.
ARNS = [
    f"arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/tagged",
    f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/tagged",
    f"arn:aws:glue:us-east-1:{ACCOUNT}:database/tagged",
    f"arn:aws:iot:us-east-1:{ACCOUNT}:policy/tagged",
    f"arn:aws:iot:us-east-1:{ACCOUNT}:rule/tagged",
    "arn:aws:s3:::tagged",
]


@pytest.fixture(scope="module")
def tagging(node):
    node.client("s3").create_bucket(Bucket="tagged")
    node.client("firehose").create_delivery_stream(
        DeliveryStreamName="tagged", S3DestinationConfiguration=DESTINATION
    )
    node.client("glue").create_database(DatabaseInput={"Name": "tagged"})
    node.client("athena").create_work_group(Name="tagged")
    node.client("iot").create_policy(policyName="tagged", policyDocument=json.dumps(POLICY))
    node.client("iot").create_topic_rule(
        ruleName="tagged", topicRulePayload={"sql": "SELECT * FROM 'a'", "actions": []}
    )
    return node.client("resourcegroupstaggingapi")


def pages(tagging, **wanted):
    found = tagging.get_paginator("get_resources").paginate(**wanted, PaginationConfig={"PageSize": 2})
    return [[row["ResourceARN"] for row in page["ResourceTagMappingList"]] for page in found]


def test_one_call_tags_the_resources_of_every_service(node, tagging):
    absent = "arn:aws:s3:::tagged-absent"
    failed = tagging.tag_resources(ResourceARNList=[*ARNS, absent], Tags={"team": "heart", "stage": "dev"})
    assert list(failed["FailedResourcesMap"]) == [absent]
    assert failed["FailedResourcesMap"][absent]["ErrorCode"] == "NoSuchBucket"

    wanted = [{"Key": "team", "Values": ["heart"]}, {"Key": "stage"}]
    assert pages(tagging, TagFilters=wanted) == [ARNS[:2], ARNS[2:4], ARNS[4:]]
    assert pages(tagging, TagFilters=wanted, ResourceTypeFilters=["iot:rule", "s3"]) == [ARNS[4:]]
    named = tagging.get_resources(ResourceARNList=[ARNS[0], absent])["ResourceTagMappingList"]
    assert named == [{"ResourceARN": ARNS[0], "Tags": [{"Key": "stage", "Value": "dev"}, {"Key": "team", "Value": "heart"}]}]
    assert tagging.get_tag_keys()["TagKeys"] == ["stage", "team"]
    assert tagging.get_tag_values(Key="stage")["TagValues"] == ["dev"]

    # They are the services' own.
    assert node.client("s3").get_bucket_tagging(Bucket="tagged")["TagSet"] == named[0]["Tags"]
    assert node.client("glue").get_tags(ResourceArn=ARNS[2])["Tags"] == {"stage": "dev", "team": "heart"}

    tagging.untag_resources(ResourceARNList=ARNS, TagKeys=["stage"])
    assert tagging.get_tag_keys()["TagKeys"] == ["team"]
    elsewhere = node.client("resourcegroupstaggingapi", region_name="eu-west-1")
    assert elsewhere.get_resources()["ResourceTagMappingList"] == []
