"""The processes of a simulated service: real runtimes on one store, killed and replaced."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from service_kit.contract.gather import Declarations
from service_kit.runtime.assembly import Entropy, Runtime, RuntimeOptions
from service_kit.runtime.clock import Alarm
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import ScheduleTask, TurnCommit
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.loop import PROCESS, Process, SimulatedLoop

T = TypeVar("T")

LEASE_S = 10.0
RECONCILE_S = 4.0
FREEZE_S = 3 * LEASE_S
STEPS_MOST = 2_000
"""A process that dies or freezes of itself does so within so many steps."""


class Disconnected(Exception):
    """The process that was asked has died, or none is there."""


@dataclass(slots=True)
class WallClock:
    """The wall clock of the simulated machines; it jumps."""

    loop: SimulatedLoop
    skew_s: float = 0.0

    def now_s(self) -> float:
        return self.loop.time() + self.skew_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Alarm:
        return self.loop.call_later(seconds, callback)


class FaultyRuntime(Runtime):
    """The real runtime, but that its wake-up hints are lost, doubled and late."""

    chances: Chances

    def make_faulty(self, chances: Chances) -> None:
        """Let hints go wrong from now on."""
        self.chances = chances
        arrived, published = self.gateway.arrived, self.gateway.published
        self.gateway.arrived = lambda execution, incoming: self._hint(lambda: arrived(execution, incoming))
        self.gateway.published = lambda: self._hint(published)

    def _moved(self, id: str) -> None:
        forget_and_wake = super()._moved
        self._hint(lambda: forget_and_wake(id))

    def _committed(self, commit: TurnCommit) -> None:
        # A task that the commit has claimed for this process is its own to run: no hint, but a fact.
        act = super()._committed
        own = [e for e in commit.effects if isinstance(e, ScheduleTask) and e.claim is not None]
        if own:
            act(replace(commit, effects=own, outcome=None, successor=None, wake_at_s=None))
        rest = replace(commit, effects=[e for e in commit.effects if e not in own])
        self._hint(lambda: act(rest))

    def _hint(self, give: Callable[[], None]) -> None:
        drawn = self.chances.draw("hint")
        if drawn is None:
            give()
        elif drawn.fault == "doubled":
            give()
            asyncio.get_running_loop().call_later(3 * drawn.amount, give)
        elif drawn.fault == "late":
            asyncio.get_running_loop().call_later(10 * drawn.amount, give)


@dataclass(slots=True)
class Member:
    """One living process."""

    process: Process
    runtime: Runtime
    asked: list[asyncio.Future[Any]] = field(default_factory=list["asyncio.Future[Any]"])


@dataclass(slots=True)
class Cluster:
    """The processes that live now. One that dies is replaced after a while."""

    loop: SimulatedLoop
    stores: Stores
    declarations: Declarations
    chances: Chances
    clock: WallClock
    trace: Callable[[str], None]
    members: list[Member] = field(default_factory=list[Member])
    _made: int = 0

    def spawn(self) -> None:
        """Begin another process."""
        self._made += 1
        name = f"p{self._made}"
        process = Process(name)
        if (drawn := self.chances.draw("death")) is not None:
            process.dies_at_step = 1 + int(STEPS_MOST * drawn.amount**2)
        if (drawn := self.chances.draw("freeze")) is not None:
            process.freezes_at_step = 1 + int(STEPS_MOST * drawn.amount**2)
            process.freezes_for_s = FREEZE_S
        numbers = random.Random(f"{self.chances.seed} {name}")  # noqa: S311 - reproducible, not secret
        entropy = Entropy(lambda: f"{numbers.getrandbits(64):016x}", numbers.random, b"simulated, not secret")
        options = RuntimeOptions(WorkerOptions(name, LEASE_S, 100), RECONCILE_S, warm_max=2)
        runtime = FaultyRuntime(self.stores, self.declarations, self.clock, entropy, options)
        runtime.make_faulty(self.chances)
        member = Member(process, runtime)
        process.on_death.append(lambda: self._died(member))
        self.members.append(member)
        self.trace(f"{name} begins")
        self._run_in(member, runtime.start())

    async def ask(self, request: Callable[[Runtime], Awaitable[T]]) -> T:
        """Ask one of the processes; raise Disconnected if it dies meanwhile, or whatever it raises."""
        if not self.members:
            raise Disconnected
        member = self.members[int(len(self.members) * self.chances.next_number("route"))]
        answer: asyncio.Future[T] = self.loop.create_future()
        member.asked.append(answer)

        async def serve() -> None:
            try:
                value = await request(member.runtime)
            except Exception as error:  # noqa: BLE001 - it travels to the client
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(value)

        self._run_in(member, serve())
        try:
            return await answer
        finally:
            member.asked.remove(answer)

    def _run_in(self, member: Member, work: Any) -> None:
        context = contextvars.copy_context()
        context.run(PROCESS.set, member.process)
        self.loop.create_task(work, context=context)

    def _died(self, member: Member) -> None:
        self.trace(f"{member.process.name} dies")
        self.members.remove(member)
        for answer in member.asked:
            if not answer.done():
                answer.set_exception(Disconnected())
        delay_s = 5 * self.chances.next_number("rebirth")
        outside = contextvars.copy_context()
        outside.run(PROCESS.set, None)
        self.loop.call_later(delay_s, self.spawn, context=outside)
