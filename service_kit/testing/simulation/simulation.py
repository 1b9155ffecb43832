"""One simulation: a seed in, a report out, in one of two worlds."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import logging
import random
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeAlias

from service_kit.contract.gather import Declarations, gather
from service_kit.contract.service import contract_of
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import StoredExecution
from service_kit.stores.memory.store import memory_stores
from service_kit.testing.simulation.aws.deployment import Deployment
from service_kit.testing.simulation.aws.faults import STAGES as AWS_STAGES
from service_kit.testing.simulation.aws.faults import AwsLoop
from service_kit.testing.simulation.aws.polled import polled_stores
from service_kit.testing.simulation.chances import STAGES, Chances
from service_kit.testing.simulation.client import Client, Reachable
from service_kit.testing.simulation.cluster import Cluster, WallClock
from service_kit.testing.simulation.faults import FaultyGate
from service_kit.testing.simulation.invariants import check, compare
from service_kit.testing.simulation.local import Local
from service_kit.testing.simulation.loop import START_S, SimulatedLoop
from service_kit.testing.simulation.minutes import LATE_S, MINUTE_S, Scheduled, check_minutes
from service_kit.testing.simulation.programs import Scenario, scenario
from service_kit.testing.simulation.service import Simulated
from service_kit.testing.simulation.world import WORLD, Violation, World

FAULTS_S = 60.0
"""Faults stop after so long."""
TICK_S = 3.0
"""How often the wall clock may jump."""
WorldName: TypeAlias = Literal["local", "aws", "polled"]

PATIENCE_S: Mapping[WorldName, float] = {"local": 1_800.0, "polled": 1_800.0, "aws": 14_400.0}
"""What has not ended so long after that is stuck: on AWS, what nobody knows of is looked at once an hour."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate: everything that a seed leads to, or a part of it."""

    seed: int
    only: frozenset[str] | None = None
    """The faults that may happen; None: all of the seed."""
    without: frozenset[int] = frozenset()
    """Nodes of the scenario that are left out."""
    stores: Callable[[], Stores] = memory_stores
    """For the local world."""
    world: WorldName = "local"


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
    if plan.world == "aws":
        # Schedules are held to their minutes by clocks that jump, which functions' do not.
        acted = replace(acted, scheduled=False)
    with _silence():
        fair = _Run(plan, Chances(plan.seed, calm=True), replace(acted, processes=1))
        fair.run(lambda run: None)
        if fair.world.violations:
            return fair.report()
        outcomes = fair.outcomes()
        stages = AWS_STAGES if plan.world == "aws" else STAGES
        faulty = _Run(plan, Chances(plan.seed, plan.only, stages=stages), acted, plan.world)
        faulty.run(lambda run: compare(run.world, run.found, outcomes))
    return faulty.report()


def expected(acted: Scenario) -> dict[str, str | None]:
    """Return how each execution of a scenario ends where nothing goes wrong."""
    with _silence():
        fair = _Run(Plan(0), Chances(0, calm=True), replace(acted, processes=1))
        fair.run(lambda run: None)
    assert not fair.world.violations, "a run without faults keeps all invariants"
    return fair.outcomes()


class Place(Reachable, Protocol):
    """Where a service is simulated."""

    def start(self) -> None: ...

    def tick(self) -> None:
        """Be told that some seconds have passed, while there are faults."""
        ...

    async def ended(self) -> bool: ...

    async def unended(self) -> str: ...

    async def found(self) -> Mapping[str, StoredExecution]: ...


@dataclass(slots=True)
class _Run:
    plan: Plan
    chances: Chances
    scenario: Scenario
    world_name: WorldName = "local"
    loop: SimulatedLoop = field(init=False)
    trace: list[str] = field(default_factory=list[str])
    found: Mapping[str, StoredExecution] = field(default_factory=dict[str, StoredExecution])
    clock: WallClock = field(init=False)
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.loop = AwsLoop() if self.world_name == "aws" else SimulatedLoop()
        self.clock = WallClock(self.loop)
        self.world = World(self.clock.now_s)

    def run(self, compared: Callable[[_Run], None]) -> None:
        """Run to the end, and check the invariants."""
        outside = random.getstate()
        random.seed(self.plan.seed)  # pauses between tries are drawn from the module's own generator
        try:
            contextvars.copy_context().run(self._run, compared)
        finally:
            random.setstate(outside)

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
        place = self._place(declarations)
        place.start()
        ticking = asyncio.create_task(self._tick(place))
        acting = asyncio.create_task(Client(place, self.chances, self.world).perform(self.scenario))
        try:
            async with asyncio.timeout(FAULTS_S + PATIENCE_S[self.world_name]):
                await acting
                if self.scenario.scheduled:
                    calm_s = START_S + FAULTS_S + MINUTE_S + LATE_S
                    await asyncio.sleep(max(calm_s - self.loop.time(), 0))
                while not await place.ended():  # noqa: ASYNC110 - nobody is told
                    await asyncio.sleep(1.0)
        except TimeoutError:
            self.world.violate("everything ends", await place.unended())
        except ExceptionGroup as errors:
            self.world.violate("requests are answered", str(errors.exceptions))
        ticking.cancel()
        self.chances.calm = True
        self.found = await place.found()

    def _place(self, declarations: Declarations) -> Place:
        loop, chances, clock = self.loop, self.chances, self.clock
        if isinstance(loop, AwsLoop):
            return Deployment(loop, declarations, chances, clock, self.world, self._note)
        polled = self.world_name == "polled"
        stores = polled_stores(self.world, clock.now_s) if polled else self.plan.stores()
        gate = FaultyGate(loop, chances, self.world, self._note, tells=not polled)
        cluster = Cluster(loop, stores, declarations, chances, clock, self._note)
        return Local(stores, gate, cluster, self.scenario.processes)

    async def _tick(self, place: Place) -> None:
        """Let the faults stop after a while."""
        loop = self.loop
        calm_s = loop.time() + FAULTS_S
        while loop.time() < calm_s:
            await asyncio.sleep(TICK_S)
            place.tick()
        self.chances.calm = True

    def _note(self, what: str) -> None:
        self.trace.append(f"{self.loop.time():.6f} {what}")


@contextmanager
def _silence() -> Generator[None, None, None]:
    """Keep quiet about failures that are meant."""
    names = ("service_kit.runtime", "service_kit.lambda", "service_kit.workflow", "asyncio")
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
