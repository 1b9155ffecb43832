"""Tasks whose time is over: their workflow is told, whether or not anybody has come to run them.

A worker ends its attempts in time, and begins none that is late. But a task may wait for a worker that has room,
longer than its `schedule_to_close_s`, or for one that is there at all. So the execution is woken at that time, too,
and the orchestrator answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any

from service_kit.contract.gather import Declarations
from service_kit.contract.task import Task
from service_kit.engine.arrivals import ExecutionStarted, TaskRaised
from service_kit.engine.calls import TaskScheduled
from service_kit.engine.failure import Failure
from service_kit.engine.history import HistoryEvent, TurnStarted
from service_kit.engine.instance import Instance
from service_kit.engine.options import TaskOptions
from service_kit.engine.turn import Turn
from service_kit.runtime.records import CancelTask, Effect, TaskKey

GRACE_S = 2.0
"""How much later than a worker: that one knows more of why the task is late, and its answer may be on its way."""
SPARE = 64
"""How many that were answered are kept without looking."""


def schedule_to_close_s(options: TaskOptions | None, declared: Task[..., Any] | None) -> float | None:
    """Return how long all attempts of a task may take together: what its call says, or else the definition, if any."""
    chosen = options.schedule_to_close_s if options else None
    if chosen is not None or declared is None:
        return chosen
    return declared.definition.get("schedule_to_close_s")


def late(name: str, whole_s: float) -> str:
    return f"task '{name}' did not end within {whole_s:g} s of its call"


@dataclass(slots=True)
class TaskEnds:
    """When the tasks of a run are over; what was answered is dropped as it comes up, or when it is much."""

    declarations: Declarations
    _ends: list[tuple[float, int, str]] = field(default_factory=list[tuple[float, int, str]])
    """A heap of times, numbers of calls, and what their workflow is told."""
    _most: int = SPARE
    """How many there may be before those that were answered are looked for."""

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, call: TaskScheduled, at_s: float) -> None:
        """Note a task that was scheduled at a time, if it has to end."""
        seconds = schedule_to_close_s(call.options, self.declarations.tasks.get(call.name))
        if seconds is not None:
            heappush(self._ends, (at_s + seconds + GRACE_S, call.seq, late(call.name, seconds)))

    def read(self, history: Iterable[HistoryEvent], since_s: float) -> None:
        """Note the tasks of a history. It was shared until `since_s`, when a fork began its tasks anew."""
        at_s = since_s
        for event in history:
            if isinstance(event, TurnStarted):
                at_s = max(event.at_s, since_s)
            elif isinstance(event, TaskScheduled):
                self.add(event, at_s)

    def next_s(self, instance: Instance) -> float | None:
        """Return when the next one is over that the execution waits for."""
        ends = self._ends
        if len(ends) > self._most:
            ends[:] = [end for end in ends if instance.awaits(end[1])]
            heapify(ends)
            self._most = 2 * len(ends) + SPARE
        while ends and not instance.awaits(ends[0][1]):
            heappop(ends)
        return ends[0][0] if ends else None

    def are_due(self, instance: Instance, now_s: float) -> bool:
        """Return whether any is over that the execution waits for."""
        end_s = self.next_s(instance)
        return end_s is not None and end_s <= now_s

    def take_due(self, instance: Instance, now_s: float) -> list[TaskRaised]:
        """Return the answers of those that are over."""
        answers: list[TaskRaised] = []
        while (end_s := self.next_s(instance)) is not None and end_s <= now_s:
            _, seq, message = heappop(self._ends)
            answers.append(TaskRaised(seq, Failure("service_kit.errors:TimedOut", message, "timeout")))
        return answers


def withdrawn(answers: Sequence[TaskRaised], turn: Turn, started: ExecutionStarted) -> list[Effect]:
    """Return what ends the tasks that a turn has taken these answers for: nobody has to run them any more."""
    if not answers:
        return []
    # By identity: a worker may have said the same just now, and of thousands each would be compared with all.
    used = {id(event) for event in turn.events}
    taken = (answer for answer in answers if id(answer) in used)
    return [CancelTask(TaskKey(started.id, started.run, answer.task)) for answer in taken]


def earliest_s(one_s: float | None, other_s: float | None) -> float | None:
    return min((at_s for at_s in (one_s, other_s) if at_s is not None), default=None)
