"""The history of an execution: everything that has happened to it, in order.

A turn is one `TurnStarted`, then arrivals, each followed by the calls that it led to, and perhaps an ending.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from .arrivals import Arrival, SignalReceived
from .calls import Call
from .failure import Failure
from .payload import Payload

__all__ = [
    "ContinuedAsNew",
    "Ending",
    "ExecutionCancelled",
    "ExecutionRaised",
    "ExecutionSucceeded",
    "ExecutionTerminated",
    "ExecutionTimedOut",
    "Flag",
    "HistoryEvent",
    "TurnStarted",
    "calls_of",
]


class Flag(IntEnum):
    """Behaviours of the engine that a history relies on. A change of behaviour takes a new number.

    An execution records, in its first turn, the flags of the engine that began it, and keeps to them for ever.
    """

    FIRST_RELEASE = 1


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """A turn began at `at_s`, in seconds since the epoch: the workflow's time until the next turn."""

    at_s: float
    flags: tuple[int, ...] = ()
    """In the first turn: the engine's flags."""


@dataclass(frozen=True, slots=True)
class ExecutionSucceeded:
    """The workflow returned."""

    value: Payload
    args_hash: str


@dataclass(frozen=True, slots=True)
class ExecutionRaised:
    """The workflow, or one of its signal handlers, raised."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class ExecutionCancelled:
    """The workflow ended by its cancellation, after its cleanup."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionTimedOut:
    """The execution's own timeout ended it."""

    timeout_s: float


@dataclass(frozen=True, slots=True)
class ExecutionTerminated:
    """Somebody ended it at once."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class ContinuedAsNew:
    """The execution begins again with an empty history, in its next run."""

    input: Payload
    args_hash: str
    signals: tuple[SignalReceived, ...] = ()
    """Those that it has not used yet: the next `ExecutionStarted` takes them over."""
    attributes: Mapping[str, str] | None = None
    """Its search attributes, which the next run begins with."""


Ending: TypeAlias = (
    ExecutionSucceeded
    | ExecutionRaised
    | ExecutionCancelled
    | ExecutionTimedOut
    | ExecutionTerminated
    | ContinuedAsNew
)

HistoryEvent: TypeAlias = TurnStarted | Arrival | Call | Ending


def calls_of(events: Iterable[HistoryEvent]) -> tuple[Call, ...]:
    """Return the calls among `events`, in order: what has to be dispatched, again if need be."""
    return tuple(event for event in events if isinstance(event, Call))
