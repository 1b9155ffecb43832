"""The task worker: claims tasks, runs their attempts side by side, and keeps the claims of what is running."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from service_kit.contract.gather import Declarations
from service_kit.engine.arrivals import Arrival
from service_kit.runtime.attempt import Attempt
from service_kit.runtime.attempt_runner import AttemptRunner
from service_kit.runtime.clock import Clock
from service_kit.runtime.limits import Allowance
from service_kit.runtime.ports import Tasks
from service_kit.runtime.records import (
    Claim,
    ClaimedTask,
    Effect,
    FinishedTask,
    Heartbeat,
    ScheduleTask,
    TaskKey,
)
from service_kit.runtime.threads import needs_thread

logger: logging.Logger = logging.getLogger("service_kit.runtime")

Report: TypeAlias = Callable[[FinishedTask, Arrival], Awaitable[None]]
"""Tells the orchestrator what became of a task."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker claims and keeps what it works on."""

    owner: str
    lease_s: float = 30.0
    """A process that is silent for so long has died: what it had claimed is tried again elsewhere."""
    capacity: int = 1_000
    """Attempts side by side."""
    threads: int | None = None
    """Those of sync tasks among them, each in a thread of its own; None: in the threads of the event loop."""


@dataclass(slots=True)
class TaskWorker:
    """Runs attempts of tasks side by side, each under a claim that it keeps extending."""

    tasks: Tasks
    declarations: Declarations
    clock: Clock
    report: Report
    hint: Callable[[], None]
    """Called when it is worth looking for tasks again."""
    runner: AttemptRunner
    token_of: Callable[[ClaimedTask], str]
    options: WorkerOptions
    context: Callable[[], contextvars.Context]
    """Makes the context of an attempt: the host's, not that of whoever happened to be served."""
    closing: bool = False
    """Whether it begins nothing any more but what is inline."""
    _running: dict[TaskKey, tuple[Attempt, asyncio.Task[None]]] = field(
        default_factory=dict[TaskKey, "tuple[Attempt, asyncio.Task[None]]"]
    )
    _counts: Counter[str] = field(default_factory=Counter[str])
    _promised: int = 0
    """Claims that were given away and whose commits are under way."""
    _in_threads: int = 0
    """Attempts and promised claims that need a thread."""
    _allowances: dict[str, Allowance] = field(default_factory=dict[str, Allowance])
    _told: dict[tuple[TaskKey, int], Attempt] = field(default_factory=dict[tuple[TaskKey, int], Attempt])
    """Attempts that have ended, by task and claim, until the orchestrator has taken their answers."""
    _kept_s: float = 0.0
    """When claims were last looked after, and the store took it."""

    @property
    def busy(self) -> bool:
        """Whether any attempt is running."""
        return bool(self._running)

    @property
    def room(self) -> int:
        """How many more attempts may begin."""
        taken = len(self._running) + self._promised
        return 0 if self.closing else max(self.options.capacity - taken, 0)

    def claim_for(self, name: str) -> Claim | None:
        """Return the claim under which this process runs a task that it schedules; None leaves it to any worker.

        What is inline is always run here, however full or near its end the process is. Each claim is either
        accepted or given back by `withdraw`.
        """
        inline = self.declarations.tasks[name].definition.get("inline", False)
        if not (inline or self._room_for(name)) or not self._allowance(name).unlimited:
            return None
        self._promised += 1
        self._in_threads += self._needs_thread(name)
        return self._new_claim()

    def withdraw(self, effects: Sequence[Effect]) -> None:
        """Take back the claims of effects that were not committed."""
        for effect in effects:
            if isinstance(effect, ScheduleTask) and effect.claim is not None:
                self._redeem(effect.name)

    def accept_scheduled(self, task: ScheduleTask, claim: Claim) -> None:
        """Run the first attempt of a task that was claimed by the commit that scheduled it."""
        self._redeem(task.name)
        self._accept(
            ClaimedTask(task.key, task.name, task.input, task.options, task.scheduled_at_s, 1, claim)
        )

    def cancel(self, key: TaskKey) -> None:
        """Let a running attempt hear, at its next heartbeat, that nobody waits for it."""
        if key in self._running:
            self._running[key][0].cancelled = True

    async def claim_some(self) -> float | None:
        """Claim what is available and there is room for; return when to look again, None if a hint will tell."""
        if not self.room:
            return None
        looks: list[float] = []
        free, threaded = list[str](), list[str]()
        for name in self.declarations.tasks:
            allowance = self._allowance(name)
            if allowance.unlimited:
                (threaded if self._needs_thread(name) else free).append(name)
            elif allowance.room(self._counts[name]):
                looks.append(await self._claim_limited(name, allowance))
            elif (next_s := allowance.next_s()) is not None:
                looks.append(next_s)
        if threaded:
            looks.append(await self._claim(threaded, self._room_for(threaded[0])))
        if free:
            looks.append(await self._claim(free, self.room))
        return min(looks, default=None)

    async def keep_claims(self) -> None:
        """Extend the claims of what is running, and store what heartbeats have said: one write for all.

        Call it a few times in each lease, and a second after a heartbeat.
        """
        now_s, lease_s = self.clock.now_s(), self.options.lease_s
        here = [attempt for attempt, runner in self._running.values() if not runner.done()]
        kept = [
            attempt
            for attempt in (*here, *self._told.values())
            if attempt.unsaid or attempt.claim.until_s - now_s < lease_s * 2 / 3
        ]
        if kept:
            await self._keep(kept, now_s)
        self._kept_s = now_s

    async def _keep(self, kept: Sequence[Attempt], now_s: float) -> None:
        until_s = now_s + self.options.lease_s
        beats = [Heartbeat(a.task.key, a.claim, until_s, a.details) for a in kept]
        for attempt in kept:
            attempt.unsaid = False
        try:
            answers = await self.tasks.heartbeat(beats)
        except Exception:
            self._give_up([attempt for attempt in kept if attempt.claim.until_s <= self.clock.now_s()])
            raise
        for attempt, cancelled in zip(kept, answers, strict=True):
            attempt.claim = replace(attempt.claim, until_s=until_s)
            attempt.cancelled = attempt.cancelled or bool(cancelled)
        self._give_up([attempt for attempt, told in zip(kept, answers, strict=True) if told is None])

    async def close(self) -> None:
        """Cancel what is running and let its claims run out now, so that others try again."""
        running = list(self._running.values())
        for _, runner in running:
            runner.cancel()
        await asyncio.gather(*(runner for _, runner in running), return_exceptions=True)
        now_s = self.clock.now_s()
        beats = [Heartbeat(a.task.key, a.claim, now_s, a.details) for a, _ in running]
        if beats:
            await self.tasks.heartbeat(beats)
        if self.runner.threads is not None:
            self.runner.threads.close()

    async def finished(self) -> None:
        """Wait until no attempt is running."""
        while self._running:
            await asyncio.wait([runner for _, runner in self._running.values()])

    async def _claim_limited(self, name: str, allowance: Allowance) -> float:
        allowed = allowance.room(self._counts[name])
        return await self._claim([name], min(self._room_for(name), allowed or 0), allowance)

    async def _claim(self, names: Sequence[str], limit: int, allowance: Allowance | None = None) -> float:
        """Claim tasks and begin them; return when to look for more of them, infinity if a hint will tell."""
        if limit <= 0:
            return float("inf")
        now_s = self.clock.now_s()
        next_s = await self.tasks.next_available_s(names)
        if next_s is None:
            return float("inf")
        if next_s > now_s:
            return next_s
        if now_s - self._kept_s > self.options.lease_s / 2:
            # The process was away, or its clock has jumped: what seems to be left may be what runs here.
            await self.keep_claims()
            now_s = self.clock.now_s()
        for one in await self.tasks.claim(names, self._new_claim(), now_s, limit):
            self._accept(one)
            if allowance is not None:
                allowance.spend(1)
        return now_s

    def _accept(self, claimed: ClaimedTask) -> None:
        attempt = Attempt(claimed, claimed.claim, self.token_of, waits=True)
        before = self._running.get(claimed.key)
        if before is not None:
            self._give_up([before[0]])  # somebody else had it meanwhile, and has lost it, too
        work = self._run(attempt, before[1] if before is not None else None)
        runner = asyncio.create_task(work, name=claimed.name, context=self.context())
        self._running[claimed.key] = attempt, runner
        self._counts[claimed.name] += 1
        self._in_threads += self._needs_thread(claimed.name)

    async def _run(self, attempt: Attempt, before: asyncio.Task[None] | None) -> None:
        claimed = attempt.task
        try:
            if before is not None:
                await asyncio.wait([before])
            if attempt.claim.until_s <= (now_s := self.clock.now_s()):
                await self._keep([attempt], now_s)  # it was so long under way that somebody else may have it
            attempt.waits = False
            answer = None if attempt.lost else await self.runner.run(attempt)
        except Exception:
            logger.exception("task '%s' of '%s' will be claimed again", claimed.name, claimed.key.execution)
            answer = None  # the store did not take what became of it: its claim runs out, and is counted
        finally:
            attempt.over = True
            self._ended(attempt)
        if answer is None:
            self.hint()  # it may be tried again
        else:
            await self._tell(attempt, answer)

    async def _tell(self, attempt: Attempt, answer: Arrival) -> None:
        key = attempt.task.key
        self._told[key, attempt.claim.epoch] = attempt
        try:
            await self.report(FinishedTask(key, attempt.claim), answer)
        finally:
            del self._told[key, attempt.claim.epoch]

    def _ended(self, attempt: Attempt) -> None:
        key, name = attempt.task.key, attempt.task.name
        had_waiting = not self._room_for(name) or not self._allowance(name).unlimited
        self._counts[name] -= 1
        self._in_threads -= self._needs_thread(name)
        running = self._running.get(key)
        if running is not None and running[0] is attempt:
            del self._running[key]
        if had_waiting:
            self.hint()

    def _give_up(self, lost: Sequence[Attempt]) -> None:
        """Stop attempts whose claims somebody else may have."""
        for attempt in lost:
            attempt.lost = attempt.cancelled = True
            running = self._running.get(attempt.task.key)
            if running is not None and running[0] is attempt and not attempt.waits:
                running[1].cancel()

    def _redeem(self, name: str) -> None:
        self._promised -= 1
        self._in_threads -= self._needs_thread(name)

    def _room_for(self, name: str) -> int:
        """Return how many more attempts of a task may begin: a sync one waits in the store until there is a thread."""
        threads = self.runner.threads
        if threads is None or not self._needs_thread(name):
            return self.room
        return max(min(self.room, threads.most - threads.abandoned - self._in_threads), 0)

    def _needs_thread(self, name: str) -> bool:
        return self.runner.threads is not None and needs_thread(self.declarations.tasks[name])

    def _new_claim(self) -> Claim:
        return Claim(self.options.owner, self.clock.now_s() + self.options.lease_s)

    def _allowance(self, name: str) -> Allowance:
        allowance = self._allowances.get(name)
        if allowance is None:
            definition = self.declarations.tasks[name].definition
            allowance = Allowance(self.clock, definition.get("concurrency"), definition.get("rate_per_s"))
            self._allowances[name] = allowance
        return allowance
