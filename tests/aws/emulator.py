"""An emulator of AWS as a process of its own, on loopback, and stacks that are deployed to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped] # it has no types
import httpx

from tests.aws.tools import MINISTACK, SAM, program

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120.0

SWITCHED_OFF = {"IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
"""They would listen on fixed ports."""


class Emulator:
    """Where it listens, and what a program needs to take it for AWS."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.folder = folder
        self.environment: Mapping[str, str] = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
            "SERVICE_KIT_SAM": str(program("sam", SAM)),
            "HOME": str(folder),
            "NO_PROXY": "*",
        }

    def service_kit(self, *arguments: str, **variables: str) -> str:
        """Run `service-kit` at the root of the repository; return what it writes to stdout."""
        ran = subprocess.run(
            [sys.executable, "-m", "tests.aws.command_line", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment, **variables, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    @contextmanager
    def deployed(self, service: str, stack: str, **variables: str) -> Iterator[dict[str, str]]:
        """Deploy a service; yield the outputs of its stack, delete it, and see that nothing of it is left."""
        before = self.there()
        template = self.folder / stack / "template.yaml"
        printed = self.service_kit(
            "deploy", service, "--stack", stack, "-t", str(template), "--json", **variables
        )
        try:
            assert self.there() > before
            yield json.loads(printed)
        finally:
            self.service_kit("destroy", service, "--stack", stack, "--yes", "--", "--region", "us-east-1")
        assert self.there() == before

    def client(self, service: str) -> Any:
        """Return a client of boto3 for this emulator."""
        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )

    def there(self) -> set[str]:
        """Return the names of what is there, of the kinds that stacks consist of."""
        client = self.client
        listed: list[tuple[str, list[dict[str, str]]]] = [
            ("FunctionName", client("lambda").list_functions()["Functions"]),
            ("UUID", client("lambda").list_event_source_mappings()["EventSourceMappings"]),
            ("Name", client("s3").list_buckets()["Buckets"]),
            ("RoleName", client("iam").list_roles()["Roles"]),
            ("Name", client("events").list_event_buses()["EventBuses"]),
            ("Name", client("events").list_rules()["Rules"]),
            ("Name", client("scheduler").list_schedule_groups()["ScheduleGroups"]),
            ("Name", client("scheduler").list_schedules()["Schedules"]),
            ("logGroupName", client("logs").describe_log_groups()["logGroups"]),
            ("Name", client("apigatewayv2").get_apis()["Items"]),
            ("AlarmName", client("cloudwatch").describe_alarms()["MetricAlarms"]),
        ]
        names = {one[key] for key, ones in listed for one in ones}
        names.update(client("dynamodb").list_tables()["TableNames"])
        names.update(client("sqs").list_queues().get("QueueUrls", []))
        # What `sam` keeps its uploads in, once for all stacks of an account.
        return {name for name in names if "aws-sam-cli-managed" not in name}

    def http_url(self, api_id: str) -> str:
        """Return where an HTTP API answers: the emulator's own address has the API in its name."""
        return f"http://{api_id}.execute-api.localhost:{self.port}"


@contextmanager
def emulator(folder: Path) -> Iterator[Emulator]:
    """Start the emulator on a free port; end it, and all that it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    scratch = folder / "tmp"
    scratch.mkdir()
    log = folder / "emulator.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [program("ministack", MINISTACK)],
            env={
                **os.environ,
                **SWITCHED_OFF,
                "GATEWAY_PORT": str(port),
                "BIND_HOST": "127.0.0.1",
                "TMPDIR": str(scratch),
            },
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, port, log)
        yield Emulator(port, folder)
    finally:
        # Its functions are processes of its group.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/_ministack/health", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the emulator did not start:\n{log.read_text()}")
