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
        """Deploy a service; yield the outputs of its stack, and delete it."""
        template = self.folder / stack / "template.yaml"
        printed = self.service_kit(
            "deploy", service, "--stack", stack, "-t", str(template), "--json", **variables
        )
        try:
            yield json.loads(printed)
        finally:
            self.service_kit("destroy", service, "--stack", stack, "--yes", "--", "--region", "us-east-1")

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
