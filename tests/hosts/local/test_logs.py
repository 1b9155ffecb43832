"""Log lines for people."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

from service_kit.hosts.local.logs import HumanFormatter


def _line(message: str = "", level: int = logging.INFO, coloured: bool = False, **extra: Any) -> str:
    record = logging.LogRecord("a", level, "", 0, message, (), extra.pop("exc_info", None))
    record.__dict__.update(extra)
    return HumanFormatter(coloured=coloured).format(record)[len("12:00:00  ") :]


def _http(path: str, status: int = 200) -> dict[str, Any]:
    return {"method": "GET", "path": path, "status": status, "duration_ms": 1.234}


def test_a_request_is_one_line() -> None:
    assert _line(http=_http("/orders/1")) == "200  GET    /orders/1  1.2 ms"


def test_a_path_cannot_write_lines_or_steer_the_terminal() -> None:
    line = _line(http=_http("/a\n12:00:00  200\x1b[2J"))
    assert line == "200  GET    /a%0A12:00:00%20%20200%1B%5B2J  1.2 ms"


def test_errors_and_warnings_are_marked() -> None:
    assert _line("it broke", logging.ERROR) == "error  it broke"
    assert _line("it may break", logging.WARNING) == "warning  it may break"
    assert _line("it runs") == "it runs"


def test_colours_are_for_terminals() -> None:
    assert "\x1b[31m500\x1b[0m" in _line(http=_http("/", 500), coloured=True)
    assert "\x1b" not in _line(http=_http("/", 500))


def test_a_failure_shows_the_users_lines_and_counts_the_others() -> None:
    try:
        import json

        json.loads("{")
    except ValueError:
        text = _line("it broke", logging.ERROR, exc_info=sys.exc_info())
    lines = text.splitlines()
    assert lines[:2] == ["error  it broke", "Traceback (most recent call last):"]
    assert "test_logs.py" in lines[2]
    assert re.fullmatch(r"  \.\.\. \d more in Python", lines[-2])
    assert lines[-1].startswith("json.decoder.JSONDecodeError")
