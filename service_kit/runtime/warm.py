"""Executions in memory: their running code, brought there by replay, and dropped when there are too many."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from service_kit.contract.gather import Declarations
from service_kit.engine.arrivals import ExecutionStarted
from service_kit.engine.history import HistoryEvent
from service_kit.engine.instance import Instance, replay
from service_kit.engine.machine import WorkflowCode
from service_kit.engine.wire import decode_events
from service_kit.errors import HistoryUnreadable
from service_kit.runtime.overdue import TaskEnds
from service_kit.runtime.records import NewExecution, ParentLink, StoredExecution


@dataclass(slots=True)
class Warm:
    """An execution in memory, as it stands after its last committed turn."""

    id: str
    instance: Instance
    started: ExecutionStarted
    parent: ParentLink | None
    run: int
    turn: int
    ends: TaskEnds


@dataclass(slots=True)
class WarmExecutions:
    """The executions that were used last, at most `most`; the others are replayed when they are needed."""

    declarations: Declarations
    most: int
    _warm: OrderedDict[str, Warm] = field(default_factory=OrderedDict[str, Warm])

    def __contains__(self, id: str) -> bool:
        return id in self._warm

    def take(self, id: str) -> Warm | None:
        """Take an execution out: nobody else may go on from here before it is put back."""
        return self._warm.pop(id, None)

    def put(self, warm: Warm) -> None:
        self._warm[warm.id] = warm
        while len(self._warm) > self.most:
            self._warm.popitem(last=False)[1].instance.discard()

    def forget(self, id: str) -> None:
        if (warm := self._warm.pop(id, None)) is not None:
            warm.instance.discard()

    def clear(self) -> None:
        while self._warm:
            self._warm.popitem()[1].instance.discard()

    def fresh(self, new: NewExecution) -> Warm:
        """Return an execution that has not begun."""
        instance, ends = Instance(self._code(new.started.workflow)), TaskEnds(self.declarations)
        return Warm(new.started.id, instance, new.started, new.parent, 0, 0, ends)

    def replayed(self, found: StoredExecution) -> Warm:
        """Return an execution as its history says that it stands.

        Raises LookupError if the service does not have its workflow, and what `replay` raises.
        """
        record = found.record
        code = self._code(record.workflow)
        history = [event for turn in found.history for event in decode_events(turn)]
        started = _start_of(record.id, [*history, *(a.arrival for a in found.arrivals)])
        instance = replay(code, history) if history else Instance(code)
        ends = TaskEnds(self.declarations)
        ends.read(history, record.created_at_s)
        return Warm(record.id, instance, started, record.parent, record.run, record.turn, ends)

    def _code(self, name: str) -> WorkflowCode:
        workflow = self.declarations.workflow(name)
        return WorkflowCode(workflow.name, workflow.run, self.declarations.failures, workflow.line)


def _start_of(id: str, events: Sequence[HistoryEvent]) -> ExecutionStarted:
    for event in events:
        if isinstance(event, ExecutionStarted):
            return event
    raise HistoryUnreadable(f"execution '{id}' was never started")
