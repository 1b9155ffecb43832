"""One structured log record for each request."""

from __future__ import annotations

import logging
import time
from typing import Any

from service_kit.contract.exchange import Request

logger: logging.Logger = logging.getLogger("service_kit.access")


def enabled() -> bool:
    """Tell whether anybody reads the access log."""
    return logger.isEnabledFor(logging.INFO)


def record(request: Request, status: int, started_s: float) -> None:
    """Log what was asked and answered; `started_s` is `time.perf_counter()` at its start.

    The fields are in the record's `http` attribute. Neither query nor headers are among them: they hold secrets.
    """
    fields = {
        "request_id": request.request_id,
        "method": request.method,
        "path": printable(request.root_path + request.path),
        "status": status,
        "duration_ms": round((time.perf_counter() - started_s) * 1000, 2),
        "peer": request.client[0] if request.client else None,
    }
    logger.info("%s %s %s", request.method, fields["path"], status, extra={"http": fields})


def printable(path: str) -> str:
    """Return a decoded path as one that cannot begin a line of its own in a log, or move a terminal's cursor."""
    return path if path.isprintable() else path.encode("unicode_escape").decode("ascii")


class JsonFormatter(logging.Formatter):
    """Log lines as JSON objects, one a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "http", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        import json

        return json.dumps(line, default=str)
