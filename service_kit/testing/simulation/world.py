"""The world that a simulated service acts upon: it sees what really runs, and what the store really took."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

from service_kit.contract.task import current_attempt
from service_kit.engine.arrivals import ExecutionStarted, TaskRaised, TaskSucceeded, TimerFired
from service_kit.engine.calls import AttributeSet, TaskScheduled, TimerStarted
from service_kit.engine.history import HistoryEvent, TurnStarted
from service_kit.engine.wire import decode_events
from service_kit.runtime.attempt import Attempt
from service_kit.runtime.records import Claim, ScheduleTask, TaskKey, TurnCommit, changed_attributes
from service_kit.testing.simulation.loop import PROCESS, Process


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that did not hold."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


def _lists() -> defaultdict[str, list[str]]:
    return defaultdict(list)


def _lists_by_run() -> defaultdict[tuple[str, int], list[str]]:
    return defaultdict(list)


def _events_by_run() -> defaultdict[tuple[str, int], list[HistoryEvent]]:
    return defaultdict(list)


def _numbers() -> defaultdict[str, list[int]]:
    return defaultdict(list)


def _attempts() -> defaultdict[str, list[tuple[Process | None, Attempt]]]:
    return defaultdict(list)


@dataclass(slots=True)
class World:
    """Everything that one simulation has observed."""

    now_s: Callable[[], float]
    """The wall clock of the service."""
    violations: list[Violation] = field(default_factory=list[Violation])
    committed: dict[tuple[str, int], list[str]] = field(default_factory=_lists_by_run)
    """The JSON of each committed turn, by execution and run."""
    events: dict[tuple[str, int], list[HistoryEvent]] = field(default_factory=_events_by_run)
    """The same, decoded."""
    scheduled: dict[str, str] = field(default_factory=dict[str, str])
    """Names of the tasks that committed turns have scheduled, by idempotency key."""
    answered: set[str] = field(default_factory=set[str])
    """Idempotency keys of the tasks whose answers are in a history."""
    attempts: dict[str, list[int]] = field(default_factory=_numbers)
    """Numbers of the attempts that began, by idempotency key."""
    handled_events: Counter[str] = field(default_factory=Counter[str])
    acknowledged: dict[str, list[str]] = field(default_factory=_lists)
    """Starts, signals and events that the client was told are kept."""
    _running: dict[str, list[tuple[Process | None, Attempt]]] = field(default_factory=_attempts)
    _claims: dict[TaskKey, tuple[int, int]] = field(default_factory=dict[TaskKey, "tuple[int, int]"])
    """The attempt and the epoch of the last claim on each task."""
    _due_s: dict[tuple[str, int, int], float] = field(default_factory=dict["tuple[str, int, int]", float])
    """When timers are due, by execution, run and number."""
    _latest_s: float = 0.0

    def violate(self, invariant: str, what: str) -> None:
        self.violations.append(Violation(invariant, what))

    @contextmanager
    def attempt(self) -> Generator[int, None, None]:
        """Be an attempt of the current task; yield its number."""
        attempt, process = cast(Attempt, current_attempt()), PROCESS.get()
        self.begins(attempt, process)
        try:
            yield attempt.number
            self._alone(attempt.idempotency_key)
        except Exception:
            self._alone(attempt.idempotency_key)
            raise
        finally:
            self._running[attempt.idempotency_key].remove((process, attempt))

    def begins(self, attempt: Attempt, process: Process | None = None) -> None:
        """Note that an attempt begins; for whoever watches from outside, as `ends` is."""
        key = attempt.idempotency_key
        self._begins(key, attempt)
        self.attempts[key].append(attempt.number)
        self._running[key].append((process, attempt))
        self._alone(key)

    def ends(self, attempt: Attempt, process: Process | None = None) -> None:
        """Note that an attempt that was noted by `begins` is over, however it went."""
        self._alone(attempt.idempotency_key)
        self._running[attempt.idempotency_key].remove((process, attempt))

    def _begins(self, key: str, attempt: Attempt) -> None:
        if key not in self.scheduled:
            self.violate("recorded before done", f"task {key} runs, but no committed turn has scheduled it")
        if key in self.answered and attempt.claim.until_s > self.look_at_clock():
            self.violate("recorded once", f"task {key} runs again, although its answer is in the history")
        if attempt.number in self.attempts[key]:
            self.violate("attempts are counted", f"task {key} runs attempt {attempt.number} again")

    def _alone(self, key: str) -> None:
        """Check that at most one attempt of a task may believe that it has the claim."""
        now_s = self.look_at_clock()
        valid = [
            attempt.number
            for process, attempt in self._running[key]
            if not (process is not None and process.dead)
            and not attempt.lost
            and attempt.claim.until_s > now_s
        ]
        if len(valid) > 1:
            self.violate(
                "one attempt at a time", f"task {key} runs as attempts {valid}, all with valid claims"
            )

    def look_at_clock(self) -> float:
        """Return the latest time that the clock has shown: a lease that was over stays over if it jumps back."""
        self._latest_s = max(self._latest_s, self.now_s())
        return self._latest_s

    async def handled(self, what: str) -> None:
        """Note that a subscription has handled an event."""
        await asyncio.sleep(0)
        self.handled_events[what] += 1

    def took(self, point: str, args: tuple[Any, ...], result: Any) -> None:
        """Note what a store has just done."""
        if point == "executions.commit":
            self._took_turn(args[0])
        elif point == "executions.create":
            new, *rest = args
            first = rest[0] if rest else None
            if first is not None and result is None:
                self._took_turn(first)
                self._labelled(first, changed_attributes(new.attributes, first.attributes))
        elif point == "tasks.claim":
            for claimed in result:
                self._gave(claimed.key, claimed.claim, claimed.attempt)
        elif point in ("tasks.settle", "tasks.retry") and result and args[1] is not None:
            self._heeded(args[0], args[1])

    def _labelled(self, first: TurnCommit, attributes: Mapping[str, str]) -> None:
        """Note what an execution is found by that begins with a turn: a fork's is many turns in one."""
        said = said_by(decode_events(first.events))
        if attributes != said:
            self.violate(
                "found by what it says",
                f"'{first.execution}' begins as {dict(attributes)}; its history says {said}",
            )

    def _gave(self, key: TaskKey, claim: Claim, attempt: int) -> None:
        """Note a claim on a task: each is one more attempt."""
        before, _ = self._claims.get(key, (0, 0))
        if attempt != before + 1:
            self.violate("attempts are counted", f"attempt {attempt} of {key} was given after {before}")
        self._claims[key] = attempt, claim.epoch

    def _heeded(self, key: TaskKey, claim: Claim) -> None:
        """Note that what somebody said under a claim has counted."""
        _, epoch = self._claims.get(key, (0, 0))
        if claim.epoch < epoch:
            self.violate(
                "answers are fenced", f"{key} was ended under claim {claim.epoch}; {epoch} is the last"
            )

    def _took_turn(self, turn: TurnCommit) -> None:
        turns = self.committed[turn.execution, turn.run]
        if turn.turn != len(turns):
            self.violate(
                "one history",
                f"turn {turn.turn} of '{turn.execution}' was committed after {len(turns)} turns",
            )
        turns.append(turn.events)
        events = decode_events(turn.events)
        self.events[turn.execution, turn.run] += events
        for event in events:
            if isinstance(event, TaskScheduled):
                self.scheduled[f"{turn.execution}:{turn.run}:{event.seq}"] = event.name
            elif isinstance(event, TaskSucceeded | TaskRaised):
                self.answered.add(f"{turn.execution}:{turn.run}:{event.task}")
        self._timely(turn, events)
        for done in turn.finished:
            self._heeded(done.key, done.claim)
        for effect in turn.effects:
            if isinstance(effect, ScheduleTask) and effect.claim is not None:
                self._gave(effect.key, effect.claim, 1)

    def _timely(self, turn: TurnCommit, events: list[HistoryEvent]) -> None:
        """Check that neither a turn nor a timer was before its time."""
        at_s = 0.0
        for event in events:
            match event:
                case TurnStarted(at_s=at_s):
                    if at_s > self.look_at_clock():
                        self.violate("nothing is early", f"a turn of '{turn.execution}' is in the future")
                case TimerStarted(seq=seq, due_s=due_s):
                    self._due_s[turn.execution, turn.run, seq] = due_s
                case TimerFired(timer=seq):
                    if self._due_s[turn.execution, turn.run, seq] > at_s:
                        self.violate("nothing is early", f"timer {seq} of '{turn.execution}' fired early")
                case _:
                    pass

    def history(self, execution: str) -> list[HistoryEvent]:
        """Return what all runs of an execution have committed, in order."""
        runs = sorted(key for key in self.events if key[0] == execution)
        return [event for key in runs for event in self.events[key]]


def said_by(events: Iterable[HistoryEvent]) -> dict[str, str]:
    """Return the search attributes that a history leads to."""
    said: dict[str, str] = {}
    for event in events:
        if isinstance(event, ExecutionStarted):
            said = dict(event.attributes or {})
        elif isinstance(event, AttributeSet):
            said = dict(changed_attributes(said, {event.name: event.value}))
    return said


WORLD: ContextVar[World] = ContextVar("simulated_world")


def current_world() -> World:
    """Return the world of the running simulation."""
    return WORLD.get()
