"""What an environment remembers of what happened: calls, deliveries, events, and what went wrong."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from service_kit.contract.event import Event
from service_kit.runtime.records import PublishedEvent, TaskKey

E = TypeVar("E", bound=Event)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Something of the service that has begun, as it stood when it was asked for: ask again after time has passed."""

    kind: str
    """`task`, `workflow` or `subscription`."""
    name: str
    attempt: int
    """1 for the first attempt; always 1 for a workflow, and for a redriven event again."""
    at: datetime
    """When it began."""
    ended: bool = False
    """Whether it has returned or raised. A workflow that was terminated, or goes on as new, has done neither."""
    returned: Any = None
    raised: BaseException | None = None
    """`asyncio.CancelledError` for an attempt that was cut off, by its timeout or by a cancellation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall(Recorded):
    """One attempt of a task, or one run of a workflow."""

    arguments: Mapping[str, Any]
    """By name, defaults included."""
    execution: str
    """The id of the execution that called the task; of the workflow's own execution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDelivery(Recorded, Generic[E]):
    """One attempt to deliver an event to a subscription."""

    event: E
    event_id: str
    """The same in every attempt, and for every subscription that wants the event."""


@dataclass(slots=True)
class Recorder:
    """The memory of an environment, until it is reset."""

    calls: list[RecordedCall | RecordedDelivery[Any]] = field(
        default_factory=list["RecordedCall | RecordedDelivery[Any]"]
    )
    """In the order in which they began."""
    events: dict[str, PublishedEvent] = field(default_factory=dict[str, PublishedEvent])
    """By id, in the order of their publication."""
    running: set[TaskKey] = field(default_factory=set[TaskKey])
    """Tasks an attempt of which is running."""
    fires: int = 0
    """How often schedules have gone on, since anything else has."""
    troubles: list[BaseException] = field(default_factory=list[BaseException])
    """What nobody in the service can be told of: code that does not match its history. The test is told."""

    def begin(self, call: RecordedCall | RecordedDelivery[Any]) -> int:
        """Remember what begins now; return its place."""
        self.calls.append(call)
        return len(self.calls) - 1

    async def end(self, place: int, work: Awaitable[T]) -> T:
        """Await what began there, and remember how it ended."""
        try:
            returned = await work
        except GeneratorExit:
            raise  # an execution that leaves memory is closed from the inside out: this has not ended
        except BaseException as error:
            self.calls[place] = replace(self.calls[place], ended=True, raised=error)
            raise
        self.calls[place] = replace(self.calls[place], ended=True, returned=returned)
        return returned


def all_arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call, defaults included, in the order of the parameters."""
    bound = inspect.signature(function).bind_partial(**given)
    bound.apply_defaults()
    return dict(bound.arguments)
