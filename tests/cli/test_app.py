"""The command line as a whole: help, version, completion, and what is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Workshop

ROOT = Path(__file__).parents[2]
COMMANDS = ["dev", "call", "routes", "check", "openapi", "manifest"]


def _python(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_command(workshop: Workshop) -> None:
    result = workshop.run("--help")
    assert result.exit_code == 0
    assert [name for name in COMMANDS if f" {name} " not in result.stdout] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_shows_an_example(workshop: Workshop, command: str) -> None:
    result = workshop.run(command, "--help")
    assert result.exit_code == 0
    assert f"service-kit {command} " in result.stdout


def test_help_loads_none_of_what_the_commands_need() -> None:
    program = """
import sys
from service_kit.cli import main
try:
    main()
finally:
    heavy = {"uvicorn", "fastapi", "httpx", "watchfiles", "service_kit.http", "service_kit.contract"}
    print(sorted(heavy & sys.modules.keys()), file=sys.stderr)
"""
    ran = _python(program, "--help")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == "[]\n"


def test_no_arguments_show_the_help(workshop: Workshop) -> None:
    assert "Usage: service-kit" in workshop.run().output


def test_a_misspelt_command_is_corrected(workshop: Workshop) -> None:
    result = workshop.run("route", "orders")
    assert result.exit_code == 2
    assert "Did you mean 'routes'?" in result.output


def test_the_version_is_shown(workshop: Workshop) -> None:
    result = workshop.run("--version")
    assert (result.exit_code, result.stdout.partition(",")[0].split()[0]) == (0, "service-kit")


def test_completion_offers_the_commands() -> None:
    ran = _python(
        "from service_kit.cli import main; main()",
        _SERVICE_KIT_COMPLETE="complete_bash",
        COMP_WORDS="service-kit ma",
        COMP_CWORD="1",
    )
    assert ran.stdout.split() == ["manifest"]


def test_without_the_server_extra_the_pip_command_is_told() -> None:
    ran = _python("import sys; sys.modules['typer'] = None; from service_kit.cli import main; main()")
    assert ran.returncode == 2
    assert ran.stderr == (
        "error: the command line needs 'typer', which is not installed\n  pip install 'service-kit[server]'\n"
    )


def test_without_a_part_of_the_extra_a_command_that_needs_it_tells_the_pip_command(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    result = workshop.run("openapi", "orders", "--format", "yaml")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: this needs 'yaml', which is not installed\n  pip install 'service-kit[server]'\n"
    )
