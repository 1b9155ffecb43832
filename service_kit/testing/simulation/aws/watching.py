"""Telling the world what the table really took: the invariants see its items, and not what functions believe."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from service_kit.runtime.records import Claim, ClaimedTask, TaskKey, TurnCommit
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.items import chunk_of, effects_of, events_of
from service_kit.stores.dynamodb.keys import CHUNK, TASK
from service_kit.stores.dynamodb.values import unmarshal
from service_kit.testing.simulation.aws.table import Change
from service_kit.testing.simulation.loop import PROCESS, Process
from service_kit.testing.simulation.world import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Watcher:
    """Looks at each change of the table."""

    world: World
    bodies: Bodies
    holder: Callable[[str], Process | None] | None
    """Returns the instance of an invocation, by whose name claims are made; None: claims are others' to watch."""

    def see(self, change: Change) -> None:
        pk, sk = change.place
        if not pk.startswith("x#") or change.after is None:
            return
        before = {} if change.before is None else unmarshal(change.before)
        if sk.startswith(CHUNK):
            after = unmarshal(change.after)
            if after.get("by") != before.get(
                "by"
            ):  # not the mark of the same commit, only dispatched meanwhile
                self._chunk(pk[2:], after)
        elif sk.startswith(TASK):
            run, seq = sk.removeprefix(TASK).split("#")
            self._task(TaskKey(pk[2:], int(run), int(seq)), before, unmarshal(change.after))

    def _chunk(self, execution: str, item: dict[str, Any]) -> None:
        chunk = chunk_of(item)
        if chunk.paused is not None:
            return
        events = _now(events_of(chunk, self.bodies))
        effects = _now(effects_of(chunk, self.bodies))
        turn = TurnCommit(
            execution, chunk.run, chunk.turn, events, chunk.used, (), effects, {}, chunk.wake_at_s, chunk.at_s
        )
        self.world.took("executions.commit", (turn,), None)

    def _task(self, key: TaskKey, before: dict[str, Any], after: dict[str, Any]) -> None:
        if not before and "scheduled_at" in after:
            return  # written down with the claim that its turn has given
        epoch, attempt = before.get("epoch", 0), before.get("attempt", 1)
        if after.get("epoch", 0) > epoch:
            claim = Claim(after["owner"], after["until"], after["epoch"])
            given = ClaimedTask(key, "", "", None, 0.0, after["attempt"], claim)
            self.world.took("tasks.claim", (), [given])
        elif before and (("answer" in after) > ("answer" in before) or after.get("attempt", 1) > attempt):
            owner, writer = str(before.get("owner", "")).partition("/")[0], PROCESS.get()
            # An instance may write in the next invocation what it has begun in this one: it was frozen in between.
            if self.holder is not None and writer is not None and self.holder(owner) is not writer:
                told = f"{key} was ended by {writer.name}, while {owner or 'nobody'} had its claim"
                self.world.violate("answers are fenced", told)


def _now(reading: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns that waits for nothing."""
    try:
        reading.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("what is in an item needs nothing from elsewhere")
