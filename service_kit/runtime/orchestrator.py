"""The orchestrator: wakes an execution, takes its turn, commits it, and only then lets its effects happen."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from service_kit.contract.gather import Declarations
from service_kit.engine.arrivals import ExecutionStarted
from service_kit.engine.calls import StateSet
from service_kit.engine.history import ContinuedAsNew
from service_kit.engine.instance import Instance, replay
from service_kit.engine.machine import WorkflowCode
from service_kit.engine.turn import Turn, Waiting, take_turn
from service_kit.engine.wire import decode_events, encode_events
from service_kit.errors import HistoryUnreadable, NonDeterminismError, TurnTooLong
from service_kit.runtime.clock import Clock
from service_kit.runtime.dispatcher import Dispatcher, outcome_of, status_of
from service_kit.runtime.ports import Conflict, Executions, Tasks
from service_kit.runtime.records import (
    ExecutionRecord,
    Known,
    StoredArrival,
    StoredExecution,
    TaskKey,
    TurnCommit,
)

logger = logging.getLogger("service_kit.runtime")

RETRY_FIRST_S = 0.05
RETRY_MOST_S = 5.0


@dataclass(frozen=True, slots=True)
class Incoming:
    """An arrival that this process knows of before it has read it from the store."""

    arrival: StoredArrival
    run: int | None = None
    """The run that it answers."""
    finished: TaskKey | None = None
    """The task that it answers, if that was run here: the turn that uses it finishes the task."""


@dataclass(slots=True)
class Warm:
    """An execution in memory, as it stands after its last committed turn."""

    instance: Instance
    record: ExecutionRecord
    started: ExecutionStarted


Aftermath: TypeAlias = Callable[[TurnCommit], None]
"""Called after each commit: what is now due in this process."""


@dataclass(slots=True)
class Orchestrator:
    """Takes turns of executions, one at a time for each, many side by side.

    Any number of orchestrators may work on one store: a turn is committed by its number, so of two that take the
    same one the second discards what it did and loads again.
    """

    executions: Executions
    tasks: Tasks
    declarations: Declarations
    dispatcher: Dispatcher
    clock: Clock
    aftermath: Aftermath
    context: Callable[[], contextvars.Context]
    """Makes the context in which turns are taken."""
    warm_max: int = 1_000
    """Executions kept in memory between turns; 0 replays the whole history in every turn."""
    _warm: OrderedDict[str, Warm] = field(default_factory=OrderedDict[str, Warm])
    _waiting: dict[str, list[Incoming]] = field(default_factory=dict[str, list[Incoming]])
    _driving: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, asyncio.Task[None]])

    def wake(self, id: str, *incoming: Incoming) -> None:
        """Let an execution take turns until nothing is due for it; what arrives meanwhile joins the next one."""
        self._waiting.setdefault(id, []).extend(incoming)
        if id not in self._driving:
            name = f"execution {id}"
            self._driving[id] = asyncio.create_task(self._drive(id), name=name, context=self.context())

    @property
    def busy(self) -> bool:
        """Whether any execution is taking a turn."""
        return bool(self._driving)

    async def settled(self) -> None:
        """Wait until no execution is taking a turn."""
        while self._driving:
            await asyncio.wait(list(self._driving.values()))

    async def close(self) -> None:
        """Stop taking turns, and forget what is in memory. A turn whose commit is under way may be committed."""
        for driver in list(self._driving.values()):
            driver.cancel()
        await asyncio.gather(*self._driving.values(), return_exceptions=True)
        while self._warm:
            self._warm.popitem()[1].instance.discard()

    async def _drive(self, id: str) -> None:
        failures = 0
        try:
            while (incoming := self._waiting.pop(id, None)) is not None:
                try:
                    await self.advance(id, incoming)
                    failures = 0
                except Conflict:
                    self._waiting.setdefault(id, [])[:0] = incoming
                except Exception:
                    # The store failed: nothing is lost, for what has arrived is here or there. Try again.
                    logger.exception("execution '%s' could not take its turn; it will be tried again", id)
                    self._waiting.setdefault(id, [])[:0] = incoming
                    await self.clock.sleep(min(RETRY_FIRST_S * 2**failures, RETRY_MOST_S))
                    failures += 1
        finally:
            del self._driving[id]
            if id in self._waiting:  # woken between the last look and now, or cancelled
                self._waiting.pop(id)

    async def advance(self, id: str, incoming: Sequence[Incoming] = ()) -> bool:
        """Take one turn of an execution if one is due; return whether it was.

        Raises Conflict if somebody else has committed in between, and whatever the store raises: the caller
        still has `incoming` then, and nothing has happened.
        """
        warm = self._warm.pop(id, None)  # nobody may go on from here before the commit has succeeded
        stored: Sequence[StoredArrival] = ()
        try:
            if warm is None or not incoming:
                warm, stored = await self._load(id, warm)
                if warm is None:
                    await self._put_down(incoming)
                    return False
            arrivals = _joined(stored, incoming, warm.record.run)
            turn = take_turn(warm.instance, [a.arrival for a in arrivals], self.clock.now_s())
        except (NonDeterminismError, HistoryUnreadable, TurnTooLong, _Unknown) as error:
            await self._park(id, error)
            return False
        used = [arrival.key for arrival in arrivals]
        if not turn.events and not used:
            self._keep(warm)
            return False
        commit = self._commit_of(warm, turn, used, incoming)
        try:
            await self.executions.commit(commit)
        except BaseException:
            warm.instance.discard()
            raise
        self._go_on(warm, turn, commit)
        return True

    def forget(self, id: str) -> None:
        """Drop an execution from memory; its next turn replays it."""
        if (warm := self._warm.pop(id, None)) is not None:
            warm.instance.discard()

    async def _load(self, id: str, warm: Warm | None) -> tuple[Warm | None, Sequence[StoredArrival]]:
        """Return the execution as it stands, and what waits for it; None if it has no turn to take now."""
        known = Known(warm.record.run, warm.record.turn) if warm else None
        found = await self.executions.load(id, known)
        if found is None or not self._may_move(found.record):
            if warm is not None:
                warm.instance.discard()
            return None, ()
        if warm is not None:
            if (found.record.run, found.record.turn) == (warm.record.run, warm.record.turn):
                warm.record = found.record
                return warm, found.arrivals
            warm.instance.discard()  # somebody else has gone on; what we do not know yet is all of it
            return await self._load(id, None)
        return self._replayed(found), found.arrivals

    def _may_move(self, record: ExecutionRecord) -> bool:
        delayed = record.turn == 0 and (record.wake_at_s or 0) > self.clock.now_s()
        return record.outcome is None and record.paused is None and not delayed

    def _replayed(self, found: StoredExecution) -> Warm:
        workflow = self.declarations.workflows.get(found.record.workflow)
        if workflow is None:
            raise _Unknown(
                f"workflow '{found.record.workflow}' is not part of service '{self.declarations.service}' any more; "
                "bring it back under this name, or terminate the execution"
            )
        history = [event for turn in found.history for event in decode_events(turn)]
        started = next(
            (e for e in [*history, *(a.arrival for a in found.arrivals)] if isinstance(e, ExecutionStarted)),
            None,
        )
        if started is None:
            raise HistoryUnreadable(f"execution '{found.record.id}' was never started")
        code = WorkflowCode(workflow.name, workflow.run, self.declarations.failures, workflow.line)
        return Warm(replay(code, history) if history else Instance(code), found.record, started)

    def _commit_of(
        self, warm: Warm, turn: Turn, used: Sequence[str], incoming: Sequence[Incoming]
    ) -> TurnCommit:
        record, started, now_s = warm.record, warm.started, self.clock.now_s()
        ending = None if isinstance(turn.outcome, Waiting) else turn.outcome
        successor = None
        if isinstance(ending, ContinuedAsNew):
            successor = replace(started, input=ending.input, run=started.run + 1, signals=ending.signals)
        return TurnCommit(
            execution=record.id,
            run=record.run,
            turn=record.turn,
            events=encode_events(turn.events),
            used=used,
            finished=[i.finished for i in incoming if i.finished is not None],
            effects=self.dispatcher.effects(turn, started, record.parent, now_s),
            states={call.name: call.payload for call in turn.calls if isinstance(call, StateSet)},
            wake_at_s=turn.outcome.until_s if isinstance(turn.outcome, Waiting) else None,
            at_s=now_s,
            status="running" if ending is None else status_of(ending),
            outcome=None if ending is None else outcome_of(ending),
            successor=successor,
        )

    def _go_on(self, warm: Warm, turn: Turn, commit: TurnCommit) -> None:
        if isinstance(turn.outcome, Waiting):
            warm.record = replace(warm.record, turn=commit.turn + 1, wake_at_s=commit.wake_at_s)
            self._keep(warm)
        else:
            warm.instance.discard()
        self.aftermath(commit)

    def _keep(self, warm: Warm) -> None:
        self._warm[warm.record.id] = warm
        while len(self._warm) > self.warm_max:
            self._warm.popitem(last=False)[1].instance.discard()

    async def _put_down(self, incoming: Sequence[Incoming]) -> None:
        """Leave the answers of tasks with the store: their execution is over, or takes no turns at present."""
        for one in incoming:
            if one.finished is not None:
                await self.tasks.settle(one.finished, None, one.arrival.arrival)

    async def _park(self, id: str, error: Exception) -> None:
        """Take an execution whose code cannot go on out of the way, until somebody resumes it."""
        logger.error("execution '%s' is paused: its code cannot go on", id, exc_info=error)
        await self.executions.pause(id, f"{type(error).__name__}: {error}")


class _Unknown(Exception):
    """The service does not have this workflow."""


def _joined(stored: Sequence[StoredArrival], incoming: Sequence[Incoming], run: int) -> list[StoredArrival]:
    """Return what has reached this run, each once, its start before all else."""
    found = {arrival.key: arrival for arrival in stored}
    for one in incoming:
        if one.run in (None, run):
            found.setdefault(one.arrival.key, one.arrival)
    return sorted(found.values(), key=lambda a: not isinstance(a.arrival, ExecutionStarted))
