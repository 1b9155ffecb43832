"""The todo plugin in containers, as `sam local start-api` runs what was built for AWS: for people and for agents."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from plugins.todo.service import Todos
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.deploy.rendering import to_yaml
from service_kit.deploy.sam import Sam
from service_kit.deploy.source import write_source
from tests.aws.certificates import write_certificate
from tests.aws.containers import container_engine, prepare_image
from tests.aws.deployments import RUNTIME
from tests.aws.tools import SAM, program

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 180.0
LOOPBACK_ONLY = {"ANTHROPIC_API_KEY": "", "OPENAI_API_KEY": "", "NO_PROXY": "*"}


class Local:
    """The service in containers: its URL, and the certificate that it shows."""

    def __init__(self, url: str, certificate: Path) -> None:
        self.url = url
        self.certificate = certificate

    def run(self, module: str) -> str:
        """Run a program of the repository that takes the URL; return what it printed."""
        # The first is read by httpx, the second by requests.
        trust = {"SSL_CERT_FILE": str(self.certificate), "REQUESTS_CA_BUNDLE": str(self.certificate)}
        ran = subprocess.run(
            [sys.executable, "-m", module, self.url],
            cwd=ROOT,
            env={**os.environ, **LOOPBACK_ONLY, **trust, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    # Sockets have short names.
    folder = tmp_path_factory.mktemp("sam")
    with container_engine(folder) as environment:
        prepare_image(environment)
        deployment = Deployment(Todos, DeploymentOptions(runtime=RUNTIME))
        (folder / "template.yaml").write_text(to_yaml(deployment.template()))
        write_source(deployment, ROOT, folder / "src")
        Sam(folder, str(program("sam", SAM))).build("--region", "us-east-1")
        with _serving(folder, environment) as serving:
            yield serving


@contextmanager
def _serving(folder: Path, environment: dict[str, str]) -> Iterator[Local]:
    """Run `sam local start-api` for what was built; told to end, it takes its containers away."""
    certificate, key = write_certificate(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command: list[str | Path] = [
        program("sam", SAM), "local", "start-api", "--port", str(port), "--region", "us-east-1",
        "--ssl-cert-file", certificate, "--ssl-key-file", key, "--skip-pull-image", "--warm-containers", "EAGER",
    ]  # fmt: skip
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "SAM_CLI_TELEMETRY": "0"}
    log = folder / "start-api.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            command, cwd=folder, env={**environment, **credentials}, stdout=said, stderr=subprocess.STDOUT
        )
    try:
        url = f"https://127.0.0.1:{port}"
        _wait(process, url, certificate, log)
        yield Local(url, certificate)
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def _wait(process: subprocess.Popen[bytes], url: str, certificate: Path, log: Path) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with httpx.Client(verify=context, trust_env=False, timeout=DEADLINE_S) as http:
                if http.get(f"{url}/healthz").is_success:
                    return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"sam local did not start:\n{log.read_text()}")


def test_the_typed_client_calls_every_command(local: Local) -> None:
    printed = local.run("plugins.todo.client")
    assert "hello_world('sam')        hello sam" in printed
    assert "add_todo, same key twice  4 call mum (open, normal), then again number 4" in printed
    assert "get_todo(3)               TodoNotFound, with its fields: todo_id=3" in printed
    assert "export_todos, a stream    4 call mum (open, normal)" in printed


def test_langchain_reads_the_manifest_and_every_operation(local: Local) -> None:
    printed = local.run("plugins.todo.langchain_plugin")
    assert "plugin      todo: TODO Plugin\n" in printed
    assert "add_todo(title, priority, due): Add a todo to the list" in printed


def test_an_agent_works_with_the_operations_that_it_read(local: Local) -> None:
    printed = local.run("plugins.todo.langchain_agent")
    assert f"POST {local.url}/todos -> 200" in printed
    assert f"GET {local.url}/todos?status=done -> 200" in printed
    assert "water the plants." in printed.splitlines()[-1]
