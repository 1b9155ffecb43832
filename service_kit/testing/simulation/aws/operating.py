"""What happens around a deployment: its sweeper's minute, and people who look at alarms when the faults are over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from service_kit.stores.dynamodb.keys import DELIVERY, META, OUTBOX, TTL
from service_kit.testing.simulation.aws.queues import Queue
from service_kit.testing.simulation.aws.stream import Invoke
from service_kit.testing.simulation.aws.table import ModelTable
from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.client import Face, Reachable

SWEEP_S = 60.0
OPERATE_S = 30.0
BY_HAND = "by hand"
"""Why the simulated client pauses executions, which it also resumes."""


async def sweep(invoke: Invoke, trace: Callable[[str], None]) -> None:
    """Call the sweeper every minute."""
    while True:
        await asyncio.sleep(SWEEP_S)
        try:
            await invoke({})
        except Exception as error:  # noqa: BLE001 - the next minute comes
            trace(f"the sweeper failed: {type(error).__name__}")


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever is called by the alarms: moves dead letters back, and resumes what functions have parked."""

    place: Reachable
    queues: Sequence[Queue]
    table: ModelTable
    chances: Chances
    trace: Callable[[str], None]

    async def work(self) -> None:
        while True:
            await asyncio.sleep(OPERATE_S)
            if not self.chances.calm:
                continue
            for queue in self.queues:
                queue.redrive()
            for execution in self._parked():
                await self._resume(execution)

    async def _resume(self, execution: str) -> None:
        def resuming(face: Face) -> Awaitable[bool]:
            return face.management.pause(execution, None)

        self.trace(f"execution {execution} is resumed")
        try:
            await self.place.ask(resuming)
        except Exception as error:  # noqa: BLE001 - the next look comes
            self.trace(f"it was not: {type(error).__name__}")

    def _parked(self) -> list[str]:
        metas = {pk: partition[META] for pk, partition in self.table.partitions.items() if META in partition}
        return [pk[2:] for pk, meta in metas.items() if meta.get("paused", {}).get("S", BY_HAND) != BY_HAND]


def undone(table: ModelTable) -> list[str]:
    """Return what a table shows to be still to be done: executions, deliveries, events of the outbox."""
    left = list[str]()
    for pk, partition in table.partitions.items():
        meta: Any = partition.get(META)
        if meta is not None and "outcome" not in meta:
            left.append(f"execution {pk[2:]}{' (paused)' if 'paused' in meta else ''}")
        left += [f"outbox {pk}" for sk in partition if sk == OUTBOX]
        left += [
            f"delivery {pk}/{sk}"
            for sk, item in partition.items()
            if sk.startswith(DELIVERY) and TTL not in item and "failure" not in item
        ]
    return left
