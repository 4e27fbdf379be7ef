"""Terraform and its AWS provider build, change, adopt and take away the whole pipeline of `examples/terraform`.

Nothing is downloaded. The provider is taken from the folder that HEADWATER_TERRAFORM_PLUGINS names, or from where Terraform's users keep
a mirror of providers; where it or `terraform` itself is not found, these tests are skipped and say so.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, Node, query, wait_for
from device import connected, publish
from remains import remains

EXAMPLE = ROOT / "examples" / "terraform"
PROVIDER = "registry.terraform.io/hashicorp/aws"
# Starting the provider takes seconds, and a plan starts it more than once.
COMMAND_SECONDS = 300


def mirrors():
    """The folders in which the provider may be, the one asked for first."""
    for variable in ("HEADWATER_TERRAFORM_PLUGINS", "TF_PLUGIN_CACHE_DIR"):
        if os.environ.get(variable):
            yield Path(os.environ[variable])
    yield Path.home() / ".terraform.d" / "plugins"
    yield Path.home() / ".terraform.d" / "plugin-cache"
    yield Path("/usr/local/share/terraform/plugins")
    yield Path("/usr/share/terraform/plugins")
    yield from sorted(Path("/opt").glob("*")) if Path("/opt").is_dir() else ()


def holds_provider(mirror):
    """Version 5.100 and later of it, unpacked or packed."""
    return any((mirror / PROVIDER).glob("5.1[0-9][0-9].*/*/terraform-provider-aws*")) or any(
        (mirror / PROVIDER).glob("terraform-provider-aws_5.1[0-9][0-9].*.zip")
    )


TERRAFORM = shutil.which("terraform")
MIRROR = next((mirror for mirror in mirrors() if holds_provider(mirror)), None)

if TERRAFORM is None:
    pytest.skip("terraform is not installed: the tests with it were not run", allow_module_level=True)
if MIRROR is None:
    pytest.skip(
        "no mirror holds the AWS provider of terraform (set HEADWATER_TERRAFORM_PLUGINS): the tests with it were not run",
        allow_module_level=True,
    )

# The same pipeline after its owner changed everything that can change in place.
CHANGES = {
    "stage": "production",
    "buffer_seconds": 120,
    "rule_sql": "SELECT *, topic(3) AS device, timestamp() AS received FROM 'dt/heart/+'",
    "extra_columns": {"spo2": "double"},
    "scan_bytes_max": 20_000_000,
    "named_query_sql": "SELECT device, max(bpm) AS bpm FROM beats GROUP BY device",
}

# What the provider cannot import: the certificate, whose key AWS gives once, and what ties things to it.
UNIMPORTABLE = {"aws_iot_certificate", "aws_iot_policy_attachment", "aws_iot_thing_principal_attachment"}


class Project:
    """A copy of the example, applied to a node."""

    def __init__(self, node, directory):
        self.node = node
        self.directory = directory

    def run(self, command, *arguments):
        # No configuration of the user, and above all none of his credentials.
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_"))}
        env |= self.node.environment | {
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            "HOME": str(self.directory),
        }
        done = subprocess.run(
            [TERRAFORM, command, *arguments],
            cwd=self.directory,
            env=env,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )
        assert done.returncode == 0, f"terraform {command}: {done.stdout}{done.stderr}"
        return done.stdout

    def configure(self, variables):
        (self.directory / "terraform.tfvars.json").write_text(json.dumps(variables))

    def apply(self, *arguments):
        return self.run("apply", "-auto-approve", "-input=false", "-no-color", *arguments)

    def expect_empty_plan(self):
        self.run("plan", "-detailed-exitcode", "-input=false", "-no-color")

    def plan(self):
        """Writes a plan to apply, and returns what it does to each resource that it changes."""
        lines = self.run("plan", "-json", "-out=plan", "-input=false").splitlines()
        events = [json.loads(line) for line in lines]
        changes = [event["change"] for event in events if event["type"] == "planned_change"]
        actions = {change["resource"]["addr"]: change["action"] for change in changes}
        return {address: action for address, action in actions.items() if action != "read"}

    def resources(self):
        """The attributes of every resource by its address, as the state has them."""
        state = json.loads(self.run("state", "pull"))
        return {
            f"{item['type']}.{item['name']}": item["instances"][0]["attributes"]
            for item in state["resources"]
            if item["mode"] == "managed"
        }

    def outputs(self):
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """A node that enforces policies, as one does that others can reach."""
    node = Node(tmp_path_factory.mktemp("data") / "node", "--auth", "enforce").start()
    yield node
    node.stop()


@pytest.fixture(scope="module")
def project(node, tmp_path_factory):
    directory = tmp_path_factory.mktemp("terraform") / "project"
    shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    project = Project(node, directory)
    project.run("init", f"-plugin-dir={MIRROR}", "-input=false", "-no-color")
    return project


def import_id(address, attributes):
    """By what the provider finds a resource that it did not make."""
    kind = address.split(".")[0]
    if kind == "aws_iam_role_policy_attachment":
        return f"{attributes['role']}/{attributes['policy_arn']}"
    return attributes["id"]


# The tests are one story, in this order.


def test_one_apply_builds_the_pipeline_and_a_second_plan_is_empty(project):
    project.run("fmt", "-check", "-diff")
    project.configure({"buffer_seconds": 1})
    project.apply()
    project.expect_empty_plan()


def test_tags_are_as_they_were_given(project):
    node = project.node
    expected = [("project", "heartbeat"), ("stage", "development")]

    def of(tags):
        return sorted((tag["Key"], tag["Value"]) for tag in tags)

    assert of(node.client("s3").get_bucket_tagging(Bucket="heartbeat-lake")["TagSet"]) == expected
    iot = node.client("iot")
    for arn in (
        iot.get_topic_rule(ruleName="heartbeat_beats")["ruleArn"],
        iot.get_policy(policyName="heartbeat-device")["policyArn"],
    ):
        assert of(iot.list_tags_for_resource(resourceArn=arn)["tags"]) == expected
    firehose = node.client("firehose")
    assert of(firehose.list_tags_for_delivery_stream(DeliveryStreamName="heartbeat-beats")["Tags"]) == expected
    assert of(node.client("iam").list_role_tags(RoleName="heartbeat-rule")["Tags"]) == expected


def beat(project, directory, *rates):
    """Publishes heart rates as the device that the project made."""
    outputs = project.outputs()
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    certificate.write_text(outputs["certificate_pem"])
    key.write_text(outputs["private_key"])
    with connected(project.node, outputs["client_id"], certificate, key) as device:
        for bpm in rates:
            publish(device, outputs["topic"], {"bpm": bpm})
    return outputs


def test_a_message_of_its_device_arrives_in_sql(project, tmp_path):
    outputs = beat(project, tmp_path, 60, 70, 80)
    athena = project.node.client("athena")
    named = athena.list_named_queries(WorkGroup=outputs["workgroup"])["NamedQueryIds"]
    saved = athena.get_named_query(NamedQueryId=named[0])["NamedQuery"]
    rows = query(athena, saved["QueryString"], outputs["database"], workgroup=outputs["workgroup"])
    assert rows == [["device", "bpm"], [outputs["client_id"], "70.0"]]
    s3 = project.node.client("s3")
    where = {"Bucket": "heartbeat-lake", "Prefix": "beats/"}
    wait_for(lambda: s3.list_objects_v2(**where)["KeyCount"], what="the delivery")


def test_changes_are_made_in_place(project):
    project.configure(CHANGES)
    device = project.directory / "device.tf"
    document = device.read_text()
    changed = document.replace('"iot:Publish"', '["iot:Publish", "iot:RetainPublish"]')
    assert changed != document
    device.write_text(changed)
    planned = project.plan()
    # The provider replaces a named query whose text changes; nothing else is made anew.
    assert planned.pop("aws_athena_named_query.mean") == "replace"
    assert planned == dict.fromkeys(
        {
            "aws_athena_workgroup.analysts",
            "aws_glue_catalog_table.beats",
            "aws_iam_policy.delivery",
            "aws_iam_role.delivery",
            "aws_iam_role.rule",
            "aws_iam_role_policy.rule",
            "aws_iot_policy.device",
            "aws_iot_thing.monitor",
            "aws_iot_topic_rule.beats",
            "aws_kinesis_firehose_delivery_stream.beats",
            "aws_kinesis_firehose_delivery_stream.failed",
            "aws_s3_bucket.lake",
            "aws_s3_bucket.results",
            # What it says names a bucket and a role that change, and is known when they have.
            "aws_s3_bucket_policy.lake",
        },
        "update",
    )
    project.apply("plan")
    project.expect_empty_plan()


def test_what_was_changed_is_in_force(project):
    node = project.node
    described = node.client("firehose").describe_delivery_stream(DeliveryStreamName="heartbeat-beats")
    destination = described["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert destination["BufferingHints"] == {"SizeInMBs": 64, "IntervalInSeconds": 120}
    iot = node.client("iot")
    policy = iot.get_policy(policyName="heartbeat-device")
    assert policy["defaultVersionId"] == "2" and "iot:RetainPublish" in policy["policyDocument"]
    assert iot.get_topic_rule(ruleName="heartbeat_beats")["rule"]["sql"] == CHANGES["rule_sql"]
    athena = node.client("athena")
    configuration = athena.get_work_group(WorkGroup="heartbeat-analysts")["WorkGroup"]["Configuration"]
    assert configuration["BytesScannedCutoffPerQuery"] == CHANGES["scan_bytes_max"]
    # The records of before have no value in the new column.
    sql = "SELECT bpm, spo2 FROM beats ORDER BY bpm"
    rows = query(athena, sql, "heartbeat", workgroup="heartbeat-analysts")
    assert rows == [["bpm", "spo2"], ["60", None], ["70", None], ["80", None]]


def test_a_right_that_its_rule_has_lost_is_missed_and_given_back(project, tmp_path):
    node = project.node
    node.client("iam").delete_role_policy(RoleName="heartbeat-rule", PolicyName="put-records")
    # The rule may not put this one anywhere.
    beat(project, tmp_path, 200)
    assert project.plan() == {"aws_iam_role_policy.rule": "create"}
    project.apply("plan")
    beat(project, tmp_path, 90)
    sql = "SELECT bpm FROM beats ORDER BY bpm"
    rows = query(node.client("athena"), sql, "heartbeat", workgroup="heartbeat-analysts")
    assert rows == [["bpm"], ["60"], ["70"], ["80"], ["90"]]


def test_every_resource_can_be_imported(project):
    resources = {
        address: attributes
        for address, attributes in project.resources().items()
        if address.split(".")[0] not in UNIMPORTABLE
    }
    assert len(resources) == 21
    project.run("state", "rm", *resources)
    blocks = [
        f'import {{\n  to = {address}\n  id = "{import_id(address, attributes)}"\n}}\n'
        for address, attributes in resources.items()
    ]
    imports = project.directory / "imports.tf"
    imports.write_text("\n".join(blocks))
    # What is changed is what the provider alone knows, as `force_destroy`.
    out = project.apply()
    assert f"{len(resources)} imported, 0 added" in out and "0 destroyed" in out, out
    imports.unlink()
    project.expect_empty_plan()


def test_destroying_leaves_nothing(project):
    # What was delivered and what queries answered must not keep the buckets.
    s3 = project.node.client("s3")
    s3.put_object(Bucket="heartbeat-lake", Key="beats/by-hand", Body=b'{"bpm": 1}\n')
    assert s3.list_objects_v2(Bucket="heartbeat-results", Prefix="analysts/")["KeyCount"] > 0
    project.run("destroy", "-auto-approve", "-input=false", "-no-color")
    assert project.run("state", "list") == ""
    assert remains(project.node) == {}
