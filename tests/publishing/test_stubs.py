"""`stubs/` holds what publication writes today, and what it writes is as formatters and linters want it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from service_kit import Service
from service_kit.contract.service import contract_of
from service_kit.openapi import build_specification
from service_kit.publishing.declared import publish_service
from service_kit.publishing.definitions import Published
from service_kit.publishing.document.read import Document, read_document
from service_kit.publishing.document.service import publish_document
from service_kit.publishing.folder import differences, write_folder
from service_kit.publishing.package import write_package
from tests.publishing import zoo
from tests.publishing.conftest import ROOT
from tests.publishing.test_document import YAML
from tests.typing.contracts.probes import EXAMPLES, Example

RULES = "E,F,W,I,UP,B,RUF,SIM,C4,PIE,Q"


def _of_document(service: type[Service]) -> Published:
    return publish_document(Document(build_specification(contract_of(service), url=None)))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_the_contracts_of_the_examples_are_up_to_date(example: Example) -> None:
    stale = [
        *differences(
            ROOT / "stubs" / f"{example.name}_contract", write_package(publish_service(example.service))
        ),
        *differences(
            ROOT / "stubs" / "openapi" / f"{example.name}_contract",
            write_package(_of_document(example.service)),
        ),
    ]
    assert not stale, "\n".join(["write them again with `service-kit contract`:", *stale])


@pytest.mark.parametrize("width", ["88", "120"])
def test_what_is_written_needs_no_formatter_and_no_linter(tmp_path: Path, width: str) -> None:
    published = {
        "zoo": publish_service(zoo.Zoo),
        "zoo_document": _of_document(zoo.Zoo),
        "shop": publish_document(read_document(str(YAML))),
        "orders": publish_service(EXAMPLES[0].service),
    }
    for name, found in published.items():
        write_folder(tmp_path / name, write_package(found))
    ruff = (sys.executable, "-m", "ruff")
    formatted = subprocess.run(
        [*ruff, "format", "--isolated", "--diff", "--line-length", width, "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert formatted.returncode == 0, formatted.stdout
    # Names are the authors', and some have no place to break; pydantic copies defaults.
    ignored = "E741,E501,RUF012"
    checked = subprocess.run(
        [
            *ruff,
            "check",
            "--isolated",
            "--target-version",
            "py311",
            "--select",
            RULES,
            "--ignore",
            ignored,
            ".",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_packages_pass_strict_type_checking(tmp_path: Path) -> None:
    write_folder(tmp_path / "zoo", write_package(publish_service(zoo.Zoo)))
    write_folder(tmp_path / "shop", write_package(publish_document(read_document(str(YAML)))))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "tests/typing/mypy.ini")]
    ran = subprocess.run(
        [*command, str(tmp_path / "zoo"), str(tmp_path / "shop")],
        cwd=tmp_path,
        env={"MYPYPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
