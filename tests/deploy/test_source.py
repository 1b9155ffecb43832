"""The folder of code that is built into functions."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from plugins.todo.service import Todos
from service_kit.deploy import Deployment, DeploymentOptions
from service_kit.deploy.source import BASE, MARK, FolderTaken, SourceUnavailable, trace, write_source

ROOT = Path(__file__).resolve().parents[2]


def project(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_the_folder_has_the_service_and_what_it_imports_and_runs_alone(tmp_path: Path) -> None:
    write_source(Deployment(Todos), ROOT, tmp_path / "src")
    assert sorted(p.name for p in (tmp_path / "src").iterdir()) == [
        MARK, "client_kit", "plugins", "requirements.txt", "service_kit",
    ]  # fmt: skip
    assert [p.name for p in (tmp_path / "src" / "plugins").iterdir()] == ["todo"]
    program = """
import sys
sys.path[:0] = [sys.argv[1]]
from service_kit.hosts.aws import handler
import service_kit
assert service_kit.__file__.startswith(sys.argv[1])
event = {"version": "2.0", "rawPath": "/helloWorld/sam", "requestContext": {"http": {"method": "GET"}}}
print(handler(event)["body"])
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "src")],
        cwd=tmp_path,
        env={"SERVICE": "plugins.todo.service:Todos"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ('{"message":"hello sam"}\n', "")


def test_the_requirements_are_what_is_imported_at_the_versions_of_here(tmp_path: Path) -> None:
    write_source(Deployment(Todos), ROOT, tmp_path / "src")
    lines = (tmp_path / "src" / "requirements.txt").read_text().splitlines()
    assert f"pydantic=={version('pydantic')}" in lines
    assert f"httpx=={version('httpx')}" in lines
    assert f"mcp=={version('mcp')}" in lines
    assert not [line for line in lines if line.startswith(("boto3", "fastapi", "mangum", "pyjwt", "typer"))]


def test_what_a_service_does_not_use_is_not_required(tmp_path: Path) -> None:
    write_source(Deployment(Todos, DeploymentOptions(mcp=False)), ROOT, tmp_path / "src")
    assert "mcp" not in (tmp_path / "src" / "requirements.txt").read_text()
    assert not (tmp_path / "src" / "service_kit" / "cli").exists()


def test_sources_of_somebody_else_are_not_overwritten(tmp_path: Path) -> None:
    project(tmp_path, {"src/precious.py": "precious = True"})
    with pytest.raises(FolderTaken, match="src is there already, and service-kit has not written it"):
        write_source(Deployment(Todos), ROOT, tmp_path / "src")
    assert (tmp_path / "src" / "precious.py").is_file()
    for _ in range(2):
        write_source(Deployment(Todos), ROOT, tmp_path / "own")


def test_requirements_of_the_users_own_are_taken_as_they_are(tmp_path: Path) -> None:
    own = tmp_path / "own.txt"
    own.write_text("boto3==1.40.0\npydantic>=2\n")
    write_source(Deployment(Todos), ROOT, tmp_path / "src", own)
    lines = (tmp_path / "src" / "requirements.txt").read_text().splitlines()
    assert "boto3==1.40.0" in lines
    assert [line for line in lines if line.startswith("pydantic")] == ["pydantic>=2"]


def test_what_this_package_requires_is_known() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {line.partition(">")[0] for line in declared} >= set(BASE)


def test_whole_packages_and_single_modules_are_found(tmp_path: Path) -> None:
    files = {
        "flat.py": "import shop.orders.api, tools.dates, json",
        "unused.py": "",
        "shop/__init__.py": "",
        "shop/orders/__init__.py": "",
        "shop/orders/api.py": "",
        "shop/later.py": "",
        "tools/dates.py": "",
    }
    found = trace("flat", project(tmp_path, files))
    assert found.places == ("flat.py", "shop", "tools")
    assert found.distributions == {}


def test_distributions_are_found_by_what_is_imported(tmp_path: Path) -> None:
    found = trace("flat", project(tmp_path, {"flat.py": "import yaml; print('a module may print')"}))
    assert found.distributions == {"PyYAML": version("pyyaml")}


def test_a_service_that_cannot_be_imported_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="module 'flat' cannot be imported") as caught:
        trace("flat", project(tmp_path, {"flat.py": "import nothing_of_this_name"}))
    assert "No module named 'nothing_of_this_name'" in caught.value.details
