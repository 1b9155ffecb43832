"""What goes wrong inside of the functions of a stack: imported by the service that is tested, before it makes clients.

Faults happen at the transport of boto3, by its own events, so that no code of the product knows of them. They are told
by a file that the variable `FAULTS` names, read again when it has changed:

- `refused`, `conflict`, `broken`: a request fails as if boto3 had tried often enough: throttled, met by another
  transaction, 500. Nothing was done.
- `unheard`: a request is done, and its answer lost: boto3 gives up.
- `again`: a request is done, its answer lost, and boto3 sends it again.
- `death before`, `death after`: the process ends by SIGKILL around a request.
- `death at work`: the process ends in the middle of a task.
- `held`: the process ends when it is about to send a task's answer; the request is kept in the file `HELD`.
- `raises`: the task's own code raises.

Each is a chance from 0 to 1 for each request, or task. `skew_s`, of whoever starts, is how far its clock may be off.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.handlers  # type: ignore[import-untyped] # it has no types
from botocore.exceptions import ClientError, ReadTimeoutError  # type: ignore[import-untyped] # nor has this

VARIABLE = "FAULTS"
HAPPENED = "happened"
"""What the file with the faults that have happened is called, beside the other one."""

HELD = "held.json"
"""What the file is called with a request that was signed, and not sent."""

_dice = random.Random()
_place = Path(os.environ.get(VARIABLE, "/dev/null"))
_read: tuple[int, dict[str, float]] = 0, {}
_real_s: Callable[[], float] = time.time


def real_s() -> float:
    """Return the time by the clock of the machine."""
    return _real_s()


def chances() -> dict[str, float]:
    """Return what may go wrong now."""
    global _read
    try:
        changed = _place.stat().st_mtime_ns
        if changed != _read[0]:
            _read = changed, json.loads(_place.read_text() or "{}")
    except FileNotFoundError:
        return {}
    return _read[1]


def happens(fault: str) -> bool:
    """Tell whether a fault happens now, and note it if it does."""
    if _dice.random() >= chances().get(fault, 0.0):
        return False
    with (_place.parent / HAPPENED).open("a") as happened:
        happened.write(f"{fault}\n")
    return True


def die() -> None:
    """End this process at once, as a sandbox that is gone."""
    os.kill(os.getpid(), signal.SIGKILL)


def raises(fault: str) -> None:
    """Raise what a task's own code may raise, if that happens now."""
    if happens(fault):
        raise ConnectionError("injected: the other side does not answer")


def spare(client: Any) -> Any:
    """Return a client of boto3 to whose requests nothing happens."""
    for event, hook in HOOKS:
        client.meta.events.unregister(event, hook)
    return client


def before_call(model: Any, params: Any, **_: Any) -> None:
    if happens("death before"):
        die()
    if happens("refused"):
        raise _error("ProvisionedThroughputExceededException", 400, model)
    if happens("broken"):
        raise _error("InternalServerError", 500, model)
    if model.name == "TransactWriteItems" and happens("conflict"):
        raise _error("TransactionCanceledException", 400, model)
    if model.name in ("PutItem", "UpdateItem", "DeleteItem") and happens("conflict"):
        raise _error("TransactionConflictException", 400, model)


def after_call(http_response: Any, model: Any, **_: Any) -> None:
    if http_response.status_code == 200 and happens("unheard"):
        raise ReadTimeoutError(endpoint_url="dynamodb")
    if happens("death after"):
        die()


def before_send(request: Any, **_: Any) -> None:
    body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    if b"SET #answer" in body and happens("held"):
        kept = {"url": request.url, "headers": _texts(request.headers), "body": body.decode()}
        (_place.parent / HELD).write_text(json.dumps(kept))
        die()


def needs_retry(response: Any, attempts: int, **_: Any) -> float | None:
    if response is None or attempts > 1 or not happens("again"):
        return None
    return 0.0


def _texts(headers: Any) -> dict[str, str]:
    return {name: held.decode() if isinstance(held, bytes) else str(held) for name, held in headers.items()}


def _error(code: str, status: int, model: Any) -> ClientError:
    answer: dict[str, Any] = {
        "Error": {"Code": code, "Message": "injected"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    if code == "TransactionCanceledException":
        answer["CancellationReasons"] = [{"Code": "TransactionConflict"}]
    return ClientError(answer, model.name)


HOOKS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("before-call.dynamodb", before_call),
    ("after-call.dynamodb", after_call),
    ("before-send.dynamodb", before_send),
    ("needs-retry.dynamodb", needs_retry),
)


def _install() -> None:
    botocore.handlers.BUILTIN_HANDLERS.extend(HOOKS)
    most_s = chances().get("skew_s", 0.0)
    if most_s:
        off_s = _dice.uniform(-most_s, most_s)
        off_ns, real_ns = int(off_s * 1e9), time.time_ns
        time.time = lambda: _real_s() + off_s
        time.time_ns = lambda: real_ns() + off_ns


if VARIABLE in os.environ:
    _install()
