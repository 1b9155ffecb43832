"""The commands of the plugins' pages, executed, their output compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.plugins.conftest import LOOPBACK_ONLY, ROOT, Run

SHOWN = "http://127.0.0.1:8000"
PROGRAM = "python -m "
"""How a step begins that is a program of the repository: each meets a service that has just started."""
ELSEWHERE = "mcp1/bin/python -m "
"""The same, of one that has an environment of its own."""


def transcript(page: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a page, but for its programs, with the output that is shown for it."""
    return (step for step in _steps(page) if not step[0].startswith((PROGRAM, ELSEWHERE)))


def programs(page: str, python: str = PROGRAM) -> list[tuple[str, str]]:
    """Return the programs of a page, each with the output that is shown for it."""
    return [(command, shown) for command, shown in _steps(page) if command.startswith(python)]


def _steps(page: str) -> Iterator[tuple[str, str]]:
    for block in re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            parts = re.match(r"((?:[^\n]*\\\n)*[^\n]*\n)(.*)", step, re.DOTALL)
            assert parts is not None
            yield parts[1], parts[2]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_every_command_prints_what_the_page_shows(url: str) -> None:
    steps = list(transcript("plugins/todo/README.md"))
    assert len(steps) >= 15
    for command, shown in steps:
        shell = ["bash", "-c", command.replace(SHOWN, url)]
        environment = {**os.environ, **LOOPBACK_ONLY}
        done = subprocess.run(shell, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}{done.stderr}"
        assert done.stdout.replace(url, SHOWN).strip() == shown.strip(), command


@pytest.mark.parametrize(("command", "shown"), programs("plugins/todo/README.md"))
def test_every_program_prints_what_the_page_shows(run: Run, url: str, command: str, shown: str) -> None:
    assert printed_by(run, url, command) == shown.strip()


def printed_by(run: Run, url: str, command: str) -> str:
    """Return what a program of a page prints, with the URL that the page shows."""
    _python, *words = command.split()
    return run(*(word.replace(SHOWN, url) for word in words)).replace(url, SHOWN).strip()
