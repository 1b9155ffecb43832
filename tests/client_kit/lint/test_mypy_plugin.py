"""The lint as mypy runs it: a process of its own, with and without its cache."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from client_kit.lint import RULES
from tests.client_kit.lint.cases import expected, seen_by_types, write_cases

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from mypy.main import main
main(args=sys.argv[1:], clean_exit=True)
"""


def _mypy(folder: Path, *arguments: str) -> set[tuple[str, int, str]]:
    """Return the file, the line and the code of each error."""
    (folder / "mypy.ini").write_text("[mypy]\nplugins = client_kit.mypy\nexplicit_package_bases = True\n")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "--strict", "--config-file", "mypy.ini", *arguments, "shop"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MYPYPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not ran.stderr, ran.stderr
    found = re.findall(r"^shop/(\w+)\.py:(\d+): error: .*?\[([a-z-]+)\]$", ran.stdout, re.MULTILINE)
    return {(name, int(line), code) for name, line, code in found}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lint")
    write_cases(made)
    return made


def test_mypy_reports_every_case_and_leaves_to_its_own_rule_what_that_sees(folder: Path) -> None:
    found = _mypy(folder)
    ours = {(name, line, code) for name, line, code in found if code in RULES}
    assert ours == {(n, line, c) for n, line, c in expected() if (n, line) not in seen_by_types()}
    assert {(name, line) for name, line, code in found if code == "unused-coroutine"} == seen_by_types()


def test_the_cache_neither_loses_nor_keeps_a_finding(folder: Path) -> None:
    first = _mypy(folder)
    assert _mypy(folder) == first
    # A body in another module changes, and no interface: mypy alone would not look at the workflow again.
    clocks, workflows = folder / "shop/clocks.py", folder / "shop/workflows.py"
    clocks.write_text(clocks.read_text().replace("return wall()", "return 1.0"))
    # Each rule is a code of its own, to be ignored where it is meant.
    ignored = 'with open("orders.txt") as file:  # type: ignore[workflow-io]  #'
    workflows.write_text(workflows.read_text().replace('with open("orders.txt") as file:  #', ignored))
    gone = first - _mypy(folder)
    assert sorted((name, code) for name, _, code in gone) == [
        ("workflows", "nondeterminism"),
        ("workflows", "workflow-io"),
    ]
