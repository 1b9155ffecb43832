"""EventBridge: a bus that brings events to queues at least once, and schedules that come late.

As the user guides have it ("Amazon EventBridge event delivery", "EventBridge Scheduler": within a minute of its
time, at least once; a schedule's name is taken until it is deleted).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from service_kit.testing.simulation.aws.errors import AwsError, Unmodelled
from service_kit.testing.simulation.aws.queues import Queue
from service_kit.testing.simulation.chances import Chances

LATENCY_S = 0.5
LATE_S = 20.0
SCHEDULE_LATE_S = 60.0


@dataclass(slots=True)
class EventsClient:
    """What boto3's client of EventBridge does for a publisher; the rules are the subscriptions'."""

    rules: Mapping[str, Sequence[Queue]]
    """The queues that want an event, by its name."""
    chances: Chances
    later: Callable[[float, Callable[[], None]], object]
    fails: Callable[[str], bool]
    on_the_way: int = 0

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> Any:
        if not 0 < len(Entries) <= 10:
            raise AwsError("ValidationException", "Member must have length less than or equal to 10")
        answers = [self._take(entry) for entry in Entries]
        return {"Entries": answers, "FailedEntryCount": sum("ErrorCode" in answer for answer in answers)}

    def _take(self, entry: Mapping[str, Any]) -> dict[str, str]:
        if unknown := entry.keys() - {"EventBusName", "Source", "DetailType", "Detail", "Time"}:
            raise Unmodelled(f"an event with {', '.join(sorted(unknown))}")
        if self.fails("put_events"):
            return {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}
        body = {
            "version": "0",
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "detail": json.loads(entry["Detail"]),
        }
        for queue in self.rules.get(entry["DetailType"], ()):
            self._bring(queue, json.dumps(body))
        return {"EventId": "0"}

    def _bring(self, queue: Queue, body: str) -> None:
        drawn = self.chances.draw("bus")
        delays = [LATENCY_S * self.chances.next_number("bus latency")]
        if drawn is not None and drawn.fault == "doubled":
            delays.append(LATE_S * drawn.amount)
        elif drawn is not None:
            delays = [LATE_S * drawn.amount]
        for delay_s in delays:
            self.on_the_way += 1
            self.later(delay_s, lambda: self._arrive(queue, body))

    def _arrive(self, queue: Queue, body: str) -> None:
        self.on_the_way -= 1
        queue.send(body)


class ConflictException(AwsError):
    """The name of a schedule is taken."""


class _Exceptions:
    ConflictException = ConflictException


@dataclass(slots=True)
class SchedulerClient:
    """What boto3's client of EventBridge Scheduler does for timers: one message at a time, for one queue."""

    queue: Queue
    chances: Chances
    now_s: Callable[[], float]
    later: Callable[[float, Callable[[], None]], object]
    exceptions: type[_Exceptions] = _Exceptions
    names: set[str] = field(default_factory=set[str])

    def create_schedule(
        self,
        *,
        Name: str,
        GroupName: str,
        ScheduleExpression: str,
        ScheduleExpressionTimezone: str,
        FlexibleTimeWindow: Mapping[str, str],
        ActionAfterCompletion: str,
        Target: Mapping[str, str],
    ) -> Any:
        if (ScheduleExpressionTimezone, FlexibleTimeWindow, ActionAfterCompletion) != (
            "UTC",
            {"Mode": "OFF"},
            "DELETE",
        ):
            raise Unmodelled("a schedule that is not for one moment of UTC")
        if Name in self.names:
            raise ConflictException("ConflictException", f"Schedule {Name} already exists.")
        text = ScheduleExpression.removeprefix("at(").removesuffix(")")
        at_s = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
        drawn = self.chances.draw("schedule")
        late_s = SCHEDULE_LATE_S * (
            drawn.amount if drawn is not None else self.chances.next_number("schedule")
        )
        self.names.add(Name)
        self.later(max(at_s - self.now_s(), 0.0) + late_s, lambda: self._fire(Name, Target["Input"]))
        return {"ScheduleArn": f"arn:aws:scheduler:region:account:schedule/{GroupName}/{Name}"}

    def _fire(self, name: str, body: str) -> None:
        self.names.discard(name)
        self.queue.send(body)
