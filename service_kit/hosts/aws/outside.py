"""Tasks as those see them who complete them from outside: an inline one has no item while it is running."""

from __future__ import annotations

from collections.abc import Sequence

from service_kit.engine.arrivals import Arrival
from service_kit.hosts.aws.host import AwsHost
from service_kit.runtime.records import Claim, Heartbeat, ScheduleTask, TaskKey
from service_kit.stores.dynamodb.items import effects_of
from service_kit.stores.dynamodb.keys import task_place
from service_kit.stores.dynamodb.tasks import DynamoTasks


class OutsideTasks(DynamoTasks):
    """The port `Tasks` for holders of tokens, who may be faster than the attempt that has given them away."""

    def __init__(self, host: AwsHost) -> None:
        super().__init__(host.store.table, host.store.bodies, queued=True, clock=host.clock.now_s)
        self._host = host

    async def settle(self, key: TaskKey, claim: Claim | None, arrival: Arrival | None) -> bool:
        if await super().settle(key, claim, arrival):
            return True
        return await self._made(key) and await super().settle(key, claim, arrival)

    async def heartbeat(self, beats: Sequence[Heartbeat]) -> Sequence[bool | None]:
        told = await super().heartbeat(beats)
        made = [one is None and await self._made(beat.key) for one, beat in zip(told, beats, strict=True)]
        return await super().heartbeat(beats) if any(made) else told

    async def _made(self, key: TaskKey) -> bool:
        """Make the item of an inline task that is running, as its own function does with what it keeps of it."""
        if await self._table.get(task_place(key)) is not None:
            return False
        task = await self._running(key)
        if task is not None:
            await self.schedule(task)
        return task is not None

    async def _running(self, key: TaskKey) -> ScheduleTask | None:
        """Return the inline task of a call that has no answer."""
        latest = await self._host.store.executions.reader.latest(key.execution)
        if not latest or latest[0].run != key.run or latest[0].closes is not None:
            return None
        run = [chunk for chunk in latest if chunk.run == key.run]
        if any(key.seq in chunk.done for chunk in run):
            return None
        for chunk in run:
            if key.seq in chunk.tasks:
                for effect in await effects_of(chunk, self._host.store.bodies):
                    if isinstance(effect, ScheduleTask) and effect.key == key and effect.claim is not None:
                        return effect
        return None
