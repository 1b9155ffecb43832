"""The task worker: claims tasks, runs their attempts, retries, and reports what became of them."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from pydantic import ValidationError

from service_kit.contract.gather import Declarations
from service_kit.contract.task import COMPLETED_LATER, Task, begin_attempt
from service_kit.engine.arrivals import Arrival, TaskRaised, TaskSucceeded
from service_kit.engine.failure import Failure, describe_error
from service_kit.engine.retry import Retry, error_names
from service_kit.errors import TimedOut
from service_kit.runtime.attempt import Attempt
from service_kit.runtime.clock import Clock
from service_kit.runtime.limits import Allowance
from service_kit.runtime.ports import Tasks
from service_kit.runtime.records import Claim, ClaimedTask, TaskKey

logger = logging.getLogger("service_kit.runtime")

Report: TypeAlias = Callable[[ClaimedTask, Arrival], Awaitable[None]]
"""Tells the orchestrator what became of a task."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker claims and keeps what it works on."""

    owner: str
    lease_s: float = 30.0
    """A process that is silent for so long has died: what it had claimed is tried again elsewhere."""
    capacity: int = 1_000
    """Attempts side by side."""


@dataclass(slots=True)
class TaskWorker:
    """Runs attempts of tasks side by side, each under a claim that it keeps extending."""

    tasks: Tasks
    declarations: Declarations
    clock: Clock
    report: Report
    token_of: Callable[[ClaimedTask], str]
    random: Callable[[], float]
    options: WorkerOptions
    context: Callable[[], contextvars.Context]
    """Makes the context of an attempt: the host's, not that of whoever happened to be served."""
    _running: dict[TaskKey, tuple[Attempt, asyncio.Task[None]]] = field(
        default_factory=dict[TaskKey, "tuple[Attempt, asyncio.Task[None]]"]
    )
    _allowances: dict[str, Allowance] = field(default_factory=dict[str, Allowance])

    @property
    def busy(self) -> bool:
        """Whether any attempt is running."""
        return bool(self._running)

    @property
    def room(self) -> int:
        """How many more attempts may begin."""
        return max(self.options.capacity - len(self._running), 0)

    def claim_for(self, name: str) -> Claim | None:
        """Return the claim under which this process runs a task that it schedules; None if it has no room."""
        return self._new_claim() if self.room and self._allowance(name).unlimited else None

    def is_limited(self, name: str) -> bool:
        """Whether attempts of this task wait for each other."""
        return not self._allowance(name).unlimited

    def accept(self, claimed: ClaimedTask) -> None:
        """Run an attempt that is claimed for this worker."""
        if claimed.key in self._running:
            return  # the claim of this very attempt was told twice
        attempt = Attempt(claimed, claimed.claim, self.token_of, asyncio.get_running_loop())
        name = f"task {claimed.name}"
        runner = asyncio.create_task(self._run(attempt), name=name, context=self.context())
        self._running[claimed.key] = attempt, runner
        runner.add_done_callback(lambda _: self._running.pop(claimed.key, None))

    def cancel(self, key: TaskKey) -> None:
        """Let a running attempt hear, at its next heartbeat, that nobody waits for it."""
        if key in self._running:
            self._running[key][0].cancelled = True

    async def claim_some(self) -> int:
        """Claim what is available and there is room for; return how many."""
        free = [name for name in self.declarations.tasks if self._allowance(name).unlimited]
        begun = await self._claim(free, self.room)
        for name in self.declarations.tasks.keys() - set(free):
            allowance = self._allowance(name)
            allowed = allowance.room(sum(a.task.name == name for a, _ in self._running.values()))
            limited = await self._claim([name], min(self.room, allowed or 0))
            allowance.spend(limited)
            begun += limited
        return begun

    async def _claim(self, names: Sequence[str], limit: int) -> int:
        if not names or limit <= 0:
            return 0
        claimed = await self.tasks.claim(names, self._new_claim(), self.clock.now_s(), limit)
        for one in claimed:
            self.accept(one)
        return len(claimed)

    async def keep_claims(self) -> None:
        """Extend the claims of what is running, and store heartbeats; call it a few times in each lease."""
        for attempt, runner in list(self._running.values()):
            if runner.done():
                continue
            claim = replace(attempt.claim, until_s=self.clock.now_s() + self.options.lease_s)
            cancelled = await self.tasks.heartbeat(attempt.task.key, claim, attempt.details)
            if cancelled is None:
                attempt.lost = attempt.cancelled = True
                runner.cancel()
            else:
                attempt.claim = claim
                attempt.cancelled = attempt.cancelled or cancelled

    async def close(self) -> None:
        """Cancel what is running; its claims run out, and others try again."""
        runners = [runner for _, runner in self._running.values()]
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)

    async def finished(self) -> None:
        """Wait until no attempt is running."""
        while self._running:
            await asyncio.wait([runner for _, runner in self._running.values()])

    def _new_claim(self) -> Claim:
        return Claim(self.options.owner, self.clock.now_s() + self.options.lease_s)

    def _allowance(self, name: str) -> Allowance:
        allowance = self._allowances.get(name)
        if allowance is None:
            definition = self.declarations.tasks[name].definition
            allowance = Allowance(self.clock, definition.get("concurrency"), definition.get("rate_per_s"))
            self._allowances[name] = allowance
        return allowance

    async def _run(self, attempt: Attempt) -> None:
        claimed = attempt.task
        declared = self.declarations.task(claimed.name)
        try:
            if claimed.lost:
                await self._after_loss(attempt, declared)
                return
            value = await self._attempt(attempt, declared)
        except _Unreadable as error:
            # The same input will not fit the next time either.
            failure = describe_error(error.reason, self.declarations.failures)
            await self.report(claimed, TaskRaised(claimed.key.seq, failure))
            return
        except asyncio.CancelledError:
            if attempt.lost:
                return  # another one runs it
            if attempt.cancelled:
                await self.report(claimed, TaskRaised(claimed.key.seq, Failure("", "cancelled", "cancelled")))
                return
            raise
        except Exception as error:  # noqa: BLE001 - whatever a task raises is an answer, or a reason to try again
            await self._failed(attempt, declared, error)
            return
        if value is COMPLETED_LATER:
            until_s = self._deadline_s(declared, claimed)
            await self.tasks.detach(claimed.key, attempt.claim, until_s)
            return
        await self.report(claimed, TaskSucceeded(claimed.key.seq, value))

    async def _attempt(self, attempt: Attempt, declared: Task[..., Any]) -> Any:
        """Run the function once; return its encoded result."""
        claimed = attempt.task
        overrides = claimed.options
        timeout_s = (overrides and overrides.timeout_s) or declared.definition.get("timeout_s")
        silence_s = (overrides and overrides.heartbeat_timeout_s) or declared.definition.get(
            "heartbeat_timeout_s"
        )
        deadline_s = self._deadline_s(declared, claimed)
        if deadline_s is not None:
            left_s = deadline_s - self.clock.now_s()
            timeout_s = left_s if timeout_s is None else min(timeout_s, left_s)
        try:
            arguments = declared.calls.decode_arguments(claimed.input)
        except ValidationError as error:
            raise _Unreadable(error) from error
        begin_attempt(attempt)
        scope = asyncio.timeout(timeout_s)
        attempt.beaten_at_s = attempt.loop.time()
        try:
            async with scope, _watched(attempt, silence_s) as watch:
                result = await declared.invoke(**arguments)
        except TimeoutError as error:
            if scope.expired():
                raise TimedOut(f"task '{declared.name}' did not end within {timeout_s:g} s") from error
            raise
        except asyncio.CancelledError as error:
            if watch.silent:
                raise TimedOut(f"task '{declared.name}' sent no heartbeat for {silence_s:g} s") from error
            raise
        return COMPLETED_LATER if result is COMPLETED_LATER else declared.calls.result.encode(result)

    async def _failed(self, attempt: Attempt, declared: Task[..., Any], error: Exception) -> None:
        """Try again as the retry policy says, or report the failure."""
        claimed = attempt.task
        retry = (claimed.options and claimed.options.retry) or declared.retry
        names = () if isinstance(error, TimedOut) else error_names(error)
        delay_s = retry.next_delay_s(claimed.attempt, names, self.random())
        failure = describe_error(error, self.declarations.failures)
        await self._again_or_settle(attempt, declared, delay_s, failure)

    async def _after_loss(self, attempt: Attempt, declared: Task[..., Any]) -> None:
        """Count an attempt whose process died as a failed one; the next begins at once if the policy has one left."""
        claimed = attempt.task
        retry: Retry = (claimed.options and claimed.options.retry) or declared.retry
        failure = Failure(
            "service_kit.errors:TimedOut", f"an attempt of task '{declared.name}' was lost", "timeout"
        )
        delay_s = retry.next_delay_s(claimed.attempt - 1, (), self.random())
        if delay_s is None:
            await self.report(claimed, TaskRaised(claimed.key.seq, failure))
            return
        attempt.task = replace(claimed, lost=False)
        await self._run(attempt)

    async def _again_or_settle(
        self, attempt: Attempt, declared: Task[..., Any], delay_s: float | None, failure: Failure
    ) -> None:
        claimed, now_s = attempt.task, self.clock.now_s()
        deadline_s = self._deadline_s(declared, claimed)
        if delay_s is None or (deadline_s is not None and now_s + delay_s >= deadline_s):
            await self.report(claimed, TaskRaised(claimed.key.seq, failure))
        elif not await self.tasks.retry(claimed.key, attempt.claim, now_s + delay_s):
            logger.warning("task '%s' of '%s' lost its claim", claimed.name, claimed.key.execution)

    def _deadline_s(self, declared: Task[..., Any], claimed: ClaimedTask) -> float | None:
        overrides = claimed.options
        whole_s = (overrides and overrides.schedule_to_close_s) or declared.definition.get(
            "schedule_to_close_s"
        )
        return None if whole_s is None else claimed.scheduled_at_s + whole_s


class _Unreadable(Exception):
    """The input of a task does not fit its parameters."""

    def __init__(self, reason: ValidationError) -> None:
        super().__init__(str(reason))
        self.reason = reason


class _Watch:
    """Cancels an attempt that sends no heartbeat for too long."""

    silent = False


@contextlib.asynccontextmanager
async def _watched(attempt: Attempt, silence_s: float | None) -> AsyncIterator[_Watch]:
    watch, watched = _Watch(), asyncio.current_task()
    assert watched is not None, "attempts run in tasks"
    if silence_s is None:
        yield watch
        return

    async def look() -> None:
        while (left_s := attempt.beaten_at_s + silence_s - attempt.loop.time()) > 0:  # noqa: ASYNC110 - beats may come from threads
            await asyncio.sleep(left_s)
        watch.silent = True
        watched.cancel()

    looking = asyncio.create_task(look())
    try:
        yield watch
    finally:
        looking.cancel()
