"""Tasks with packed payloads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service_kit.engine.arrivals import Arrival
from service_kit.runtime.ports import Tasks
from service_kit.runtime.records import Claim, ClaimedTask, Heartbeat, TaskKey
from service_kit.stores.packed import values
from service_kit.stores.packed.packer import Packer, Packing
from service_kit.stores.packed.reading import readable


@dataclass(frozen=True, slots=True)
class PackedTasks:
    """The port `Tasks` over another one."""

    inner: Tasks
    packer: Packer

    async def claim(
        self, names: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedTask]:
        found = await self.inner.claim(names, claim, now_s, limit)
        # The claim of one that cannot be read runs out: it is tried again then, perhaps by a host that can.
        return await readable(
            found,
            lambda task: self.packer.unpacked(task, values.task),
            lambda task: f"the input of task '{task.name}', {task.key},",
        )

    async def heartbeat(self, beats: Sequence[Heartbeat]) -> Sequence[bool | None]:
        packing = Packing(self.packer)
        packed = [
            beat
            if beat.details is None
            else replace(beat, details=packing.of(beat.key.execution, beat.key.run)(beat.details))
            for beat in beats
        ]
        await packing.keep()
        return await self.inner.heartbeat(packed)

    async def retry(self, key: TaskKey, claim: Claim, at_s: float, details: str | None = None) -> bool:
        return await self.inner.retry(key, claim, at_s, await self._packed(key, details))

    async def settle(self, key: TaskKey, claim: Claim | None, arrival: Arrival | None) -> bool:
        if arrival is None:
            return await self.inner.settle(key, claim, None)
        packing = Packing(self.packer)
        packed = values.arrival(arrival, packing.of(key.execution, key.run), values.pack_failure)
        await packing.keep()
        return await self.inner.settle(key, claim, packed)

    async def detach(
        self, key: TaskKey, claim: Claim, until_s: float | None, details: str | None = None
    ) -> bool:
        return await self.inner.detach(key, claim, until_s, await self._packed(key, details))

    async def next_available_s(self, names: Sequence[str]) -> float | None:
        return await self.inner.next_available_s(names)

    async def _packed(self, key: TaskKey, details: str | None) -> str | None:
        packing = Packing(self.packer)
        packed = values.maybe(details, packing.of(key.execution, key.run))
        await packing.keep()
        return packed
