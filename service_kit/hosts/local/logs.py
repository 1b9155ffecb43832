"""What a developer sees of the running service: one line for each request, short tracebacks; or JSON for machines."""

from __future__ import annotations

import logging
import os
import sys
import time
from types import TracebackType
from typing import Any, TypeAlias
from urllib.parse import quote

from service_kit.hosts.local.tracebacks import format_failure
from service_kit.http.access_log import JsonFormatter

_LEVELS = {
    "service_kit": logging.INFO,
    "uvicorn": logging.WARNING,
    "mcp": logging.WARNING,  # it tells of every message that it begins and ends with it
}

_ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

_DIM, _RED, _GREEN, _YELLOW, _CYAN = "2", "31", "32", "33", "36"
_STATUS_COLOURS = {2: _GREEN, 3: _CYAN, 4: _YELLOW, 5: _RED}


def configure_logs(*, as_json: bool) -> None:
    """Send the logs of service and server to stderr; the rest of the user's logging stays as he has it."""
    handler = _handler(as_json)
    for name, level in _LEVELS.items():
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False


def show_other_logs(*, as_json: bool) -> None:
    """Show what the user's own loggers say, unless his module has set up logging itself."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(_handler(as_json))
        root.setLevel(logging.INFO)


def _handler(as_json: bool) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else HumanFormatter(coloured=_wants_colours()))
    return handler


def _wants_colours() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class HumanFormatter(logging.Formatter):
    """Log lines for people: the time, what happened, and for requests status and duration in columns."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        clock = self._paint(time.strftime("%H:%M:%S", time.localtime(record.created)), _DIM)
        http: dict[str, Any] | None = getattr(record, "http", None)
        lines = [f"{clock}  {self._request(http) if http else self._message(record)}"]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return "\n".join(lines)

    def formatException(self, ei: _ExcInfo) -> str:
        return format_failure(ei[1]).rstrip() if ei[1] is not None else ""

    def _request(self, http: dict[str, Any]) -> str:
        status = self._paint(str(http["status"]), _STATUS_COLOURS.get(http["status"] // 100, _DIM))
        # Percent-encoded: a path may hold line breaks and a terminal's control characters.
        path = quote(http["path"], safe="/:@!$&'()*+,;=~{}-._")
        took = self._paint(f"{http['duration_ms']:.1f} ms", _DIM)
        return f"{status}  {http['method']:<6} {path}  {took}"

    def _message(self, record: logging.LogRecord) -> str:
        text = record.getMessage().rstrip()
        if record.levelno >= logging.ERROR:
            return self._paint("error", _RED) + f"  {text}"
        if record.levelno >= logging.WARNING:
            return self._paint("warning", _YELLOW) + f"  {text}"
        return text

    def _paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured else text
