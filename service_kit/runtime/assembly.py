"""The runtime put together: one process's share of running a service durably.

Hosts give it stores and a clock. It keeps no truth: what it knows is a cache of the stores, and reconciliation
finds whatever a lost wake-up, a jump of the clock or a dead process has left behind.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from service_kit.contract.gateway import set_gateway
from service_kit.contract.gather import Declarations
from service_kit.engine.arrivals import Arrival
from service_kit.runtime.attempt_runner import AttemptRunner
from service_kit.runtime.clock import Clock
from service_kit.runtime.completion import TaskCompletion
from service_kit.runtime.dispatcher import Dispatcher, stored
from service_kit.runtime.forking import Forking
from service_kit.runtime.gateway import RuntimeGateway
from service_kit.runtime.hints import Hint, repeat
from service_kit.runtime.incoming import Incoming
from service_kit.runtime.letters import RuntimeLetters
from service_kit.runtime.management import RuntimeManagement
from service_kit.runtime.options import Entropy as Entropy
from service_kit.runtime.options import RuntimeOptions as RuntimeOptions
from service_kit.runtime.orchestrator import Orchestrator
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import (
    CancelTask,
    CreateExecution,
    Deliver,
    ExecutionRecord,
    FinishedTask,
    Known,
    NewExecution,
    Publish,
    ScheduleTask,
    TurnCommit,
)
from service_kit.runtime.schedules import RuntimeSchedules
from service_kit.runtime.subscription_worker import SubscriptionWorker
from service_kit.runtime.task_worker import TaskWorker
from service_kit.runtime.threads import Threads
from service_kit.runtime.timers import Timers
from service_kit.runtime.tokens import TaskTokens
from service_kit.runtime.warm import WarmExecutions

BEAT_S = 1.0
"""How long what a heartbeat says may stay in this process."""
SWEEP_S = 60.0
DAY_S = 86_400.0


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
        self._entropy = entropy
        self._options = options
        self._timers = Timers()
        self._timer_hint, self._task_hint, self._delivery_hint = Hint(clock), Hint(clock), Hint(clock)
        self._loops: dict[str, asyncio.Task[None]] = {}
        self._base = contextvars.Context()
        self._due: Mapping[str, Known] | None = None
        self.tokens: TaskTokens = TaskTokens(entropy.secret)
        self.task_worker: TaskWorker = self._make_task_worker()
        self.subscription_worker: SubscriptionWorker = self._make_subscription_worker()
        dispatcher = Dispatcher(declarations, self.task_worker)
        self.orchestrator: Orchestrator = self._make_orchestrator(dispatcher)
        self.gateway: RuntimeGateway = self._make_gateway(dispatcher)
        self.schedules: RuntimeSchedules = RuntimeSchedules(
            stores.executions, stores.index, self.gateway, declarations, clock
        )
        self.management: RuntimeManagement = RuntimeManagement(
            stores.executions,
            stores.index,
            RuntimeLetters(stores.letters, clock, self._delivery_hint.give),
            self.schedules,
            Forking(stores.executions, dispatcher, clock, self._committed),
            self._moved,
        )
        self.completion: TaskCompletion = TaskCompletion(
            stores.tasks, self.tokens, declarations, clock, self.orchestrator.wake
        )

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
            self._sweep,
            self._take_schedules_over,
        ]
        self._loops = {
            step.__name__: asyncio.create_task(repeat(step, self._clock), name=step.__name__)
            for step in loops
        }

    async def drain(self) -> None:
        """Take no new work, and wait until what is running has ended; its claims are kept meanwhile.

        Executions go on as far as they get without new tasks but inline ones; what they schedule waits for the next
        process.
        """
        self.task_worker.closing = True
        await self._end_loops(but=self._keep_claims.__name__)
        while self.task_worker.busy or self.subscription_worker.busy or self.orchestrator.busy:
            await self.task_worker.finished()
            await self.subscription_worker.finished()
            await self.orchestrator.settled()
        await self._end_loops()

    async def stop(self) -> None:
        """Stop at once. What was running is tried again by whoever comes next."""
        self.task_worker.closing = True
        await self._end_loops()
        await self.orchestrator.close()
        await self.subscription_worker.close()
        await self.task_worker.close()

    async def _end_loops(self, but: str | None = None) -> None:
        ending = [self._loops.pop(name) for name in list(self._loops) if name != but]
        for loop in ending:
            loop.cancel()
        await asyncio.gather(*ending, return_exceptions=True)

    def _make_task_worker(self) -> TaskWorker:
        most = self._options.worker.threads
        threads = Threads(most, self._task_hint.give) if most is not None else None
        return TaskWorker(
            self.stores.tasks,
            self.declarations,
            self._clock,
            self._task_done,
            self._task_hint.give,
            AttemptRunner(self.stores.tasks, self.declarations, self._clock, self._entropy.random, threads),
            self.tokens.sign,
            self._options.worker,
            self._new_context,
        )

    def _make_subscription_worker(self) -> SubscriptionWorker:
        return SubscriptionWorker(
            self.stores.deliveries,
            self.stores.schedule,
            self.declarations,
            self._clock,
            self._entropy.random,
            self._delivery_hint.give,
            self._options.worker,
            self._new_context,
        )

    def _make_orchestrator(self, dispatcher: Dispatcher) -> Orchestrator:
        return Orchestrator(
            self.stores.executions,
            self.stores.tasks,
            WarmExecutions(self.declarations, self._options.warm_max),
            dispatcher,
            self._clock,
            self._committed,
            self._ended,
            self._new_context,
        )

    def _make_gateway(self, dispatcher: Dispatcher) -> RuntimeGateway:
        return RuntimeGateway(
            self.stores.executions,
            self.stores.index,
            self.stores.deliveries,
            dispatcher,
            self._clock,
            self._entropy.new_id,
            self._begin,
            self.orchestrator.has,
            self.orchestrator.wake,
            self._delivery_hint.give,
        )

    def _new_context(self) -> contextvars.Context:
        return self._base.copy()

    # What is told

    async def _begin(self, new: NewExecution) -> ExecutionRecord | None:
        taken = await self.orchestrator.begin(new)
        if taken is None and new.begin_at_s > self._clock.now_s():
            self._wake_at(new.started.id, new.begin_at_s)
        return taken

    def _moved(self, id: str) -> None:
        self.orchestrator.forget(id)
        self.orchestrator.wake(id)

    async def _task_done(self, finished: FinishedTask, arrival: Arrival) -> None:
        key = finished.key
        await self.orchestrator.move(key.execution, Incoming(stored(arrival), key.run, finished))

    def _committed(self, commit: TurnCommit) -> None:
        """Do, or hint at, what a committed turn has made due. Losing this loses time only."""
        for effect in commit.effects:
            match effect:
                case ScheduleTask(claim=None):
                    self._task_hint.give()
                case ScheduleTask(claim=claim) if claim is not None:
                    self.task_worker.accept_scheduled(effect, claim)
                case CancelTask(key=key):
                    self.task_worker.cancel(key)
                case CreateExecution(new=new):
                    self._start_at(new.started.id, new.begin_at_s)
                    if effect.may_be_taken:
                        self.orchestrator.wake(commit.execution)
                case Deliver(execution=id, arrival=arrival, run=run):
                    self.orchestrator.wake(id, Incoming(arrival, run))
                case Publish():
                    self._delivery_hint.give()
                case _:
                    raise AssertionError(f"unknown effect {effect!r}")
        if commit.successor is not None:
            self.orchestrator.wake(commit.execution)
        elif commit.outcome is not None:
            self.gateway.ended(commit.execution, commit.outcome)
        self._wake_at(commit.execution, commit.wake_at_s)

    def _ended(self, id: str, outcome: str) -> None:
        self.gateway.ended(id, outcome)

    def _start_at(self, id: str, begin_at_s: float) -> None:
        if begin_at_s <= self._clock.now_s():
            self.orchestrator.wake(id)
        else:
            self._wake_at(id, begin_at_s)

    def _wake_at(self, id: str, at_s: float | None) -> None:
        if self._timers.set(id, at_s):
            self._timer_hint.give()

    # What runs for ever

    async def _run_timers(self) -> None:
        self._timer_hint.take()
        for execution in self._timers.take_due(self._clock.now_s()):
            self.orchestrator.wake(execution)
        await self._timer_hint.wait(self._timers.next_s())

    async def _run_tasks(self) -> None:
        self._task_hint.take()
        await self._task_hint.wait(await self.task_worker.claim_some(), self._options.reconcile_s)

    async def _run_deliveries(self) -> None:
        self._delivery_hint.take()
        await self._delivery_hint.wait(await self.subscription_worker.claim_some(), self._options.reconcile_s)

    async def _keep_claims(self) -> None:
        await self._clock.sleep(min(BEAT_S, self._options.worker.lease_s / 6))
        await self.task_worker.keep_claims()

    async def _reconcile(self) -> None:
        """Wake what was due at the last look and still is: nobody has moved it. At the first look: all."""
        most = self._options.batch
        due = {found.id: found.known for found in await self.stores.index.due(self._clock.now_s(), most)}
        for execution, known in due.items():
            if self._due is None or self._due.get(execution) == known:
                self.orchestrator.wake(execution)
        self._due = due
        await self.gateway.look()
        await self._clock.sleep(self._options.reconcile_s if len(due) < most else 0.1)

    async def _sweep(self) -> None:
        now_s, keep_s = self._clock.now_s(), self._options.keep_ended_s
        before_s = None if keep_s is None else now_s - keep_s
        forgotten = await self.stores.retention.forget(before_s, now_s - DAY_S, self._options.batch)
        await self._clock.sleep(SWEEP_S if forgotten < self._options.batch else 0.1)

    async def _take_schedules_over(self) -> None:
        await self.schedules.take_over()
        await self._clock.sleep(math.inf)  # once: a process with old definitions must not come back to them
