"""What happens in one attempt of a task: its limits in time, and what its end means."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from service_kit.contract.gather import Declarations
from service_kit.contract.task import COMPLETED_LATER, Task, begin_attempt
from service_kit.engine.arrivals import Arrival, TaskRaised, TaskSucceeded
from service_kit.engine.failure import Failure, describe_error
from service_kit.engine.retry import error_names
from service_kit.errors import TimedOut
from service_kit.runtime.attempt import Attempt
from service_kit.runtime.clock import Alarm, Clock, Deadline
from service_kit.runtime.closing import is_closing
from service_kit.runtime.overdue import late, schedule_to_close_s
from service_kit.runtime.ports import Tasks
from service_kit.runtime.records import ClaimedTask
from service_kit.runtime.telling import tell_attempt
from service_kit.runtime.threads import Threads, needs_thread

logger: logging.Logger = logging.getLogger("service_kit.runtime")

LOOKS = 4
"""How often the silence of an attempt is looked at within its heartbeat timeout."""


@dataclass(frozen=True, slots=True)
class AttemptRunner:
    """Runs attempts, and decides whether another one follows."""

    tasks: Tasks
    declarations: Declarations
    clock: Clock
    random: Callable[[], float]
    threads: Threads | None = None
    """Where sync tasks run; None: in the threads of the event loop."""
    _defined: dict[str, _Limits] = field(default_factory=dict[str, "_Limits"])
    """Of tasks whose calls may leave them as they are."""

    async def run(self, attempt: Attempt) -> Arrival | None:
        """Run an attempt; return the task's answer, or None if it has none now, or nobody waits for it.

        Raises CancelledError if the worker itself is being stopped.
        """
        claimed = attempt.task
        declared = self.declarations.task(claimed.name)
        if claimed.lost and (answer := self._after_loss(claimed, declared)) is not None:
            return answer
        limits = self._limits(claimed, declared)
        if limits.are_over(self.clock.now_s()):
            return _raised(claimed, _late(declared, limits))
        try:
            arguments = declared.calls.decode_arguments(claimed.input)
        except ValidationError as error:
            # The same input will not fit the next time either.
            return TaskRaised(claimed.key.seq, describe_error(error, self.declarations.failures))
        except BaseException as error:  # noqa: BLE001 - a validator may raise whatever it likes
            return await self._failed(attempt, declared, limits, error)
        try:
            value = await self._limited(attempt, declared, arguments, limits)
        except asyncio.CancelledError:
            return await self._cancelled(attempt, declared, limits)
        except BaseException as error:  # whatever a task raises is an answer, or a reason to try again
            if is_closing(error):
                raise
            return await self._failed(attempt, declared, limits, error)
        if attempt.lost:
            return None
        if attempt.cancelled:
            await self._drop(attempt)
            return None
        if value is COMPLETED_LATER:
            until_s = limits.outside_until_s(self.clock.now_s())
            await self.tasks.detach(claimed.key, attempt.claim, until_s, attempt.details)
            return None
        return TaskSucceeded(claimed.key.seq, value)

    async def _limited(
        self, attempt: Attempt, declared: Task[..., Any], arguments: dict[str, Any], limits: _Limits
    ) -> Any:
        """Run the function within its limits; return its encoded result."""
        if self.threads is None or not needs_thread(declared):
            return await self._begun(attempt, declared, arguments, limits)
        async with self.threads.one():
            if limits.are_over(self.clock.now_s()):
                raise _late(declared, limits)
            return await self._begun(attempt, declared, arguments, limits)

    async def _begun(
        self, attempt: Attempt, declared: Task[..., Any], arguments: dict[str, Any], limits: _Limits
    ) -> Any:
        begin_attempt(attempt)
        seconds = limits.attempt_s(self.clock.now_s())
        if seconds is None and limits.silence_s is None:
            result = await declared.invoke(**arguments)
        else:
            result = await self._timed(attempt, declared, arguments, seconds, limits.silence_s)
        return COMPLETED_LATER if result is COMPLETED_LATER else declared.calls.result.encode(result)

    async def _timed(
        self,
        attempt: Attempt,
        declared: Task[..., Any],
        arguments: dict[str, Any],
        seconds: float | None,
        silence_s: float | None,
    ) -> Any:
        deadline, silence = Deadline(self.clock, seconds), Deadline(self.clock, None)
        watch = _Watch(self.clock, attempt, silence_s, silence) if silence_s is not None else None
        try:
            async with deadline, silence:
                return await declared.invoke(**arguments)
        except TimeoutError as error:
            if silence.expired:
                raise TimedOut(f"task '{declared.name}' sent no heartbeat for {silence_s:g} s") from error
            if deadline.expired:
                raise TimedOut(f"task '{declared.name}' did not end within {seconds:g} s") from error
            raise
        finally:
            attempt.over = True
            if watch is not None:
                watch.stop()

    async def _cancelled(self, attempt: Attempt, declared: Task[..., Any], limits: _Limits) -> Arrival | None:
        if attempt.lost:
            return None  # another one runs it
        if attempt.cancelled:
            await self._drop(attempt)
            return None
        own = asyncio.current_task()
        if own is not None and own.cancelling():
            raise asyncio.CancelledError
        error = RuntimeError(f"task '{declared.name}' raised CancelledError, although nobody cancelled it")
        return await self._failed(attempt, declared, limits, error)

    async def _failed(
        self, attempt: Attempt, declared: Task[..., Any], limits: _Limits, error: BaseException
    ) -> Arrival | None:
        """Try again as the retry policy says, or return the failure."""
        claimed, now_s = attempt.task, self.clock.now_s()
        if attempt.lost:
            return None
        if attempt.cancelled:
            await self._drop(attempt)
            return None
        retry = (claimed.options and claimed.options.retry) or declared.retry
        delay_s = retry.next_delay_s(claimed.attempt, error_names(error), self.random())
        if delay_s is None or (limits.deadline_s is not None and now_s + delay_s >= limits.deadline_s):
            tell_attempt(claimed, error, None)
            return TaskRaised(claimed.key.seq, describe_error(error, self.declarations.failures))
        tell_attempt(claimed, error, delay_s)
        if not await self.tasks.retry(claimed.key, attempt.claim, now_s + delay_s, attempt.details):
            logger.warning("task '%s' of '%s' lost its claim", claimed.name, claimed.key.execution)
        return None

    def _limits(self, claimed: ClaimedTask, declared: Task[..., Any]) -> _Limits:
        if claimed.options is not None:
            return _Limits.of(claimed, declared)
        limits = self._defined.get(claimed.name)
        if limits is None:
            limits = _Limits.of(claimed, declared)
            if limits.whole_s is None:
                self._defined[claimed.name] = limits
        return limits

    def _after_loss(self, claimed: ClaimedTask, declared: Task[..., Any]) -> Arrival | None:
        """Count an attempt whose process died as a failed one; None: the policy has another one, which begins now."""
        retry = (claimed.options and claimed.options.retry) or declared.retry
        lost = TimedOut(
            f"an attempt of task '{declared.name}' was lost: its process died or hung, or nobody completed it in time"
        )
        if retry.next_delay_s(claimed.attempt - 1, error_names(lost), self.random()) is None:
            return _raised(claimed, lost)
        return None

    async def _drop(self, attempt: Attempt) -> None:
        """Finish a task whose answer nobody waits for."""
        await self.tasks.settle(attempt.task.key, attempt.claim, None)


@dataclass(frozen=True, slots=True)
class _Limits:
    """How long an attempt may take: what the call says, or else the definition."""

    timeout_s: float | None
    silence_s: float | None
    whole_s: float | None
    deadline_s: float | None
    """When the whole task is over, in seconds since the epoch."""

    @classmethod
    def of(cls, claimed: ClaimedTask, declared: Task[..., Any]) -> _Limits:
        chosen, defined = claimed.options, declared.definition
        timeout_s = chosen.timeout_s if chosen else None
        silence_s = chosen.heartbeat_timeout_s if chosen else None
        whole_s = schedule_to_close_s(chosen, declared)
        return cls(
            defined.get("timeout_s") if timeout_s is None else timeout_s,
            defined.get("heartbeat_timeout_s") if silence_s is None else silence_s,
            whole_s,
            None if whole_s is None else claimed.scheduled_at_s + whole_s,
        )

    def are_over(self, now_s: float) -> bool:
        """Tell whether the whole task is over."""
        return self.deadline_s is not None and now_s >= self.deadline_s

    def attempt_s(self, now_s: float) -> float | None:
        """Return how long an attempt that begins now may take."""
        left_s = None if self.deadline_s is None else self.deadline_s - now_s
        return min((s for s in (self.timeout_s, left_s) if s is not None), default=None)

    def outside_until_s(self, now_s: float) -> float | None:
        """Return until when somebody outside has to complete the task, or give a heartbeat."""
        waits = [s for s in (self.attempt_s(now_s), self.silence_s) if s is not None]
        return now_s + min(waits) if waits else None


class _Watch:
    """Ends an attempt that sends no heartbeat for too long; heartbeats may come from any thread."""

    def __init__(self, clock: Clock, attempt: Attempt, silence_s: float, end: Deadline) -> None:
        self._clock, self._attempt, self._end = clock, attempt, end
        self._step_s = silence_s / LOOKS
        self._silent = self._heard = 0
        self._alarm: Alarm = clock.call_later(self._step_s, self._look)

    def stop(self) -> None:
        self._alarm.cancel()

    def _look(self) -> None:
        beats = self._attempt.beats
        self._silent = 0 if beats != self._heard else self._silent + 1
        self._heard = beats
        if self._silent >= LOOKS:
            self._end.expire()
        else:
            self._alarm = self._clock.call_later(self._step_s, self._look)


def _late(declared: Task[..., Any], limits: _Limits) -> TimedOut:
    return TimedOut(late(declared.name, limits.whole_s or 0.0))


def _raised(claimed: ClaimedTask, error: Exception) -> TaskRaised:
    return TaskRaised(
        claimed.key.seq, Failure(f"service_kit.errors:{type(error).__name__}", str(error), "timeout")
    )
