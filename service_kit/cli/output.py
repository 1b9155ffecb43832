"""What the commands print: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

from service_kit.cli.failures import CliError

_PIPE_COLUMNS = 240
"""A pipe has no width: tables need one, and should not be broken for a reader who is no terminal."""


def stdout() -> Console:
    """Return the console of results; made anew, since tests and pipes exchange the stream."""
    width = None if sys.stdout.isatty() else _PIPE_COLUMNS
    return Console(file=sys.stdout, soft_wrap=True, highlight=False, width=width)


def stderr() -> Console:
    return Console(file=sys.stderr, soft_wrap=True, highlight=False)


def write_json(data: Any) -> None:
    """Write data as JSON: in colours on a terminal, plain into a pipe."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    if sys.stdout.isatty():
        stdout().print_json(text)
    else:
        write(text + "\n")


def write(text: str) -> None:
    """Write text as it is, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def tell(text: str) -> None:
    """Tell people what happens; results alone go to stdout."""
    stderr().print(Text(printable(text)))


def printable(text: str) -> str:
    """Return text of a service without what would steer the terminal; its lines stay."""
    return "\n".join("".join(c if c.isprintable() else " " for c in line) for line in text.split("\n"))


def report(error: CliError) -> None:
    """Write a failure and its cure."""
    message = Text()
    if error.details:
        message.append(error.details.rstrip() + "\n")
    message.append("error: ", style="bold red").append(error.problem)
    if error.cure:
        message.append("\n  ").append(error.cure, style="cyan")
    stderr().print(message)
