"""Where two payloads differ, for people who look for what made a workflow differ from its history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from .calls import ChildStarted, EventsEmitted, SignalSent, StateSet, TaskScheduled
from .history import ContinuedAsNew, ExecutionSucceeded, HistoryEvent
from .payload import Payload

__all__ = ["difference"]

MOST = 3
"""Places that are named: the first of them nearly always says it."""


def difference(recorded: HistoryEvent, made: HistoryEvent) -> str:
    """Return where the payloads of two events differ, as `order.lines[2].price`; empty if that cannot be said.

    It names places and never values: the message goes to logs, and what a payload holds may be secret.
    """
    try:
        before, now = json.loads(_payload(recorded)), json.loads(_payload(made))
        places = list(islice(_differing(before, now, ""), MOST + 1))
    except (ValueError, RecursionError):
        return ""  # no payload, one that lies beside the history, or one that is too deep to compare
    shown = ", ".join(f"`{place}`" for place in places[:MOST] if place)
    return f"{shown} and more" if shown and len(places) > MOST else shown


def _payload(event: HistoryEvent) -> Payload:
    match event:
        case TaskScheduled(input=payload) | ChildStarted(input=payload) | ContinuedAsNew(input=payload):
            return payload
        case SignalSent(payload=payload) | StateSet(payload=payload) | ExecutionSucceeded(value=payload):
            return payload
        case EventsEmitted(events=events):
            return f"[{','.join(event.payload for event in events)}]"
        case _:
            return ""


def _differing(recorded: Any, made: Any, place: str) -> Iterator[str]:
    if isinstance(recorded, dict) and isinstance(made, dict):
        before, now = cast("dict[str, Any]", recorded), cast("dict[str, Any]", made)
        for name in before | now:
            inside = f"{place}.{name}" if place else name
            if name in before and name in now:
                yield from _differing(before[name], now[name], inside)
            else:
                yield inside
    elif isinstance(recorded, list) and isinstance(made, list) and len(recorded) == len(made):
        for number, (one, other) in enumerate(zip(recorded, made, strict=True)):
            yield from _differing(one, other, f"{place}[{number}]")
    elif type(recorded) is not type(made) or recorded != made:
        yield place
