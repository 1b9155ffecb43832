"""Forking: a new execution that shares the first turns of another one, and goes its own way from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from service_kit.contract.scheduler import SCHEDULER
from service_kit.engine.arrivals import ExecutionStarted, SignalReceived
from service_kit.engine.calls import (
    AttributeSet,
    CancelSent,
    ChildStarted,
    SignalSent,
    StateSet,
    TerminateSent,
)
from service_kit.engine.history import Ending, HistoryEvent, TurnStarted
from service_kit.engine.instance import replay
from service_kit.engine.machine import WorkflowCode
from service_kit.engine.payload import call_id
from service_kit.engine.turn import Turn, Waiting
from service_kit.engine.wire import decode_events, encode_events
from service_kit.errors import ExecutionExists, ExecutionNotFound, NonDeterminismError
from service_kit.runtime.clock import Clock
from service_kit.runtime.dispatcher import Dispatcher, stored
from service_kit.runtime.overdue import TaskEnds, earliest_s
from service_kit.runtime.ports import Executions
from service_kit.runtime.records import Effect, NewExecution, StoredExecution, TurnCommit


@dataclass(frozen=True, slots=True)
class Forking:
    """Makes forks. Each is one commit: it is there with all that it waits for, or not at all."""

    executions: Executions
    dispatcher: Dispatcher
    clock: Clock
    aftermath: Callable[[TurnCommit], None]
    """Told of the commit: what is now due in this process."""

    async def fork(self, id: str, turn: int, new_id: str) -> None:
        """Begin `new_id` with the first turns of the present run of `id`.

        Tasks and children that had no answer by then are begun again, for the fork; timers keep their times, and
        the execution's own timeout goes on from where it was. Raises ExecutionNotFound, ExecutionExists for the new
        id, and ValueError for a turn that there is not, or an execution that cannot be forked.
        """
        found = await self.executions.load(id)
        if found is None:
            raise ExecutionNotFound(id=id)
        if found.record.workflow == SCHEDULER:
            raise ValueError(f"'{id}' keeps a schedule, of which there is one; it cannot be forked")
        now_s = self.clock.now_s()
        events = _renamed(_first_turns(found, turn), id, new_id, now_s)
        new, commit = self._forked(found, events, now_s)
        commit = replace(commit, states={**await self._shown_before(found), **commit.states})
        try:
            await self._check_children(commit.effects)
            taken = await self.executions.create(new, commit)
        except BaseException:
            self.dispatcher.withdraw(commit.effects)
            raise
        if taken is not None:
            self.dispatcher.withdraw(commit.effects)
            raise ExecutionExists(id=new_id)
        self.aftermath(commit)

    def _forked(
        self, found: StoredExecution, events: Sequence[HistoryEvent], now_s: float
    ) -> tuple[NewExecution, TurnCommit]:
        started = next(event for event in events if isinstance(event, ExecutionStarted))
        declarations = self.dispatcher.declarations
        workflow = declarations.workflow(started.workflow)
        code = WorkflowCode(workflow.name, workflow.run, declarations.failures, workflow.line)
        try:
            instance = replay(code, events)
        except NonDeterminismError as error:
            raise ValueError(
                f"'{found.record.id}' cannot be forked here: its code does not do the same under another id. Either it "
                f"has changed, or what it does depends on its id, or on chance after it continued as new. {error}"
            ) from error
        ends = TaskEnds(declarations)
        try:
            with instance.moving() as machine:
                turn = Turn((), machine.open_calls, Waiting(None))
            ends.read(events, now_s)
            wake_at_s = earliest_s(instance.wake_at_s, ends.next_s(instance))
        finally:
            instance.discard()
        attributes = _began_with(found, started)
        new = NewExecution(started, found.record.input_digest, now_s, now_s, attributes=attributes)
        commit = TurnCommit(
            execution=started.id,
            run=0,
            turn=0,
            events=encode_events(events),
            used=_used_signals(started, events),
            finished=(),
            effects=self.dispatcher.effects(turn, started, None, now_s),
            states={event.name: event.payload for event in events if isinstance(event, StateSet)},
            wake_at_s=wake_at_s,
            at_s=now_s,
            attributes={event.name: event.value for event in events if isinstance(event, AttributeSet)},
        )
        return new, commit

    async def _shown_before(self, found: StoredExecution) -> dict[str, str]:
        """Return the states that the present run began with, as far as it has not set them since."""
        if not found.record.run:
            return {}
        events = (event for text in found.history for event in decode_events(text))
        later = {event.name for event in events if isinstance(event, StateSet)}
        names = sorted(self.dispatcher.declarations.states - later)
        values = [(name, await self.executions.state(found.record.id, name)) for name in names]
        return {name: value for name, value in values if value is not None}

    async def _check_children(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            child = getattr(effect, "new", None)
            if isinstance(child, NewExecution) and await self.executions.read(child.started.id) is not None:
                raise ValueError(
                    f"its child '{child.started.id}' was given an id of its own and cannot be begun again; "
                    "fork from a turn before it was started, or after it ended"
                )


def _first_turns(found: StoredExecution, turn: int) -> list[HistoryEvent]:
    events = [event for text in found.history for event in decode_events(text)]
    begins = [index for index, event in enumerate(events) if isinstance(event, TurnStarted)]
    ends = bool(events) and isinstance(events[-1], Ending)
    most = len(begins) - ends
    if not 1 <= turn <= most:
        has = f"turns 1 to {most} to fork from" if most else "no turn to fork from"
        more = ", and one more, which ends it" if ends else ""
        raise ValueError(f"execution '{found.record.id}' has {has}{more}; {turn} is none of them")
    return events[: begins[turn]] if turn < len(begins) else events


def _used_signals(started: ExecutionStarted, events: Sequence[HistoryEvent]) -> Sequence[str]:
    """Return the keys of signals that have arrived: sent to the fork as well, they are those that it has already."""
    arrived = (event for event in events if isinstance(event, SignalReceived))
    return list(dict.fromkeys(stored(signal).key for signal in (*started.signals, *arrived)))


def _began_with(found: StoredExecution, started: ExecutionStarted) -> Mapping[str, str]:
    """Return the search attributes that the run began with."""
    now = found.record.attributes
    if started.attributes is not None or not now:
        return started.attributes or {}
    # It began with none, or under a version that did not tell: then with what no turn of this run has set.
    events = (event for text in found.history for event in decode_events(text))
    later = {event.name for event in events if isinstance(event, AttributeSet)}
    return {name: value for name, value in now.items() if name not in later}


def _renamed(events: Sequence[HistoryEvent], id: str, new_id: str, now_s: float) -> list[HistoryEvent]:
    """Return events as they would be under another id: ids of children are derived from it."""
    started = next(event for event in events if isinstance(event, ExecutionStarted))
    children = {
        event.id: call_id(new_id, 0, event.seq)
        for event in events
        if isinstance(event, ChildStarted) and event.id == call_id(id, started.run, event.seq)
    }
    last_s = max(event.at_s for event in events if isinstance(event, TurnStarted))
    passed_s = max(now_s - last_s, 0.0)
    renamed: list[HistoryEvent] = []
    for event in events:
        match event:
            case ExecutionStarted(timeout_s=timeout_s, deadline_s=deadline_s):
                left_s = None if timeout_s is None else timeout_s + passed_s
                until_s = None if deadline_s is None else deadline_s + passed_s
                begun = replace(event, id=new_id, run=0, parent=None, timeout_s=left_s, deadline_s=until_s)
                renamed.append(begun)
            case ChildStarted():
                renamed.append(replace(event, id=children.get(event.id, event.id)))
            case CancelSent() | TerminateSent() | SignalSent():
                renamed.append(replace(event, target=children.get(event.target, event.target)))
            case _:
                renamed.append(event)
    return renamed
