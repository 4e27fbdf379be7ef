"""A node of the real binary for each test module, on free ports and a folder of its own."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ["HEADWATER_BINARY"])
READY_SECONDS = 60


class Node:
    """One run of `headwater serve`; may be killed and started again on the same data."""

    def __init__(self, data: Path, *flags: str, env=None):
        self.data = data
        self.flags = flags
        self.env = env or {}
        self.process = None
        self.ports = {}
        self.log = []

    def start(self):
        ports = {
            name: str(self.ports.get(name, 0))
            for name in ("api", "console", "mqtt", "mqtts", "https", "metrics")
        }
        arguments = [str(BINARY), "serve", "--data", str(self.data)]
        for name, port in ports.items():
            arguments += [f"--{name}-port", port]
        self.process = subprocess.Popen(
            arguments + list(self.flags),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.env | {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADWATER_"))},
        )
        lines = []
        late = threading.Timer(READY_SECONDS, self.process.kill)
        late.start()
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("  HTTPS"):
                break
        else:
            late.cancel()
            raise AssertionError("the node did not become ready:\n" + "".join(lines))
        late.cancel()
        self.log += lines
        text = "".join(lines)
        self.console_url = re.search(r"console\s+(\S+)", text).group(1)
        self.ports = {
            "api": int(re.search(r"AWS APIs\s+https?://[^:]+:(\d+)", text).group(1)),
            "console": int(re.search(r"console\s+https?://[^:]+:(\d+)", text).group(1)),
            "mqtt": int(re.search(r"MQTT\s+\S+?:(\d+) \(plain", text).group(1)),
            "mqtts": int(re.search(r":(\d+) \(TLS", text).group(1)),
            "https": int(re.search(r"HTTPS\s+\S+?:(\d+)", text).group(1)),
            "metrics": int(re.search(r"metrics\s+http://[^:]+:(\d+)", text).group(1)),
        }
        # Whatever it says later must not fill the pipe.
        self.drain = threading.Thread(target=self._drain, args=(self.process,), daemon=True)
        self.drain.start()
        return self

    def _drain(self, process):
        for line in process.stdout:
            self.log.append(line)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("the node did not stop within 30 s:\n" + "".join(self.log))
            self.drain.join()

    @property
    def environment(self):
        """What `headwater env` exports."""
        out = subprocess.run(
            [str(BINARY), "env", "--data", str(self.data)], check=True, capture_output=True, text=True
        ).stdout
        pairs = re.findall(r"^export (\w+)=(.*)$", out, re.MULTILINE)
        return {name: value.strip("'") for name, value in pairs}

    def client(self, service, credentials=None, **options):
        """A client of the root's, or of whose access key it is given."""
        env = self.environment
        key, secret = credentials or (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"])
        return boto3.client(
            service,
            endpoint_url=env["AWS_ENDPOINT_URL"],
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            region_name=options.pop("region_name", env["AWS_REGION"]),
            verify=env.get("AWS_CA_BUNDLE"),
            config=Config(retries={"max_attempts": 1}, **options),
        )

    def run(self, *command, **options):
        """A client's own command, with the exported environment and nothing else of AWS's."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        env |= self.environment | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, **options)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def script(self, path):
        return self.run(sys.executable, str(path))


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("data") / "node").start()
    yield node
    node.stop()


def wait_for(predicate, seconds=30, what="it"):
    """Polls a predicate until it holds: the only way tests wait."""
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.05)


def query(athena, sql, database="default", expect="SUCCEEDED", workgroup="primary"):
    """Runs a statement to its end and returns its rows as lists of text."""
    execution = athena.start_query_execution(
        QueryString=sql, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
    )["QueryExecutionId"]

    def ended():
        status = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
        return status if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") else None

    status = wait_for(ended, 60, sql)
    assert status["State"] == expect, status
    if expect != "SUCCEEDED":
        return status
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution)
    return [
        [cell.get("VarCharValue") for cell in row["Data"]]
        for page in pages
        for row in page["ResultSet"]["Rows"]
    ]
