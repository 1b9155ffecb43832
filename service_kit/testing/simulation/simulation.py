"""One simulation: a seed in, a report out."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from service_kit.contract.gather import Declarations, gather
from service_kit.contract.scheduler import SCHEDULER
from service_kit.contract.service import contract_of
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import ExecutionQuery, ExecutionRecord, StoredExecution
from service_kit.stores.memory.store import memory_stores
from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.client import Client
from service_kit.testing.simulation.cluster import Cluster, WallClock
from service_kit.testing.simulation.failpoints import with_failpoints
from service_kit.testing.simulation.faults import FaultyGate
from service_kit.testing.simulation.invariants import check, compare
from service_kit.testing.simulation.loop import START_S, SimulatedLoop
from service_kit.testing.simulation.minutes import LATE_S, MINUTE_S, Scheduled, check_minutes
from service_kit.testing.simulation.programs import Scenario, scenario
from service_kit.testing.simulation.service import Simulated
from service_kit.testing.simulation.world import WORLD, Violation, World

FAULTS_S = 60.0
"""Faults stop after so long."""
TICK_S = 3.0
"""How often the wall clock may jump."""
PATIENCE_S = 1_800.0
"""What has not ended so long after that is stuck."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate: everything that a seed leads to, or a part of it."""

    seed: int
    only: frozenset[str] | None = None
    """The faults that may happen; None: all of the seed."""
    without: frozenset[int] = frozenset()
    """Nodes of the scenario that are left out."""
    stores: Callable[[], Stores] = memory_stores


@dataclass(frozen=True, slots=True)
class Report:
    """What a simulation has shown."""

    plan: Plan
    violations: tuple[Violation, ...]
    faults: tuple[str, ...]
    """Those that happened."""
    lasted_s: float
    """In virtual time."""
    trace: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Equal for equal runs."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]


def simulate(plan: Plan) -> Report:
    """Run a plan with its faults and without any, and compare."""
    acted = scenario(plan.seed).without(plan.without)
    with _silence():
        fair = _Run(plan, Chances(plan.seed, calm=True), replace(acted, processes=1))
        fair.run(lambda run: None)
        if fair.world.violations:
            return fair.report()
        outcomes = fair.outcomes()
        faulty = _Run(plan, Chances(plan.seed, plan.only), acted)
        faulty.run(lambda run: compare(run.world, run.found, outcomes))
    return faulty.report()


def expected(acted: Scenario) -> dict[str, str | None]:
    """Return how each execution of a scenario ends where nothing goes wrong."""
    with _silence():
        fair = _Run(Plan(0), Chances(0, calm=True), replace(acted, processes=1))
        fair.run(lambda run: None)
    assert not fair.world.violations, "a run without faults keeps all invariants"
    return fair.outcomes()


@dataclass(slots=True)
class _Run:
    plan: Plan
    chances: Chances
    scenario: Scenario
    loop: SimulatedLoop = field(default_factory=SimulatedLoop)
    trace: list[str] = field(default_factory=list[str])
    found: Mapping[str, StoredExecution] = field(default_factory=dict[str, StoredExecution])
    clock: WallClock = field(init=False)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.clock = WallClock(self.loop)
        self.world = World(self.clock.now_s)

    def run(self, compared: Callable[[_Run], None]) -> None:
        """Run to the end, and check the invariants."""
        contextvars.copy_context().run(self._run, compared)

    def outcomes(self) -> dict[str, str | None]:
        """Return how each execution has ended."""
        return {name: stored.record.outcome for name, stored in self.found.items()}

    def report(self) -> Report:
        return Report(
            self.plan,
            tuple(self.world.violations),
            tuple(self.chances.happened),
            self.loop.time(),
            tuple(self.trace),
        )

    def _run(self, compared: Callable[[_Run], None]) -> None:
        WORLD.set(self.world)
        declarations = gather(contract_of(Scheduled if self.scenario.scheduled else Simulated))
        try:
            self.loop.complete(self._main(declarations))
        finally:
            self.loop.bury()
        check(self.world, self.found, declarations)
        if self.scenario.scheduled:
            check_minutes(self.world, self.found)
        compared(self)

    async def _main(self, declarations: Declarations) -> None:
        stores = self.plan.stores()
        gate = FaultyGate(self.loop, self.chances, self.world, self._note)
        cluster = Cluster(
            self.loop, with_failpoints(stores, gate), declarations, self.chances, self.clock, self._note
        )
        for _ in range(self.scenario.processes):
            cluster.spawn()
        ticking = asyncio.create_task(self._tick())
        acting = asyncio.create_task(Client(cluster, self.chances, self.world).perform(self.scenario))
        try:
            async with asyncio.timeout(FAULTS_S + PATIENCE_S):
                await acting
                if self.scenario.scheduled:
                    calm_s = START_S + FAULTS_S + MINUTE_S + LATE_S
                    await asyncio.sleep(max(calm_s - self.loop.time(), 0))
                while not await self._ended(stores, declarations):  # noqa: ASYNC110 - the store tells nobody
                    await asyncio.sleep(1.0)
        except TimeoutError:
            self.world.violate("everything ends", await self._unended(stores))
        except ExceptionGroup as errors:
            self.world.violate("requests are answered", str(errors.exceptions))
        ticking.cancel()
        self.found = await _executions(stores)

    async def _tick(self) -> None:
        """Let the wall clock jump now and then, and the faults stop."""
        loop = self.loop
        calm_s = loop.time() + FAULTS_S
        while loop.time() < calm_s:
            await asyncio.sleep(TICK_S)
            if (drawn := self.chances.draw("clock")) is not None:
                self.world.look_at_clock()  # a jump back must not hide what was over before it
                self.clock.skew_s += 120 * drawn.amount - 20
                self._note(f"the clock jumps by {120 * drawn.amount - 20:.3f}")
        self.chances.calm = True

    async def _ended(self, stores: Stores, declarations: Declarations) -> bool:
        """Whether nothing is left to be done."""
        if await _running(stores):
            return False
        if await stores.schedule.next_delivery_s(list(declarations.subscriptions)) is not None:
            return False
        return await stores.tasks.next_available_s(list(declarations.tasks)) is None

    async def _unended(self, stores: Stores) -> str:
        running = [f"'{record.id}' at turn {record.turn}" for record in await _running(stores)]
        return ", ".join(running) or "tasks or deliveries are left, or the client was never answered"

    def _note(self, what: str) -> None:
        self.trace.append(f"{self.loop.time():.6f} {what}")


async def _executions(stores: Stores) -> dict[str, StoredExecution]:
    page = await stores.index.list(ExecutionQuery(limit=10_000))
    found = {record.id: await stores.executions.load(record.id) for record in page.executions}
    return {name: stored for name, stored in sorted(found.items()) if stored is not None}


async def _running(stores: Stores) -> list[ExecutionRecord]:
    """Return those that are not over. A scheduler never is."""
    page = await stores.index.list(ExecutionQuery(status="running"))
    return [record for record in page.executions if record.workflow != SCHEDULER]


@contextmanager
def _silence() -> Generator[None, None, None]:
    """Keep quiet about failures that are meant."""
    loggers = [logging.getLogger(name) for name in ("service_kit.runtime", "service_kit.workflow", "asyncio")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
