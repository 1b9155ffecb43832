"""`service-kit check` on the lint's cases: the same findings as mypy's plugin, in the same words."""

from __future__ import annotations

import json
import re
from pathlib import Path

from client_kit.lint import Program, check_module
from tests.cli.conftest import Workshop
from tests.client_kit.lint.cases import CASES, expected
from tests.client_kit.lint.cases import write_cases as write_namespace


def write_cases(folder: Path) -> None:
    """Write the cases as a package that another test's import leaves nothing of."""
    write_namespace(folder)
    (folder / "shop/__init__.py").write_text("")


def test_every_case_is_found_once(workshop: Workshop) -> None:
    write_cases(workshop.folder)
    result = workshop.run(
        "check", "shop.service", "--json", "--ignore", "placeholder", "--ignore", "agent-limit"
    )
    assert result.exit_code == 1
    findings = [
        f for f in json.loads(result.stdout)["findings"] if f["code"] in {code for _, _, code in expected()}
    ]
    places = [re.match(r"shop/(\w+)\.py:(\d+), ", f["where"]) for f in findings]
    found = [(p[1], int(p[2]), f["code"]) for p, f in zip(places, findings, strict=True) if p is not None]
    assert sorted(found) == sorted(expected())


def test_both_fronts_use_the_same_words(workshop: Workshop) -> None:
    write_cases(workshop.folder)
    findings = json.loads(workshop.run("check", "shop.service", "--json").stdout)["findings"]
    program = Program.of("shop.service", str(workshop.folder / "shop/service.py"))
    for name in CASES:
        for lint in check_module(program, f"shop.{name}"):
            where = f"shop/{name}.py:{lint.line}, {lint.subject}"
            assert (lint.code, where, lint.problem, lint.cure) in {
                (f["code"], f["where"], f["problem"], f["cure"]) for f in findings
            }


def test_what_is_never_awaited_is_an_error_and_the_rest_a_doubt(workshop: Workshop) -> None:
    write_cases(workshop.folder)
    findings = json.loads(workshop.run("check", "shop.service", "--json").stdout)["findings"]
    severities = {f["code"]: f["severity"] for f in findings}
    assert severities["never-awaited"] == "error"
    assert {severities[code] for code in ("nondeterminism", "workflow-io", "undeclared-error")} == {"warning"}
