"""Letting happen what a committed turn asks for: queues, bus, timers, other executions. Doing it again is harmless."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import assert_never

from service_kit.hosts.aws.host import AwsHost
from service_kit.messaging.queues import Message
from service_kit.messaging.timers import Wake
from service_kit.runtime.records import (
    CancelTask,
    CreateExecution,
    Deliver,
    Effect,
    Publish,
    PublishedEvent,
    ScheduleTask,
)
from service_kit.stores.dynamodb.outbox import decode_effects, encode_effects
from service_kit.stores.dynamodb.store import reach

_WAKES_REMEMBERED = 10_000


class Dispatch:
    """Sends what turns have asked for."""

    def __init__(self, host: AwsHost) -> None:
        self._host = host
        self._wakes: OrderedDict[str, float] = OrderedDict()

    async def effects(self, effects: Sequence[Effect]) -> None:
        """Let effects happen, in their order as far as anybody could notice it."""
        tasks: dict[str, list[ScheduleTask]] = {}
        events: list[PublishedEvent] = []
        for effect in effects:
            match effect:
                case ScheduleTask():
                    tasks.setdefault(effect.name, []).append(effect)
                case Publish(event=event):
                    events.append(event)
                case CancelTask() | CreateExecution() | Deliver():
                    pass
                case _:
                    assert_never(effect)
        for scheduled in tasks.values():
            await self.tasks(scheduled)
        for effect in effects:
            if isinstance(effect, CancelTask):
                await self._host.store.tasks.cancel(effect.key)
            elif isinstance(effect, CreateExecution | Deliver):
                await reach(self._host.store.executions, effect)
        if events:
            await self._host.bus.put(events)

    async def tasks(self, tasks: Sequence[ScheduleTask], delay_s: float = 0.0) -> None:
        """Send tasks of one name to their queue; what is delayed for too long for it comes early, and is sent on."""
        messages = []
        for task in tasks:
            key = task.key
            body = await self._host.store.payloads.fold(encode_effects([task]), key.execution, key.run)
            messages.append(Message(f"{key.execution}:{key.run}:{key.seq}", body, delay_s))
        url = await self._host.queues.url(self._host.task_queue(tasks[0].name))
        await self._host.queues.send(url, messages)

    async def wake(self, id: str, at_s: float | None) -> None:
        """Have an execution woken at a time, unless that was asked for already."""
        if at_s is None:
            self._wakes.pop(id, None)
        elif self._wakes.get(id) != at_s:
            await self._host.timers.set(Wake(id, at_s), self._host.clock.now_s())
            self._wakes[id] = at_s
            self._wakes.move_to_end(id)
            while len(self._wakes) > _WAKES_REMEMBERED:
                self._wakes.popitem(last=False)


async def task_of_message(host: AwsHost, body: str) -> ScheduleTask:
    """Return the task that a message of its queue stands for."""
    (task,) = decode_effects(await host.store.payloads.unfold(body))
    if not isinstance(task, ScheduleTask):
        raise TypeError(f"a queue of tasks has a message with {type(task).__name__}")
    return task
