"""The memory stores, watched: what they are given is remembered, and each execution is replayed as it grows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from service_kit.contract.gather import Declarations
from service_kit.contract.scheduler import SCHEDULER
from service_kit.engine.failure import describe_error
from service_kit.engine.wire import decode_events
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import Claim, Publish, StoredExecution, TaskKey, TurnCommit
from service_kit.stores.memory.deliveries import MemoryDeliveries
from service_kit.stores.memory.executions import MemoryExecutions
from service_kit.stores.memory.tasks import MemoryTasks
from service_kit.testing.recorder import Recorder
from service_kit.testing.replayer import replay_history

__all__ = ["WatchedExecutions", "watched_stores"]

ALWAYS_BITS = 4
"""An execution is replayed in each of its first 16 turns, then eight times while their number doubles."""

FIRES_MOST = 100
"""How often schedules go on alone, before a test that waits for something else is told that it will not come."""


class WatchedExecutions(MemoryExecutions):
    """Sees to it that what a test runs is replayed, and that the test is told of what cannot be."""

    def __init__(
        self,
        tasks: WatchedTasks,
        deliveries: MemoryDeliveries,
        declarations: Declarations,
        recorder: Recorder,
        keep_warm: Callable[[bool], None],
        give_up: Callable[[], None],
    ) -> None:
        super().__init__(tasks, deliveries)
        self._watched = tasks
        self._declarations = declarations
        self._recorder = recorder
        self._keep_warm = keep_warm
        """Says whether executions stay in memory after this turn."""
        self._give_up = give_up
        """Says that nothing but schedules will ever happen any more."""

    def _commit(self, turn: TurnCommit) -> None:
        ends = turn.outcome is not None or turn.successor is not None
        before = self._kept[turn.execution].history[:] if ends and turn.execution in self._kept else []
        super()._commit(turn)
        # In every turn it would cost the square of their number, and a year of daily steps would take seconds. In
        # growing distances nothing is missed: the replay at the end, or at the end of the test, compares all of it.
        distance = 1 << max(turn.turn.bit_length() - ALWAYS_BITS, 0)
        self._keep_warm(turn.turn % distance != 0)
        if ends:
            self._check([*before, turn.events])
        self._count_fires(turn)

    async def pause(self, id: str, reason: str | None) -> bool:
        error = sys.exception()
        if reason is not None and error is not None:  # not an operator's wish: the code cannot go on
            cause = error.__cause__ or error
            cause.add_note(f"execution '{id}' is paused")
            self._recorder.troubles.append(cause)
        return await super().pause(id, reason)

    def peek(self, id: str) -> StoredExecution | None:
        """Return an execution as it stands."""
        kept = self._kept.get(id)
        return None if kept is None else StoredExecution(kept.record, kept.history[:], ())

    def failures_of(self, task: TaskKey) -> tuple[int, str]:
        """Return how many attempts of a task that is not finished have failed, and with what the last one."""
        return self._watched.failures.get(task, (0, ""))

    def unfinished(self) -> list[str]:
        """Return the ids of executions that go on, but for those that keep schedules."""
        return [
            each
            for each, kept in self._kept.items()
            if kept.record.outcome is None and kept.record.workflow != SCHEDULER
        ]

    def check_unfinished(self) -> None:
        """Replay what has not ended, so that its last turns are checked, too."""
        for kept in self._kept.values():
            if kept.record.outcome is None and kept.record.paused is None and kept.history:
                self._check(kept.history)

    def _count_fires(self, turn: TurnCommit) -> None:
        if not self._is_scheduled(turn.execution):
            self._recorder.fires = 0
        elif turn.successor is not None:
            self._recorder.fires += 1
            if self._recorder.fires > FIRES_MOST and not self._others_are_due():
                self._give_up()

    def _is_scheduled(self, id: str) -> bool:
        record = self._kept[id].record
        return record.workflow == SCHEDULER or (
            record.parent is not None and self._is_scheduled(record.parent.execution)
        )

    def _others_are_due(self) -> bool:
        """Return whether time alone would let something go on that no schedule has started."""
        waiting = [self._kept[each].record for each in self.unfinished() if not self._is_scheduled(each)]
        return any(record.wake_at_s is not None for record in waiting) or self._tasks.any_due()

    def _check(self, history: Sequence[str]) -> None:
        try:
            replay_history(self._declarations, [event for turn in history for event in decode_events(turn)])
        except Exception as error:  # noqa: BLE001 - it is told to the test
            self._recorder.troubles.append(error)


class WatchedTasks(MemoryTasks):
    """Remembers of attempts that are followed by another one how many have failed, and with what the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: dict[TaskKey, tuple[int, str]] = {}

    async def retry(self, key: TaskKey, claim: Claim, at_s: float, details: str | None = None) -> bool:
        error = sys.exception()
        if error is not None:  # as it always is: an attempt is tried again because it has failed
            count, _ = self.failures.get(key, (0, ""))
            text = " ".join(describe_error(error).message.split())
            self.failures[key] = (count + 1, f"{type(error).__name__}: {text}".removesuffix(": "))
        return await super().retry(key, claim, at_s, details)


class WatchedDeliveries(MemoryDeliveries):
    """Remembers every published event, wanted or not."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def add(self, publish: Publish) -> None:
        self._recorder.events.setdefault(publish.event.id, publish.event)
        super().add(publish)


def watched_stores(
    declarations: Declarations,
    recorder: Recorder,
    keep_warm: Callable[[bool], None],
    give_up: Callable[[], None],
) -> tuple[Stores, WatchedExecutions]:
    """Return empty stores."""
    tasks, deliveries = WatchedTasks(), WatchedDeliveries(recorder)
    executions = WatchedExecutions(tasks, deliveries, declarations, recorder, keep_warm, give_up)
    tasks.answer = executions.answer
    return Stores(executions, executions, tasks, deliveries, deliveries, deliveries, executions), executions
