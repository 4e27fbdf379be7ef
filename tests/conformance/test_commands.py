"""The commands as a person types them: help, errors of one line, the environment for clients, reset."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from conftest import BINARY, Node, wait_for

PORTS = ["api", "console", "mqtt", "mqtts", "https", "metrics"]


def headwater(*arguments, env=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADWATER_"))}
    return subprocess.run(
        [str(BINARY), *map(str, arguments)], capture_output=True, text=True, timeout=60, env=clean | (env or {})
    )


def free_ports():
    return [argument for name in PORTS for argument in (f"--{name}-port", "0")]


def refused(done):
    """A command that fails says why in one line on standard error, and nothing else."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("headwater: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


COMMANDS = ["", "serve", "demo", "devices", "env", "account create", "key rotate", "key rotate-master", "version"]


@pytest.mark.parametrize("command", [line.split() for line in COMMANDS])
def test_help_is_everywhere(command):
    done = headwater(*command, "--help")
    assert done.returncode == 0
    assert "Usage: headwater" in done.stdout


def test_version_is_one_line():
    assert re.fullmatch(r"headwater \d+\.\d+\.\d+\n", headwater("version").stdout)


def test_a_taken_port_is_named_with_the_flag_that_chooses_another(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = [a for a in free_ports()]
        arguments[arguments.index("--mqtts-port") + 1] = str(port)
        error = refused(headwater("serve", "--data", tmp_path / "d", *arguments))
    assert str(port) in error and "--mqtts-port" in error


def test_a_data_directory_that_cannot_be_used_is_named(tmp_path):
    # Root may write anywhere, but not below a file.
    (tmp_path / "file").write_text("")
    error = refused(headwater("serve", "--data", tmp_path / "file" / "data", *free_ports()))
    assert str(tmp_path / "file" / "data") in error


def test_a_second_process_on_the_same_data_is_refused(node):
    error = refused(headwater("serve", "--data", node.data, *free_ports()))
    assert str(node.data) in error


def test_wrong_arguments_are_explained(tmp_path):
    error = refused(headwater("serve", "--data", tmp_path / "d", "--account", "12", *free_ports()))
    assert "--account" in error
    error = refused(headwater("devices", "--data", tmp_path / "nothing"))
    assert "--data" in error
    error = refused(headwater("env", "--data", tmp_path / "nothing"))
    assert "headwater serve" in error
    error = refused(headwater("serve", *free_ports(), env={"HEADWATER_ACCESS_KEY_ID": "only-one"}))
    assert "HEADWATER_SECRET_ACCESS_KEY" in error
    assert headwater("serve", "--nonsense").returncode == 2


def test_policies_cannot_be_switched_off_where_others_can_come(tmp_path):
    error = refused(
        headwater("serve", "--data", tmp_path / "d", "--listen", "0.0.0.0", "--auth", "off", *free_ports())
    )
    assert "--auth off" in error


def test_http_in_the_clear_is_for_this_machine(tmp_path):
    done = headwater("serve", "--data", tmp_path / "d", "--listen", "0.0.0.0", *free_ports())
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("headwater: --listen 0.0.0.0 ") and done.stderr.count("\n") == 1
    assert "--tls" in done.stderr and "--insecure-http" in done.stderr
    assert not (tmp_path / "d").exists()


def test_the_apis_over_tls(tmp_path):
    node = Node(tmp_path / "node", "--tls").start()
    try:
        environment = node.environment
        assert environment["AWS_ENDPOINT_URL"].startswith("https://127.0.0.1:")
        assert environment["AWS_CA_BUNDLE"] == str(tmp_path / "node" / "ca.pem")
        assert node.console_url.startswith("https://")
        s3 = node.client("s3")
        s3.create_bucket(Bucket="mine")
        s3.put_object(Bucket="mine", Key="k", Body=b"x" * 1_000_000)
        assert len(s3.get_object(Bucket="mine", Key="k")["Body"].read()) == 1_000_000
        assert node.client("iot").list_things()["things"] == []
        # The operator's own commands know the certificate as well.
        assert headwater("account", "list", "--data", node.data).returncode == 0
    finally:
        node.stop()


@pytest.mark.parametrize(("mode", "allowed"), [("enforce", False), ("audit", True), ("off", True)])
def test_auth_says_what_policies_mean(tmp_path, mode, allowed):
    node = Node(tmp_path / "node", "--auth", mode).start()
    try:
        iam = node.client("iam")
        iam.create_user(UserName="reader")
        key = iam.create_access_key(UserName="reader")["AccessKey"]
        s3 = boto3.client(
            "s3",
            endpoint_url=node.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            region_name="us-east-1",
        )
        if allowed:
            s3.create_bucket(Bucket="mine")
            return
        with pytest.raises(ClientError) as denied:
            s3.create_bucket(Bucket="mine")
        assert denied.value.response["Error"]["Code"] == "AccessDenied"
        assert "user/reader is not authorized to perform: s3:CreateBucket" in str(denied.value)
        policy = {"Effect": "Allow", "Action": "s3:CreateBucket", "Resource": "arn:aws:s3:::mine"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
        iam.put_user_policy(UserName="reader", PolicyName="create", PolicyDocument=document)
        s3.create_bucket(Bucket="mine")
        with pytest.raises(ClientError):
            s3.create_bucket(Bucket="theirs")
    finally:
        node.stop()


def test_the_key_is_only_its_owners(node):
    assert stat.S_IMODE(node.data.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE((node.data / "credentials").stat().st_mode) == 0o600
    secret = node.environment["AWS_SECRET_ACCESS_KEY"]
    assert not any(secret in line for line in node.log)


def test_env_is_what_a_shell_needs(node):
    script = f'eval "$({BINARY} env --data {node.data})" && printf %s "$AWS_ENDPOINT_URL $AWS_REGION"'
    out = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout
    assert out == f"http://127.0.0.1:{node.ports['api']} us-east-1"


def test_the_key_and_account_may_be_chosen(tmp_path, monkeypatch):
    key = {"HEADWATER_ACCESS_KEY_ID": "AKIACHOSEN0000000000", "HEADWATER_SECRET_ACCESS_KEY": "chosen/secret+1"}
    node = Node(tmp_path / "node", "--account", "123456789012", "--region", "eu-west-3", env=key).start()
    try:
        sts = boto3.client(
            "sts",
            endpoint_url=f"http://127.0.0.1:{node.ports['api']}",
            aws_access_key_id=key["HEADWATER_ACCESS_KEY_ID"],
            aws_secret_access_key=key["HEADWATER_SECRET_ACCESS_KEY"],
            region_name="eu-west-3",
        )
        assert sts.get_caller_identity()["Account"] == "123456789012"
        assert not (node.data / "credentials").exists()
    finally:
        node.stop()


def reset(node):
    """`POST /_headwater/reset`, signed as the root."""
    env = node.environment
    url = f"{env['AWS_ENDPOINT_URL']}/_headwater/reset"
    request = AWSRequest("POST", url, data=b"")
    key = Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(key, "headwater", env["AWS_REGION"]).add_auth(request)
    return urllib.request.urlopen(urllib.request.Request(url, b"", dict(request.headers), method="POST"))


def test_reset_is_refused_unless_allowed(node):
    with pytest.raises(urllib.error.HTTPError) as error:
        reset(node)
    assert error.value.code == 403
    assert b"--allow-reset" in error.value.read()


def test_reset_empties_everything_and_the_node_goes_on(tmp_path):
    node = Node(tmp_path / "node", "--allow-reset").start()
    try:
        s3, iot = node.client("s3"), node.client("iot")
        for _ in range(2):
            s3.create_bucket(Bucket="gone")
            s3.put_object(Bucket="gone", Key="k", Body=b"v")
            iot.create_thing(thingName="gone")
            assert reset(node).status == 200
            assert s3.list_buckets()["Buckets"] == []
            assert iot.list_things()["things"] == []
    finally:
        node.stop()


def test_a_node_that_is_stopped_goes_on_where_it_was(tmp_path):
    node = Node(tmp_path / "node").start()
    try:
        node.client("s3").create_bucket(Bucket="kept")
        node.client("s3").put_object(Bucket="kept", Key="k", Body=b"v")
        ca = node.environment["HEADWATER_CA"]
        before = open(ca).read()
        node.stop()
        assert node.process.returncode == 0
        node.start()
        assert node.client("s3").get_object(Bucket="kept", Key="k")["Body"].read() == b"v"
        assert open(ca).read() == before
        assert not [line for line in node.log if "ERROR" in line or "WARN" in line], node.log
    finally:
        node.stop()


def test_a_node_whose_reader_has_gone_serves_on(tmp_path):
    node = Node(tmp_path / "node")
    command = f'exec "{BINARY}" serve --data "{node.data}" {" ".join(free_ports())}'
    # The shell's end of the pipe is closed at once.
    process = subprocess.Popen(["sh", "-c", f"({command} & echo $! > {tmp_path}/pid) | true"])
    process.wait(30)
    pid = int((tmp_path / "pid").read_text())
    try:
        wait_for((node.data / "endpoints.json").exists, what="the node's start")
        endpoint = json.loads((node.data / "endpoints.json").read_text())["api"]
        wait_for(lambda: answers(f"{endpoint}/_headwater/health"), what="the node's answer")
    finally:
        os.kill(pid, signal.SIGTERM)


def answers(url):
    try:
        return urllib.request.urlopen(url).status == 200
    except OSError:
        return False
