"""The five type checkers: how each is started, and how its report is read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))
REVEAL = "reveal"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One line of a report; `code` is REVEAL for the answer to `reveal_type`."""

    path: str
    line: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Checker:
    """A type checker in the mode that its careful users run it in."""

    name: str
    command: tuple[str, ...]
    read: Callable[[str], Iterator[Diagnostic]]

    def check(self, files: Sequence[Path]) -> list[Diagnostic]:
        """Return what the checker says of these files; fail if it could not do its work."""
        paths = [file.relative_to(ROOT).as_posix() for file in files]
        ran = subprocess.run([*self.command, *paths], cwd=ROOT, capture_output=True, text=True, check=False)
        assert ran.returncode in (0, 1), f"{self.name} failed:\n{ran.stdout}\n{ran.stderr}"
        found = [diagnostic for diagnostic in self.read(ran.stdout) if diagnostic.path in paths]
        assert found, f"{self.name} said nothing, although the cases hold errors:\n{ran.stdout}\n{ran.stderr}"
        return found


def _mypy(report: str) -> Iterator[Diagnostic]:
    for entry in map(json.loads, report.splitlines()):
        message, hint = entry["message"], entry["hint"] or ""
        revealed = message.removeprefix("Revealed type is ")
        if revealed != message:
            yield Diagnostic(entry["file"], entry["line"], REVEAL, revealed)
        elif entry["severity"] == "error":
            yield Diagnostic(entry["file"], entry["line"], entry["code"], f"{message} {hint}")


def _pyright(report: str) -> Iterator[Diagnostic]:
    for entry in json.loads(report)["generalDiagnostics"]:
        path = Path(entry["file"]).relative_to(ROOT).as_posix()
        line, message = entry["range"]["start"]["line"] + 1, entry["message"]
        if entry["severity"] == "information":
            yield Diagnostic(path, line, REVEAL, message.rpartition(" is ")[2])
        else:
            yield Diagnostic(path, line, entry["rule"], message)


def _pyrefly(report: str) -> Iterator[Diagnostic]:
    for entry in json.loads(report)["errors"]:
        code = REVEAL if entry["name"] == "reveal-type" else entry["name"]
        message = entry["description"].removeprefix("revealed type: ")
        yield Diagnostic(entry["path"], entry["line"], code, message)


def _ty(report: str) -> Iterator[Diagnostic]:
    for entry in json.loads(report):
        line = entry["location"]["positions"]["begin"]["line"]
        message = entry["description"].removeprefix(f"{entry['check_name']}: ")
        if entry["check_name"] == "revealed-type":
            yield Diagnostic(entry["location"]["path"], line, REVEAL, message.removeprefix("Revealed type: "))
        else:
            yield Diagnostic(entry["location"]["path"], line, entry["check_name"], message)


_ZUBAN_LINE = re.compile(
    r"(?P<path>[^:]+):(?P<line>\d+): (?P<severity>\w+): (?P<message>.*?)(  \[(?P<code>[\w-]+)\])?"
)


def _zuban(report: str) -> Iterator[Diagnostic]:
    for text in report.splitlines():
        if match := _ZUBAN_LINE.fullmatch(text):
            path, line, message = match["path"], int(match["line"]), match["message"]
            if match["severity"] == "error":
                yield Diagnostic(path, line, match["code"], message)
            elif message.startswith("Revealed type is "):
                yield Diagnostic(path, line, REVEAL, message.removeprefix("Revealed type is "))


MYPY_CONFIG = ("--config-file", "tests/typing/mypy.ini")

CHECKERS = (
    Checker(
        "mypy",
        (sys.executable, "-m", "mypy", *MYPY_CONFIG, "--output", "json", "--no-error-summary"),
        _mypy,
    ),
    Checker(
        "pyright",  # strict, by a comment in each case file
        (sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable),
        _pyright,
    ),
    Checker(
        "pyrefly",
        (
            *(str(SCRIPTS / "pyrefly"), "check", "--preset", "strict", "--output-format", "json"),
            *("--search-path", str(ROOT), "--python-interpreter-path", sys.executable),
        ),
        _pyrefly,
    ),
    Checker(
        "ty",
        (
            str(SCRIPTS / "ty"),
            "check",
            "--no-progress",
            "--output-format",
            "gitlab",
            "--python",
            sys.executable,
        ),
        _ty,
    ),
    Checker(
        "zuban",
        (
            str(SCRIPTS / "zuban"),
            "check",
            "--mode",
            "mypy",
            *MYPY_CONFIG,
            "--python-executable",
            sys.executable,
        ),
        _zuban,
    ),
)
