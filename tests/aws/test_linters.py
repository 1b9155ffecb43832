"""What AWS's linter and a security linter say of templates: nothing, of each kind that there is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from plugins.todo.secured import SecuredTodos
from plugins.todo.service import Todos
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.deploy.rendering import to_yaml
from tests.aws.parcels import Parcels
from tests.aws.tools import CHECKOV, SAM, program
from tests.deploy.test_http_api import Guarded, Raw

ROOT = Path(__file__).resolve().parents[2]
EACH = DeploymentOptions(functions="each", requests_per_s=100)
REST = DeploymentOptions(api="rest", validate_requests=True)
COMMITTED = sorted((ROOT / "sam").glob("*/template.yaml"))
GENERATED = {
    "secured": Deployment(SecuredTodos),
    "each": Deployment(Todos, EACH).configure(Todos.add_todo, concurrency=5),
    "rest": Deployment(Todos, REST),
    "guarded": Deployment(Guarded),
    "guarded-rest": Deployment(Guarded, REST),
    "raw": Deployment(Raw),
    "durable": Deployment(Parcels),
    "durable-each": Deployment(Parcels, EACH),
    "durable-rest": Deployment(Parcels, REST),
    "raw-rest": Deployment(Raw, REST),
}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the committed templates, and one of each kind."""
    folder = tmp_path_factory.mktemp("templates")
    written = list(COMMITTED)
    assert written
    for name, deployment in GENERATED.items():
        file = folder / f"{name}.yaml"
        file.write_text(to_yaml(deployment.template()))
        written.append(file)
    return written


def test_sam_finds_every_template_valid(templates: list[Path], tmp_path: Path) -> None:
    for file in COMMITTED:
        _check([program("sam", SAM), "validate", "--lint", "--region", "us-east-1", "-t", file], tmp_path)
    # The linter of `sam validate`, for all of them in one process.
    _check([program("cfn-lint", SAM), "--regions", "us-east-1", "--", *templates], tmp_path)


def test_the_security_linter_finds_nothing(templates: list[Path], tmp_path: Path) -> None:
    files = [word for file in templates for word in ("-f", str(file))]
    _check([program("checkov", CHECKOV), "--config-file", ROOT / "sam" / "checkov.yaml", *files], tmp_path)


def test_the_security_linter_would_find_something(tmp_path: Path) -> None:
    text = to_yaml(GENERATED["secured"].template())
    file = tmp_path / "template.yaml"
    file.write_text(text.replace("xray:PutTelemetryRecords", "'*'"))
    assert file.read_text() != text
    ran = _run(
        [program("checkov", CHECKOV), "--config-file", ROOT / "sam" / "checkov.yaml", "-f", file], tmp_path
    )
    assert ran.returncode == 1
    assert "IAM" in ran.stdout


def _check(command: list[Path | str], home: Path) -> None:
    ran = _run(command, home)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _run(command: list[Path | str], home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(home), "SAM_CLI_TELEMETRY": "0"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
