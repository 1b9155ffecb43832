"""The runtime put together: one process's share of running a service durably.

Hosts give it stores and a clock. It keeps no truth: what it knows is a cache of the stores, and reconciliation
finds whatever a lost wake-up, a jump of the clock or a dead process has left behind.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from service_kit.contract.gateway import set_gateway
from service_kit.contract.gather import Declarations
from service_kit.engine.arrivals import Arrival
from service_kit.runtime.clock import Clock
from service_kit.runtime.dispatcher import Dispatcher, stored
from service_kit.runtime.gateway import RuntimeGateway
from service_kit.runtime.management import RuntimeManagement
from service_kit.runtime.orchestrator import Incoming, Orchestrator
from service_kit.runtime.ports import Deliveries, DeliverySchedule, ExecutionIndex, Executions, Tasks
from service_kit.runtime.records import (
    CancelTask,
    ClaimedTask,
    CreateExecution,
    Deliver,
    Publish,
    ScheduleTask,
    StoredArrival,
    TurnCommit,
)
from service_kit.runtime.subscription_worker import SubscriptionWorker
from service_kit.runtime.task_worker import TaskWorker, WorkerOptions
from service_kit.runtime.tokens import TaskTokens

logger = logging.getLogger("service_kit.runtime")


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports of one store."""

    executions: Executions
    index: ExecutionIndex
    tasks: Tasks
    deliveries: Deliveries
    schedule: DeliverySchedule


@dataclass(frozen=True, slots=True)
class Entropy:
    """Where the runtime's randomness comes from."""

    new_id: Callable[[], str]
    """Returns ids that nobody can guess."""
    random: Callable[[], float]
    """Returns floats from [0, 1)."""
    secret: bytes
    """Signs the tokens of tasks; the same in every process of a service."""


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """How a process takes its share."""

    worker: WorkerOptions
    reconcile_s: float = 1.0
    """How often the stores are asked for what nobody has told us."""
    warm_max: int = 1_000
    batch: int = 500


class Runtime:
    """Orchestrator, workers, timers and gateway over one set of stores."""

    def __init__(
        self,
        stores: Stores,
        declarations: Declarations,
        clock: Clock,
        entropy: Entropy,
        options: RuntimeOptions,
    ) -> None:
        self.stores = stores
        self.declarations = declarations
        self._clock = clock
        self._options = options
        self.tokens = TaskTokens(entropy.secret)
        self.task_worker = TaskWorker(
            stores.tasks,
            declarations,
            clock,
            self._task_done,
            self.tokens.sign,
            entropy.random,
            options.worker,
            self._new_context,
        )
        self.subscription_worker = SubscriptionWorker(
            stores.deliveries, declarations, clock, entropy.random, options.worker, self._new_context
        )
        dispatcher = Dispatcher(declarations, self.task_worker.claim_for)
        self.orchestrator = Orchestrator(
            stores.executions,
            stores.tasks,
            declarations,
            dispatcher,
            clock,
            self._committed,
            self._new_context,
            options.warm_max,
        )
        self.gateway = RuntimeGateway(
            stores.executions,
            stores.deliveries,
            dispatcher,
            clock,
            entropy.new_id,
            self._arrived,
            self._published,
        )
        self.management = RuntimeManagement(
            stores.executions, stores.index, stores.deliveries, clock, self._moved, self._published
        )
        self._timers: list[tuple[float, str]] = []
        self._timer_set = asyncio.Event()
        self._task_hint = asyncio.Event()
        self._delivery_hint = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._base = contextvars.Context()

    async def start(self) -> None:
        """Begin to work: first with whatever an earlier process has left.

        Tasks, handlers and turns run in copies of the context in which this is called.
        """
        self._base = contextvars.copy_context()
        self._base.run(set_gateway, self.gateway)
        loops: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self._run_timers,
            self._run_tasks,
            self._run_deliveries,
            self._keep_claims,
            self._reconcile,
        ]
        self._loops = [
            asyncio.create_task(_for_ever(step, self._clock), name=step.__name__) for step in loops
        ]

    async def drain(self) -> None:
        """Take no new work, and wait until what is running has ended."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        while self.task_worker.busy or self.subscription_worker.busy or self.orchestrator.busy:
            await self.task_worker.finished()
            await self.subscription_worker.finished()
            await self.orchestrator.settled()

    async def stop(self) -> None:
        """Stop at once. What was running is found by whoever starts next, when its claims have run out."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self.task_worker.close()
        await self.subscription_worker.close()
        await self.orchestrator.close()

    def _new_context(self) -> contextvars.Context:
        return self._base.copy()

    # What is told

    def _arrived(self, id: str, arrival: StoredArrival | None) -> None:
        self.orchestrator.wake(id, *([Incoming(arrival)] if arrival is not None else ()))

    def _moved(self, id: str) -> None:
        self.orchestrator.forget(id)
        self.orchestrator.wake(id)

    def _published(self) -> None:
        self._delivery_hint.set()

    async def _task_done(self, claimed: ClaimedTask, arrival: Arrival) -> None:
        key = claimed.key
        if self.task_worker.is_limited(claimed.name):
            self._task_hint.set()  # its place is free
        self.orchestrator.wake(key.execution, Incoming(stored(arrival), key.run, key))

    def _committed(self, commit: TurnCommit) -> None:
        """Do, or hint at, what a committed turn has made due. Losing this loses time only."""
        for effect in commit.effects:
            match effect:
                case ScheduleTask(claim=None):
                    self._task_hint.set()
                case ScheduleTask(key=key, name=name, input=input, options=options, claim=claim) if claim:
                    self.task_worker.accept(
                        ClaimedTask(key, name, input, options, effect.scheduled_at_s, attempt=1, claim=claim)
                    )
                case CancelTask(key=key):
                    self.task_worker.cancel(key)
                case CreateExecution(new=new):
                    self._start_at(new.started.id, new.begin_at_s)
                case Deliver(execution=id, arrival=arrival, run=run):
                    self.orchestrator.wake(id, Incoming(arrival, run))
                case Publish():
                    self._delivery_hint.set()
                case _:
                    raise AssertionError(f"unknown effect {effect!r}")
        if commit.successor is not None:
            self.orchestrator.wake(commit.execution)
        elif commit.outcome is not None:
            self.gateway.ended(commit.execution, commit.outcome)
        elif commit.wake_at_s is not None:
            self._wake_at(commit.execution, commit.wake_at_s)

    def _start_at(self, id: str, begin_at_s: float) -> None:
        if begin_at_s <= self._clock.now_s():
            self.orchestrator.wake(id)
        else:
            self._wake_at(id, begin_at_s)

    def _wake_at(self, id: str, at_s: float) -> None:
        heapq.heappush(self._timers, (at_s, id))
        if self._timers[0] == (at_s, id):
            self._timer_set.set()

    # What runs for ever

    async def _run_timers(self) -> None:
        now_s = self._clock.now_s()
        while self._timers and self._timers[0][0] <= now_s:
            self.orchestrator.wake(heapq.heappop(self._timers)[1])
        left_s = self._timers[0][0] - now_s if self._timers else None
        await self._wait(self._timer_set, left_s)

    async def _run_tasks(self) -> None:
        self._task_hint.clear()
        if await self.task_worker.claim_some():
            return
        next_s = await self.stores.tasks.next_available_s(list(self.declarations.tasks))
        await self._wait(self._task_hint, self._until(next_s))

    async def _run_deliveries(self) -> None:
        self._delivery_hint.clear()
        if await self.subscription_worker.claim_some():
            return
        next_s = await self.stores.schedule.next_delivery_s(list(self.declarations.subscriptions))
        await self._wait(self._delivery_hint, self._until(next_s))

    async def _keep_claims(self) -> None:
        await self._clock.sleep(self._options.worker.lease_s / 3)
        await self.task_worker.keep_claims()

    async def _reconcile(self) -> None:
        for execution in await self.stores.index.due(self._clock.now_s(), self._options.batch):
            self.orchestrator.wake(execution)
        await self._clock.sleep(self._options.reconcile_s)

    def _until(self, at_s: float | None) -> float:
        """Return how long to wait for a moment; at most as long as reconciliation does, for other processes' sake."""
        most_s = self._options.reconcile_s
        return most_s if at_s is None else min(max(at_s - self._clock.now_s(), 0.01), most_s)

    async def _wait(self, hint: asyncio.Event, seconds: float | None) -> None:
        """Wait for a hint, at most so long."""
        hinted = asyncio.create_task(hint.wait())
        waits: list[asyncio.Task[Any]] = [hinted]
        if seconds is not None:
            waits.append(asyncio.create_task(_sleep(self._clock, seconds)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        hint.clear()


async def _sleep(clock: Clock, seconds: float) -> None:
    await clock.sleep(seconds)


async def _for_ever(step: Callable[[], Coroutine[Any, Any, None]], clock: Clock) -> None:
    while True:
        try:
            await step()
        except Exception:
            logger.exception("%s failed; it will be tried again", step.__name__)
            await clock.sleep(1.0)
