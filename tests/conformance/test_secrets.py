"""Secrets: none that the tests know is in a log, on the disk or in the process list; and the keys that guard them."""

import json
import re
import stat
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from conftest import Node
from test_commands import free_ports, headwater, refused

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}],
    }
)
EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
# Where an operator keeps secrets, for their owner alone.
KEPT = {"credentials", "master.key"}


def profile(text):
    """The account and the key of a printed profile."""
    account = re.search(r"^\[(\d{12})\]$", text, re.MULTILINE).group(1)
    key = dict(re.findall(r"^(aws_\w+) = (\S+)$", text, re.MULTILINE))
    return account, key["aws_access_key_id"], key["aws_secret_access_key"]


def secret_of(node):
    kept = (node.data / "credentials").read_text()
    return re.search(r"^aws_secret_access_key = (\S+)$", kept, re.MULTILINE).group(1)


def client(node, service, key, token=None):
    return boto3.client(
        service,
        endpoint_url=node.environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
        aws_session_token=token,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 1}),
    )


def work(node):
    """Makes every kind of secret there is, uses each, and fails with each."""
    secrets = {"root": secret_of(node), "master key": (node.data / "master.key").read_text().strip()}
    iam = node.client("iam")
    iam.create_user(UserName="bob")
    iam.put_user_policy(UserName="bob", PolicyName="all", PolicyDocument=EVERYTHING)
    key = iam.create_access_key(UserName="bob")["AccessKey"]
    bob = (key["AccessKeyId"], key["SecretAccessKey"])
    secrets["access key"] = bob[1]
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    sts = client(node, "sts", bob)
    for name, answer in (
        ("session", sts.assume_role(RoleArn=role, RoleSessionName="session", ExternalId="a-shared-secret")),
        ("temporary", sts.get_session_token()),
    ):
        made = answer["Credentials"]
        secrets[f"{name} key"], secrets[f"{name} token"] = made["SecretAccessKey"], made["SessionToken"]
        temporary = (made["AccessKeyId"], made["SecretAccessKey"])
        client(node, "sts", temporary, made["SessionToken"]).get_caller_identity()
        with pytest.raises(ClientError):
            client(node, "iam", temporary, made["SessionToken"]).get_user(UserName="nobody")
        with pytest.raises(ClientError):
            client(node, "sts", bob, made["SessionToken"]).get_caller_identity()
    private = node.client("iot").create_keys_and_certificate(setAsActive=True)["keyPair"]["PrivateKey"]
    secrets["device key"] = max(private.splitlines(), key=len)
    _, key_id, secret = profile(headwater("account", "create", "--data", node.data, "--name", "Second").stdout)
    secrets["other root"] = secret
    assert client(node, "sts", (key_id, secret)).get_caller_identity()["Arn"].endswith(":root")
    account, _, secrets["other root, rotated"] = profile(
        headwater("key", "rotate", "--data", node.data, "--account", only_other(node), "--overlap", "1h").stdout
    )
    assert account == only_other(node)
    for wrong in ((bob[0], "not-the-secret"), ("AKIANOBODYNOBODY2345", bob[1])):
        with pytest.raises(ClientError):
            client(node, "s3", wrong).list_buckets()
    sign_in(node, bob)
    said = headwater("key", "rotate", "--data", node.data).stdout
    secrets["root, rotated"] = secret_of(node)
    assert secrets["root, rotated"] != secrets["root"]
    assert secrets["root, rotated"] not in said
    assert node.client("sts").get_caller_identity()["Account"] == "000000000000"
    return secrets


def only_other(node):
    rows = headwater("account", "list", "--data", node.data).stdout.splitlines()
    assert len(rows) == 2 and rows[0].startswith("000000000000"), rows
    return rows[1].split("\t")[0]


def sign_in(node, key):
    """With the right key, and with a wrong one."""
    host = f"127.0.0.1:{node.ports['console']}"
    for secret, status in ((key[1], 200), ("wrong", 401)):
        request = urllib.request.Request(
            f"http://{host}/console/session",
            data=json.dumps({"accessKeyId": key[0], "secretAccessKey": secret}).encode(),
            headers={"x-console": "1", "sec-fetch-site": "same-origin", "content-type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request) as answer:
                assert answer.status == status
                assert key[1].encode() not in answer.read()
        except urllib.error.HTTPError as error:
            assert error.code == status


def test_no_secret_is_in_logs_on_the_disk_or_in_the_process_list(tmp_path):
    node = Node(tmp_path / "node", "--auth", "enforce", env={"HEADWATER_LOG": "trace"}).start()
    try:
        secrets = work(node)
        launch = node.console_url.split("#t=")[1]
        command = open(f"/proc/{node.process.pid}/cmdline", "rb").read()
    finally:
        node.stop()
    log = "".join(node.log)
    assert "DEBUG" in log and "request_id" in log, "the log says what is done"
    for name, secret in secrets.items():
        assert len(secret) > 20, name
        assert secret not in log, f"the log tells the {name}"
        assert secret.encode() not in command, f"the process list tells the {name}"
    assert log.count(launch) == 1, "the sign-in link is told once, to whoever started the node"
    for path in (path for path in node.data.rglob("*") if path.is_file()):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.name in KEPT:
            assert mode == 0o600, path
            continue
        content = path.read_bytes()
        for name, secret in secrets.items():
            assert secret.encode() not in content, f"{path.name} holds the {name}"
        assert b"PRIVATE KEY" not in content, f"{path.name} holds a private key"


# --- keys of the node


def serve(data, *flags, env=None):
    return headwater("serve", "--data", data, *free_ports(), *flags, env=env)


def started_and_stopped(data, *flags, env=None):
    node = Node(data, *flags, env=env).start()
    node.stop()
    return node


def written(path, key):
    path.write_text(key)
    path.chmod(0o600)
    return path


KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "/wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_the_master_key_is_missed_when_it_is_gone_and_a_wrong_one_stops_the_start(tmp_path):
    data = tmp_path / "node"
    started_and_stopped(data)
    kept = (data / "master.key").read_text()
    (data / "master.key").unlink()
    error = refused(serve(data))
    assert "the master key is missing" in error and "--master-key-file" in error
    assert not (data / "master.key").exists(), "no new key over old data"
    error = refused(serve(data, env={"HEADWATER_MASTER_KEY": KEY}))
    assert "the master key is not the one that this data is sealed with" in error and KEY not in error
    error = refused(serve(data, "--master-key-file", tmp_path / "nothing"))
    assert "there is no file" in error
    elsewhere = written(tmp_path / "elsewhere", kept)
    elsewhere.chmod(0o644)
    error = refused(serve(data, "--master-key-file", elsewhere))
    assert "must be 600" in error
    elsewhere.chmod(0o600)
    started_and_stopped(data, "--master-key-file", elsewhere)
    started_and_stopped(data, env={"HEADWATER_MASTER_KEY": kept.strip()})
    error = refused(serve(data, "--master-key-file", elsewhere, env={"HEADWATER_MASTER_KEY": KEY}))
    assert "must not be set both" in error


def test_the_master_key_is_rotated_while_no_node_runs(tmp_path):
    data = tmp_path / "node"
    node = Node(data).start()
    try:
        node.client("iam").create_user(UserName="bob")
        key = node.client("iam").create_access_key(UserName="bob")["AccessKey"]
        assert "in use" in refused(headwater("key", "rotate-master", "--data", data))
    finally:
        node.stop()
    before = (data / "master.key").read_text()
    done = headwater("key", "rotate-master", "--data", data)
    assert done.returncode == 0, done.stderr
    after = (data / "master.key").read_text()
    assert before != after and after.strip() not in done.stdout
    assert stat.S_IMODE((data / "master.key").stat().st_mode) == 0o600
    assert "is not the one" in refused(serve(data, env={"HEADWATER_MASTER_KEY": before.strip()}))
    # From the data directory to a place of the operator's, and from there to another.
    first, second = written(tmp_path / "first", KEY), written(tmp_path / "second", OTHER)
    done = headwater("key", "rotate-master", "--data", data, "--new-master-key-file", first)
    assert done.returncode == 0, done.stderr
    assert not (data / "master.key").exists()
    error = refused(headwater("key", "rotate-master", "--data", data, "--master-key-file", first))
    assert "--new-master-key-file" in error
    moved = headwater(
        "key", "rotate-master", "--data", data, "--master-key-file", first, "--new-master-key-file", second
    )
    assert moved.returncode == 0, moved.stderr
    assert "is not the one" in refused(serve(data, "--master-key-file", first))
    node = Node(data, "--master-key-file", str(second)).start()
    try:
        identity = client(node, "sts", (key["AccessKeyId"], key["SecretAccessKey"])).get_caller_identity()
        assert identity["Arn"] == "arn:aws:iam::000000000000:user/bob"
    finally:
        node.stop()
    assert "there is no data directory" in refused(headwater("key", "rotate-master", "--data", tmp_path / "no"))


def test_the_roots_key_is_rotated_with_and_without_an_overlap(tmp_path):
    node = Node(tmp_path / "node").start()
    try:
        key_of = lambda: (node.environment["AWS_ACCESS_KEY_ID"], node.environment["AWS_SECRET_ACCESS_KEY"])
        known = lambda key: client(node, "sts", key).get_caller_identity()
        first = key_of()
        assert headwater("key", "rotate", "--data", node.data, "--overlap", "1h").returncode == 0
        second = key_of()
        assert second != first and known(first)["Arn"] == known(second)["Arn"]
        node.kill()
        node.start()
        assert known(first)["Arn"] == known(second)["Arn"]
        assert headwater("key", "rotate", "--data", node.data).returncode == 0
        third = key_of()
        known(third)
        for old in (first, second):
            with pytest.raises(ClientError) as error:
                known(old)
            assert error.value.response["Error"]["Code"] == "InvalidClientTokenId"
        assert stat.S_IMODE((node.data / "credentials").stat().st_mode) == 0o600
        assert "at most" in refused(headwater("key", "rotate", "--data", node.data, "--overlap", "30d"))
        assert "cannot be found" in refused(
            headwater("key", "rotate", "--data", node.data, "--account", "999999999999")
        )
    finally:
        node.stop()
    error = refused(headwater("account", "list", "--data", node.data))
    assert "headwater serve" in error


def test_a_key_of_the_environments_is_the_environments_to_change(tmp_path):
    key = {
        "HEADWATER_ACCESS_KEY_ID": "AKIDCHOSENBYOPERATOR",
        "HEADWATER_SECRET_ACCESS_KEY": "chosen-secret-of-operator",
    }
    node = Node(tmp_path / "node", env=key).start()
    try:
        error = refused(headwater("key", "rotate", "--data", node.data, env=key))
        assert "chosen by the environment" in error
        assert "already exists" in refused(
            headwater("account", "create", "--data", node.data, "--account", "000000000000", env=key)
        )
        assert refused(headwater("account", "create", "--data", node.data, "--account", "12", env=key))
    finally:
        node.stop()
