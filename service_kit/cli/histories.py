"""Executions for people: what has happened in them, and how they ended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from client_kit.system import ServiceAccess
from service_kit.cli.answers import show_json
from service_kit.cli.failures import CliError
from service_kit.cli.output import printable
from service_kit.engine.failure import Failure
from service_kit.engine.history import (
    ExecutionCancelled,
    ExecutionRaised,
    ExecutionSucceeded,
    ExecutionTerminated,
    ExecutionTimedOut,
)
from service_kit.engine.wire import decode_events

Event: TypeAlias = Mapping[str, Any]
"""One of a history, as the management API tells it."""

_UNSHOWN = ("kind", "at_s", "args_hash", "seed", "flags")
_LONGEST = 160


def history_lines(events: Sequence[Event], before: Sequence[Event] = ()) -> Iterator[str]:
    """Return a line for each event: its number, the time of its turn, and what it says."""
    turns = sum(event["kind"] == "TurnStarted" for event in before)
    for number, event in enumerate(events, start=len(before) + 1):
        if event["kind"] == "TurnStarted":
            turns += 1
            event = {**event, "turn": turns}
        clock = time.strftime("%H:%M:%S", time.localtime(event["at_s"])) if "at_s" in event else " " * 8
        said = [f"{name}={_short(name, value)}" for name, value in event.items() if _is_shown(name, value)]
        yield printable(f"{number:>5}  {clock}  {event['kind']}  {' '.join(said)}").rstrip()


def _is_shown(name: str, value: object) -> bool:
    return name not in _UNSHOWN and value not in (None, "", [], {})


def _short(name: str, value: object) -> str:
    if name == "due_s" and isinstance(value, int | float):
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(value))
    if isinstance(value, Mapping) and "message" in value:
        text = f"{value.get('type', '')}: {value['message']}"
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


async def follow(access: ServiceAccess, id: str, say: Callable[[str], None]) -> str:
    """Say what happens in an execution until it ends; return how."""
    shown: Sequence[Event] = []
    while True:
        # A long history is asked for less often: each answer has all of it.
        outcome = await access.outcome(id, 0.3 + len(shown) / 1000)
        events = await access.history(id)
        if list(events[: len(shown)]) != list(shown):
            shown = []  # it has continued as new
        for line in history_lines(events[len(shown) :], shown):
            say(line)
        shown = events
        if outcome is not None:
            return outcome


def show_outcome(id: str, outcome: str) -> None:
    """Print the result of an execution; raise CliError if it has none."""
    ending = decode_events(outcome)[0]
    match ending:
        case ExecutionSucceeded(value=value):
            show_json((value or "null").encode(), indented=True)
        case ExecutionRaised(failure=failure):
            raise _failed(id, failure)
        case ExecutionCancelled(reason=reason):
            raise CliError(_because(f"execution '{id}' was cancelled", reason))
        case ExecutionTerminated(reason=reason):
            raise CliError(_because(f"execution '{id}' was terminated", reason))
        case ExecutionTimedOut(timeout_s=timeout_s):
            raise CliError(f"execution '{id}' did not end within {timeout_s:g} s, its timeout")
        case _:
            raise CliError(f"execution '{id}' ended as {type(ending).__name__}")


def _failed(id: str, failure: Failure) -> CliError:
    name = failure.type.rpartition(":")[2]
    why = f"{name}: {failure.message}" if failure.message else name
    return CliError(
        printable(f"execution '{id}' failed: {why}"), details=printable("\n".join(_tracebacks(failure)))
    )


def _tracebacks(failure: Failure) -> Iterator[str]:
    """Return the tracebacks of a failure and its causes, the first cause first, as Python shows them."""
    if failure.cause is not None:
        yield from _tracebacks(failure.cause)
        yield "\nThe above exception was the cause of the following one:\n"
    if failure.traceback:
        yield failure.traceback.rstrip()


def _because(what: str, reason: str) -> str:
    return printable(f"{what}: {reason}" if reason else what)
