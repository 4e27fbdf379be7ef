"""Two tenants of an enforcing node: B, with every right in its own account, asks about all that is A's.

By every operation that is served, with the good input of `model_samples.py` that A would send:

1. What B is told about a resource of A's, it is told in the same words about one that is not there; only that a bucket's name is taken is
   told, as by AWS.
2. No answer holds a name or the account of A, but what B itself asked with.
3. After all of it nothing of A's has changed.

And a user of A's own account without a policy is denied every operation, in the code of its protocol.
"""

import copy
import json
import re
import subprocess

import pytest
from botocore.exceptions import ClientError
from conftest import BINARY, Node
from model_samples import SAMPLES, served
from model_world import World

A, B = "000000000000", "222222222222"
OPERATIONS = served()

# Whoever has a key may ask who they are, and for a session of their own; what proves itself by its input needs no key at all.
FREE = {
    ("sts", "GetCallerIdentity"),
    ("sts", "GetSessionToken"),
    ("sts", "AssumeRoleWithWebIdentity"),
}

# AWS tells everyone whose a key is, and whether a bucket's name is taken; here the latter shows in where results may go.
TOLD = {("sts", "GetAccessKeyInfo"): A}
NAMES_A_BUCKET = {("athena", "StartQueryExecution")}

# What is the same for everyone, and has no owner.
SHARED = re.compile(r"arn:aws:iam::aws:policy/")

# What differs from one answer to the next.
CHANCE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b|\b(?:AKIA|ASIA|AIDA|AROA|ANPA|AGPA|AIPA)\w{12,}\b"
)


class Recorded(World):
    """A's world, which remembers every name that it gave away."""

    def __init__(self, node):
        super().__init__(node)
        self.names = []

    def fresh(self, prefix="x"):
        self.names.append(super().fresh(f"{prefix}a"))
        return self.names[-1]


def elsewhere(value, names):
    """The same input about what is not there."""
    if isinstance(value, dict):
        return {key: elsewhere(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [elsewhere(item, names) for item in value]
    if not isinstance(value, str):
        return value
    for name in sorted(names, key=len, reverse=True):
        value = value.replace(name, other(name))
    return CHANCE.sub(lambda found: unlike(found.group()), value)


def other(name):
    """`thinga17` becomes `thingz17`, which nobody has made."""
    stem, digits = re.fullmatch(r"(.*)a(\d+)", name).groups()
    return f"{stem}z{digits}"


def unlike(text):
    """Another identifier of the same form."""
    return text[:4] + "".join({"0": "1", "A": "B"}.get(c, "0" if c in "0123456789abcdef" else "A" if c.isalnum() else c) for c in text[4:])


class Tenants:
    def __init__(self, node):
        self.node = node
        self.world = Recorded(node)
        profile = self.run("account", "create", "--account", B)
        self.root = self.keys(profile)
        self.attacker = self.administrator(self.root)
        self.clients = {}
        # Names with which the attacker has asked, and may have made something of their own.
        self.asked = set()
        self.pipeline()

    def run(self, *arguments):
        command = [str(BINARY), *arguments, "--data", str(self.node.data)]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout

    @staticmethod
    def keys(text):
        names = ("aws_access_key_id", "aws_secret_access_key")
        return tuple(re.search(rf"{name}\s*=\s*(\S+)", text, re.IGNORECASE).group(1) for name in names)

    def as_(self, credentials, service):
        if (credentials, service) not in self.clients:
            self.clients[credentials, service] = self.node.client(service, credentials=credentials, parameter_validation=False)
        return self.clients[credentials, service]

    def administrator(self, root):
        self.clients = {}
        iam = self.node.client("iam", credentials=root)
        iam.create_user(UserName="admin")
        iam.attach_user_policy(UserName="admin", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        key = iam.create_access_key(UserName="admin")["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def nobody(self):
        """A user of A's account who may do nothing."""
        def make():
            iam = self.world.client("iam")
            iam.create_user(UserName="nobody")
            key = iam.create_access_key(UserName="nobody")["AccessKey"]
            return key["AccessKeyId"], key["SecretAccessKey"]

        return self.world.once("nobody", make)

    def pipeline(self):
        """The role by which A's own services act, if the samples have not made it."""
        services = ["iot.amazonaws.com", "firehose.amazonaws.com"]
        trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
        rights = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        document = lambda statement: json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam = self.world.client("iam")
        try:
            iam.create_role(RoleName="pipeline", AssumeRolePolicyDocument=document(trust))
        except iam.exceptions.EntityAlreadyExistsException:
            pass
        iam.put_role_policy(RoleName="pipeline", PolicyName="all", PolicyDocument=document(rights))


@pytest.fixture(scope="module")
def tenants(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("data") / "node", "--auth", "enforce").start()
    yield Tenants(node)
    node.stop()


def ask(client, operation, params):
    """What is said: (status, code, message), and the output if there is one."""
    try:
        output = client._make_api_call(operation, copy.deepcopy(params))
    except ClientError as error:
        said = error.response["Error"]
        return (error.response["ResponseMetadata"]["HTTPStatusCode"], said["Code"], said.get("Message", "")), None
    output.pop("ResponseMetadata", None)
    for name, value in output.items():
        if hasattr(value, "read"):
            output[name] = value.read().decode(errors="replace")
    return (200, None, ""), output


def text(value):
    return json.dumps(value, default=str)


def holds(told, name):
    """Whether a text names it, and not one that begins alike."""
    return re.search(rf"{re.escape(name)}(?!\d)", told) is not None


def test_an_attack_is_one(tenants):
    """The names that are looked for are those that A's own answers hold."""
    thing = tenants.world.thing()
    assert thing in tenants.world.names and thing in text(tenants.world.client("iot").describe_thing(thingName=thing))
    assert elsewhere({"x": [f"arn/{thing}"]}, [thing]) == {"x": [f"arn/{other(thing)}"]}


@pytest.mark.parametrize("service, operation", OPERATIONS)
def test_a_tenant_learns_nothing_of_another(tenants, service, operation):
    world = tenants.world
    params = SAMPLES[service, operation](world)
    attacker = tenants.as_(tenants.attacker, service)
    found, output = ask(attacker, operation, params)
    assert found[0] < 500 or found[0] == 501, found
    asked = text(params)
    tenants.asked |= {name for name in world.names if holds(asked, name)}
    told = SHARED.sub("", text([found[2], output]))
    known = tenants.asked | {TOLD.get((service, operation))} | ({A} if A in asked else set())
    leaked = [name for name in [*world.names, A] if name not in known and holds(told, name)]
    assert not leaked, f"{leaked} in {told}"
    if service == "s3":
        # Names of buckets are everyone's; what is in them is not.
        if world.bucket() in asked and "DeleteObjects" != operation:
            assert output is None and found[0] in (403, 409), (found, output)
        return
    if (service, operation) in TOLD:
        return
    missing, _ = ask(attacker, operation, elsewhere(params, world.names))
    if (service, operation) in NAMES_A_BUCKET:
        assert output is None and found[:2] == missing[:2], (found, missing)
        return
    same = lambda said: (*said[:2], CHANCE.sub("ID", elsewhere(said[2], world.names)))
    assert same(found) == same(missing), f"{found} of what is there, {missing} of what is not"


@pytest.mark.parametrize("service, operation", OPERATIONS)
def test_a_user_without_a_policy_is_denied(tenants, service, operation):
    params = SAMPLES[service, operation](tenants.world)
    found, output = ask(tenants.as_(tenants.nobody(), service), operation, params)
    if (service, operation) in FREE:
        assert found[1] not in ("AccessDenied", "AccessDeniedException"), found
        return
    if (service, operation) == ("s3", "DeleteObjects") and output is not None:
        assert not output.get("Deleted") and {error["Code"] for error in output["Errors"]} == {"AccessDenied"}
        return
    codes = {"s3": ("AccessDenied", "403"), "iam": ("AccessDenied",), "sts": ("AccessDenied",)}
    assert output is None and found[0] == 403, (found, output)
    assert found[1] in codes.get(service, ("AccessDeniedException", "AccessDenied")), found


def everything(world):
    """What A has, as A reads it."""
    def pages(service, operation, key, **params):
        client = world.client(service)
        items, token = [], {}
        while True:
            output = client._make_api_call(operation, params | token)
            items += output.get(key) or []
            names = [name for name in ("nextToken", "NextToken", "nextMarker", "Marker") if output.get(name)]
            if not names:
                return items
            token = {"marker" if names[0] == "nextMarker" else names[0]: output[names[0]]}

    all_ = {
        "things": pages("iot", "ListThings", "things"),
        "certificates": pages("iot", "ListCertificates", "certificates"),
        "policies": pages("iot", "ListPolicies", "policies"),
        "rules": pages("iot", "ListTopicRules", "rules"),
        "retained": pages("iot-data", "ListRetainedMessages", "retainedTopics"),
        "databases": pages("glue", "GetDatabases", "DatabaseList"),
        "workgroups": pages("athena", "ListWorkGroups", "WorkGroups"),
        "named": pages("athena", "ListNamedQueries", "NamedQueryIds"),
        "streams": world.client("firehose").list_delivery_streams(Limit=10_000)["DeliveryStreamNames"],
    }
    for database in all_["databases"]:
        all_["tables of " + database["Name"]] = pages("glue", "GetTables", "TableList", DatabaseName=database["Name"])
    for key in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
        details = pages("iam", "GetAccountAuthorizationDetails", key)
        all_[key] = [{k: v for k, v in detail.items() if "LastUsed" not in k} for detail in details]
    s3 = world.client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        objects = pages("s3", "ListObjects", "Contents", Bucket=bucket["Name"])
        uploads = s3.list_multipart_uploads(Bucket=bucket["Name"]).get("Uploads", [])
        all_["bucket " + bucket["Name"]] = [objects, [upload["UploadId"] for upload in uploads]]
    return json.loads(text(all_))


def test_nothing_of_the_other_tenant_changes(tenants):
    world = tenants.world
    inputs = [(service, operation, SAMPLES[service, operation](world)) for service, operation in OPERATIONS]
    world.executed()
    before = everything(world)
    for service, operation, params in inputs:
        for credentials in (tenants.attacker, tenants.root):
            ask(tenants.as_(credentials, service), operation, params)
    after = everything(world)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert not changed, {key: (before.get(key), after.get(key)) for key in changed}
