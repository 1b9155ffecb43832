"""The world of the local runtime: processes on one store, all of whose methods pass the gate of faults."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from service_kit.contract.gather import Declarations
from service_kit.contract.scheduler import SCHEDULER
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import ExecutionQuery, ExecutionRecord, StoredExecution
from service_kit.testing.simulation.client import Face
from service_kit.testing.simulation.cluster import Cluster
from service_kit.testing.simulation.failpoints import with_failpoints
from service_kit.testing.simulation.faults import FaultyGate
from service_kit.testing.simulation.world import World

T = TypeVar("T")


class Local:
    """A cluster, and what can be seen of its store."""

    def __init__(self, stores: Stores, gate: FaultyGate, cluster: Cluster, processes: int) -> None:
        self._stores = stores
        self._cluster = cluster
        self._world: World = gate.world
        self._trace = gate.trace
        self._processes = processes
        cluster.stores = with_failpoints(stores, gate)

    @property
    def declarations(self) -> Declarations:
        return self._cluster.declarations

    def start(self) -> None:
        for _ in range(self._processes):
            self._cluster.spawn()

    async def ask(self, request: Callable[[Face], Awaitable[T]]) -> T:
        return await self._cluster.ask(request)

    def tick(self) -> None:
        """Let the wall clock jump now and then."""
        chances, clock = self._cluster.chances, self._cluster.clock
        if (drawn := chances.draw("clock")) is not None:
            self._world.look_at_clock()  # a jump back must not hide what was over before it
            clock.skew_s += 120 * drawn.amount - 20
            self._trace(f"the clock jumps by {120 * drawn.amount - 20:.3f}")

    async def ended(self) -> bool:
        """Tell whether nothing is left to be done."""
        if await self._running():
            return False
        if await self._stores.schedule.next_delivery_s(list(self.declarations.subscriptions)) is not None:
            return False
        return await self._stores.tasks.next_available_s(list(self.declarations.tasks)) is None

    async def unended(self) -> str:
        """Say what is left."""
        running = [f"'{record.id}' at turn {record.turn}" for record in await self._running()]
        return ", ".join(running) or "tasks or deliveries are left, or the client was never answered"

    async def found(self) -> dict[str, StoredExecution]:
        """Return all executions as the store has them."""
        page = await self._stores.index.list(ExecutionQuery(limit=10_000))
        found = {record.id: await self._stores.executions.load(record.id) for record in page.executions}
        return {name: stored for name, stored in sorted(found.items()) if stored is not None}

    async def _running(self) -> list[ExecutionRecord]:
        """Return those that are not over. A scheduler never is."""
        page = await self._stores.index.list(ExecutionQuery(status="running"))
        return [record for record in page.executions if record.workflow != SCHEDULER]
