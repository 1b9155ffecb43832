"""What comes back from a call, shown to people on a terminal and given untouched to pipes."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from client_kit.errors import excerpt
from client_kit.wire import Response
from service_kit.cli.failures import CliError
from service_kit.cli.output import printable, stdout

_STANDARD = ("type", "title", "status", "detail", "instance", "request_id", "errors")


def show_answer(response: Response) -> None:
    """Print the result of a call; raise CliError if it is a failure, or not a service's answer."""
    if not 200 <= response.status < 300:
        raise failure_of(response)
    if response.body and response.media_type != "application/json":
        raise _foreign(response)
    if response.body:
        show_json(response.body, indented=True)


def show_json(body: bytes, *, indented: bool) -> None:
    """Print JSON: in colours on a terminal, byte for byte into a pipe."""
    if sys.stdout.isatty():
        with contextlib.suppress(ValueError):  # what is not JSON after all is shown as it is
            stdout().print_json(body.decode(), indent=2 if indented else None)
            return
    sys.stdout.flush()
    sys.stdout.buffer.write(body + b"\n")
    sys.stdout.buffer.flush()


def failure_of(response: Response) -> CliError:
    """Return what an answer with a status beyond 2xx says."""
    if 300 <= response.status < 400:
        target = excerpt(response.headers.get("location", "elsewhere"))
        return CliError(
            f"{response.status}: the service redirects to {target}", "give that as --url, if you trust it"
        )
    members = _json_object(response.body)
    return problem(members, response.status) if members is not None else _foreign(response)


def problem(members: Mapping[str, Any], status: int) -> CliError:
    """Return a problem (RFC 9457) as lines: what, and each of its own members."""
    title, detail = str(members.get("title") or _phrase(status)), str(members.get("detail") or "")
    errors = members.get("errors")
    lines: list[str] = []
    if isinstance(errors, list):
        lines = [
            _invalid(cast("dict[str, Any]", e)) for e in cast("list[object]", errors) if isinstance(e, dict)
        ]
        detail = "" if lines else detail
    lines += [
        f"{name}: {json.dumps(value, ensure_ascii=False)}"
        for name, value in members.items()
        if name not in _STANDARD
    ]
    if status in (401, 403):
        lines.append("give credentials as --bearer, --api-key or --header")
    if members.get("request_id"):
        lines.append(f"request id: {members['request_id']}")
    what = f"{status} {title}: {detail}" if detail and detail != title else f"{status} {title}"
    return CliError(printable(what), "\n  ".join(map(printable, lines)))


def stream_failure(data: bytes) -> CliError:
    """Return what the error at the end of a stream says."""
    members = _json_object(data) or {}
    status = members.get("status")
    return problem(members, status if isinstance(status, int) else 500)


def _invalid(error: Mapping[str, Any]) -> str:
    loc = error.get("loc")
    path = ".".join(map(str, cast("list[object]", loc))) if isinstance(loc, list) else ""
    return f"{path}: {error.get('msg', '')}"


def _foreign(response: Response) -> CliError:
    kind = response.media_type or "without a content type"
    start = excerpt(response.body[:2000].decode("utf-8", "replace"))
    what = f"{response.status} {_phrase(response.status)}: not an answer of a service but {kind}"
    return CliError(f"{what}: {start}" if start else what, "check the URL: something else answers there")


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"
