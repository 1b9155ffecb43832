"""The orchestrator: wakes an execution, takes its turn, commits it, and only then lets its effects happen."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from service_kit.engine.arrivals import Arrival
from service_kit.engine.turn import Turn, Waiting, take_turn
from service_kit.runtime.clock import Clock
from service_kit.runtime.commits import Answered, Poisoned, commit_of
from service_kit.runtime.dispatcher import Dispatcher
from service_kit.runtime.incoming import Incoming, asks_the_store, joined, of_run
from service_kit.runtime.ports import ClaimLost, Conflict, Executions, Tasks, Unstorable
from service_kit.runtime.records import (
    ExecutionRecord,
    Known,
    NewExecution,
    StoredArrival,
    StoredExecution,
    TurnCommit,
)
from service_kit.runtime.telling import tell_ending, tell_pause
from service_kit.runtime.termination import end_before_begin, termination_of
from service_kit.runtime.warm import Warm, WarmExecutions

logger: logging.Logger = logging.getLogger("service_kit.runtime")

RETRY_FIRST_S = 0.05
RETRY_MOST_S = 5.0
CONFLICTS_AT_ONCE = 3


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
    warm: WarmExecutions
    dispatcher: Dispatcher
    clock: Clock
    aftermath: Aftermath
    ended: Callable[[str, str], None]
    """Told of an execution whose end was found in the store, and its outcome."""
    context: Callable[[], contextvars.Context]
    """Makes the context in which turns are taken."""
    _waiting: dict[str, list[Incoming]] = field(default_factory=dict[str, list[Incoming]])
    _driving: dict[str, asyncio.Task[Any]] = field(default_factory=dict[str, "asyncio.Task[Any]"])

    async def begin(self, new: NewExecution) -> ExecutionRecord | None:
        """Store an execution together with its first turn, if that is due; return who has its id already."""
        place = new.started.id
        delayed = new.begin_at_s > self.clock.now_s()
        if delayed or place in self._driving:
            taken = await self.executions.create(new)
            if taken is None and not delayed:
                self.wake(place)
            return taken
        # Not the caller's: he may be cancelled, and what is committed then has to happen nevertheless.
        beginning = asyncio.create_task(self._begin(new), name=f"execution {place}", context=self.context())
        self._driving[place] = beginning
        return await asyncio.shield(beginning)

    def wake(self, id: str, *incoming: Incoming) -> None:
        """Let an execution take turns until nothing is due for it; what arrives meanwhile joins the next one."""
        self._waiting.setdefault(id, []).extend(incoming)
        if id not in self._driving:
            name = f"execution {id}"
            self._driving[id] = asyncio.create_task(self._drive(id), name=name, context=self.context())

    async def move(self, id: str, incoming: Incoming) -> None:
        """Do as `wake` does, in the caller's own task: starting another one would be a good part of a turn's cost."""
        self._waiting.setdefault(id, []).append(incoming)
        if id not in self._driving:
            driver = asyncio.current_task()
            assert driver is not None, "coroutines of asyncio run in tasks"
            self._driving[id] = driver
            await self._drive(id)

    @property
    def busy(self) -> bool:
        """Whether any execution is taking a turn."""
        return bool(self._driving)

    def has(self, id: str) -> bool:
        """Whether an execution is in memory or on its way there: its end is told here, if no other process is first."""
        return id in self._driving or id in self.warm

    async def settled(self) -> None:
        """Wait until no execution is taking a turn."""
        while self._driving:
            await asyncio.wait(list(self._driving.values()))

    async def close(self) -> None:
        """Stop taking turns, and forget what is in memory. A turn whose commit is under way may be committed."""
        for driver in list(self._driving.values()):
            driver.cancel()
        await asyncio.gather(*self._driving.values(), return_exceptions=True)
        self.warm.clear()

    def forget(self, id: str) -> None:
        """Drop an execution from memory; its next turn replays it."""
        self.warm.forget(id)

    async def _begin(self, new: NewExecution) -> ExecutionRecord | None:
        place = new.started.id
        warm: Warm | None = None
        turn: Turn | None = None
        commit: TurnCommit | None = None
        try:
            try:
                warm = self.warm.fresh(new)
                turn = self._turn(warm, [new.started])
                commit = self._commit_of(warm, turn, Answered())
            except Poisoned:
                self._waiting.setdefault(place, [])  # it is stored nevertheless, and parked when it is woken
            try:
                taken = await self.executions.create(new, commit)
            except BaseException:
                self._undo(warm, commit)
                raise
            if taken is not None or commit is None:
                self._undo(warm, commit)
            else:
                assert warm is not None, "there is a commit"
                assert turn is not None, "there is a commit"
                self._go_on(warm, turn, commit)
        finally:
            del self._driving[place]
            if (incoming := self._waiting.pop(place, None)) is not None:
                self.wake(place, *incoming)
        return taken

    async def _drive(self, id: str) -> None:
        failures = conflicts = 0
        try:
            while (incoming := self._waiting.pop(id, None)) is not None:
                try:
                    await self.advance(id, incoming)
                    failures = conflicts = 0
                    continue
                except ClaimLost as lost:
                    valid = [i for i in incoming if i.finished is None or i.finished.key not in lost.keys]
                except Conflict:
                    # What the store has is found there again, if it is still of use.
                    valid, conflicts = [i for i in incoming if i.finished is not None], conflicts + 1
                except Exception:
                    # The store failed: nothing is lost, for what has arrived is here or there. Try again.
                    logger.exception("execution '%s' could not take its turn; it will be tried again", id)
                    valid, failures = list(incoming), failures + 1
                self._waiting.setdefault(id, [])[:0] = valid
                if failures or conflicts > CONFLICTS_AT_ONCE:
                    tries = min(failures + conflicts, 10)
                    await self.clock.sleep(min(RETRY_FIRST_S * 2**tries, RETRY_MOST_S))
        finally:
            del self._driving[id]
            self._waiting.pop(id, None)  # what is left when this is cancelled

    async def advance(self, id: str, incoming: Sequence[Incoming] = ()) -> bool:
        """Take one turn of an execution if one is due; return whether it was.

        Raises Conflict if somebody else has committed in between, and whatever the store raises: the caller
        still has `incoming` then, and nothing has happened.
        """
        warm = self.warm.take(id)
        try:
            if warm is not None and not (asks_the_store(incoming) or self._has_overdue(warm)):
                return await self._take(warm, of_run(incoming, warm.run), incoming)
            warm, found = await self._load(id, warm)
            if warm is None or found is None:
                await self._put_down(incoming)
                return False
            arrivals = joined(found.arrivals, incoming, warm.run)
            return await self._take(warm, arrivals, incoming, found)
        except (Poisoned, Unstorable) as error:
            if not await self._terminated(id):
                cause = error.__cause__ or error
                tell_pause(id, cause)
                await self.executions.pause(id, f"{type(cause).__name__}: {cause}")
            await self._put_down(incoming)
            return False

    async def _terminated(self, id: str) -> bool:
        """End an execution that cannot go on, if somebody has asked for its end; return whether it has ended."""
        found = await self.executions.load(id)
        return found is not None and await self._end(termination_of(found, self.clock.now_s()))

    async def _end(self, commit: TurnCommit | None) -> bool:
        if commit is not None:
            await self.executions.commit(commit)
            self.aftermath(commit)
        return commit is not None

    async def _take(
        self,
        warm: Warm,
        arrivals: Sequence[StoredArrival],
        incoming: Sequence[Incoming],
        found: StoredExecution | None = None,
    ) -> bool:
        overdue = warm.ends.take_due(warm.instance, self.clock.now_s()) if found is not None else []
        turn = self._turn(warm, [*(a.arrival for a in arrivals), *overdue])
        finished = [i.finished for i in incoming if i.finished is not None]
        # Woken for nothing, because a task may take longer now than it might then: the commit says when to wake it.
        woken_at_s = found.record.wake_at_s if found is not None else None
        in_vain = woken_at_s is not None and woken_at_s <= self.clock.now_s()
        if not (turn.events or arrivals or finished or in_vain):
            self.warm.put(warm)
            return False
        # What is not stored yet has no place there to be cleared.
        beside = {id(arrival) for arrival in turn.left}
        beside.update(id(i.arrival.arrival) for i in incoming if i.finished is not None)
        used = [a.key for a in arrivals if id(a.arrival) not in beside]
        commit = self._commit_of(warm, turn, Answered(used, finished, overdue))
        try:
            await self.executions.commit(commit)
        except BaseException:
            self._undo(warm, commit)
            raise
        self._go_on(warm, turn, commit)
        return True

    def _has_overdue(self, warm: Warm) -> bool:
        """Tell whether a task is overdue, whose answer the store may have."""
        return bool(warm.ends) and warm.ends.are_due(warm.instance, self.clock.now_s())

    def _turn(self, warm: Warm, arrivals: Sequence[Arrival]) -> Turn:
        try:
            return take_turn(warm.instance, arrivals, self.clock.now_s())
        except Exception as error:
            warm.instance.discard()
            raise Poisoned from error

    def _undo(self, warm: Warm | None, commit: TurnCommit | None) -> None:
        if warm is not None:
            warm.instance.discard()
        if commit is not None:
            self.dispatcher.withdraw(commit.effects)

    async def _load(self, id: str, warm: Warm | None) -> tuple[Warm | None, StoredExecution | None]:
        """Return the execution as it stands, and what waits for it; None if it has no turn to take now."""
        found = await self.executions.load(id, Known(warm.run, warm.turn) if warm else None)
        if found is None or not self._may_move(found.record):
            if warm is not None:
                warm.instance.discard()
            if found is not None and found.record.outcome is not None:
                self.ended(id, found.record.outcome)
            elif found is not None:
                await self._end(end_before_begin(found, self.clock.now_s()))
            return None, None
        if warm is not None:
            if (found.record.run, found.record.turn) == (warm.run, warm.turn):
                return warm, found
            warm.instance.discard()  # somebody else has gone on; what we do not know yet is all of it
            return await self._load(id, None)
        return self._replayed(found), found

    def _may_move(self, record: ExecutionRecord) -> bool:
        delayed = record.turn == 0 and (record.wake_at_s or 0) > self.clock.now_s()
        return record.outcome is None and record.paused is None and not delayed

    def _replayed(self, found: StoredExecution) -> Warm:
        try:
            return self.warm.replayed(found)
        except Exception as error:
            raise Poisoned from error

    def _commit_of(self, warm: Warm, turn: Turn, answered: Answered) -> TurnCommit:
        return commit_of(warm, turn, answered, self.dispatcher, self.clock.now_s())

    def _go_on(self, warm: Warm, turn: Turn, commit: TurnCommit) -> None:
        if isinstance(turn.outcome, Waiting):
            warm.turn += 1
            self.warm.put(warm)
        else:
            warm.instance.discard()
            tell_ending(warm.id, warm.started.workflow, turn.outcome)
        self.aftermath(commit)

    async def _put_down(self, incoming: Sequence[Incoming]) -> None:
        """Leave the answers of tasks with the store: their execution is over, or takes no turns at present."""
        for one in incoming:
            if one.finished is not None:
                await self.tasks.settle(one.finished.key, one.finished.claim, one.arrival.arrival)
