"""Timers: a delayed message for a quarter of an hour, a schedule of EventBridge for whatever is later."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from service_kit.messaging.queues import DELAY_MOST_S, Message, Queues

SCHEDULED_MOST_S = 10 * 365 * 86_400
"""How far ahead schedules are made: their times have years of four digits, and workflows may wait for longer."""


@dataclass(frozen=True, slots=True)
class Wake:
    """An execution is due at a time."""

    execution: str
    at_s: float
    again: bool = False
    """Whether what its last turn has asked for is to be dispatched again: nobody knows that it was."""

    def encode(self) -> str:
        body = {"execution": self.execution, "at": self.at_s, "again": self.again}
        return json.dumps(body)  # in ASCII: a schedule hands it to a queue as it is

    @staticmethod
    def decode(text: str) -> Wake:
        body = json.loads(text)
        return Wake(body["execution"], float(body["at"]), body["again"])


@dataclass(frozen=True, slots=True)
class Schedules:
    """Where schedules of EventBridge are made: their group, and the role by which they send."""

    client: Any
    group: str
    role: str


class AwsTimers:
    """Wakes executions by messages to the queue `url`; a wake-up may come twice, or a second late."""

    def __init__(self, queues: Queues, url: str, schedules: Schedules | None) -> None:
        self._queues = queues
        self._url = url
        self._schedules = schedules
        self._arn: str | None = None

    async def set(self, wake: Wake, now_s: float) -> None:
        """Send a wake-up for its time.

        One that is later than a schedule can be, or than SQS can delay without schedules, comes earlier, and is to be
        set again.
        """
        delay_s = wake.at_s - now_s
        if delay_s <= DELAY_MOST_S or self._schedules is None:
            message = Message(wake.execution, wake.encode(), delay_s)
            await self._queues.send(self._url, [message])
        else:
            at_s = min(wake.at_s, now_s + SCHEDULED_MOST_S)
            await asyncio.to_thread(self._schedule, wake, at_s, self._schedules)

    def _schedule(self, wake: Wake, at_s: float, schedules: Schedules) -> None:
        at = datetime.fromtimestamp(math.ceil(at_s), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        target = {"Arn": self._queue_arn(), "RoleArn": schedules.role, "Input": wake.encode()}
        try:
            schedules.client.create_schedule(
                # The same wake-up has the same name, so that it is scheduled once.
                Name=hashlib.sha256(f"{wake.execution}\n{at_s!r}".encode()).hexdigest()[:64],
                GroupName=schedules.group,
                ScheduleExpression=f"at({at})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target=target,
            )
        except schedules.client.exceptions.ConflictException:
            return

    def _queue_arn(self) -> str:
        if self._arn is None:
            self._arn = self._queues.arn(self._url)
        return self._arn
