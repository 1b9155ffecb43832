"""What the stream of a table tells to a `World`: what the store took, and what ran, in one order.

So the invariants of the simulator are checked where nobody simulates anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from service_kit.contract.gather import Declarations
from service_kit.engine.calls import EventsEmitted
from service_kit.hosts.aws.host import AwsHost
from service_kit.hosts.aws.records import StreamRecord, stream_records
from service_kit.runtime.attempt import Attempt
from service_kit.runtime.records import (
    Claim,
    ClaimedTask,
    ExecutionQuery,
    ScheduleTask,
    StoredExecution,
    TaskKey,
    TurnCommit,
)
from service_kit.stores.dynamodb.items import chunk_of, effects_of, events_of
from service_kit.stores.dynamodb.keys import CHUNK, TASK
from service_kit.testing.simulation.invariants import check
from service_kit.testing.simulation.service import Happened
from service_kit.testing.simulation.world import World
from tests.aws.lanes import Record
from tests.aws.simulated import LEDGER


class Witness:
    """Hears what has happened to a table, record by record."""

    def __init__(self, host: AwsHost, skew_s: float = 0.0) -> None:
        self._host = host
        self._now_s = 0.0
        # What functions say of the time may be off by so much.
        self.world = World(lambda: self._now_s + skew_s)
        self._running: dict[str, Attempt] = {}
        self._epochs: dict[TaskKey, int] = {}
        self._heard = 0

    async def hear_all(self, records: Sequence[Record]) -> None:
        """Tell the world what it does not know yet of these, which only grow."""
        new = records[self._heard :]
        self._heard += len(new)
        await self.hear(new)

    def unheard(self) -> list[str]:
        """Return the events that no subscription has handled yet."""
        emitted = (
            Happened.model_validate_json(each.payload).what
            for events in self.world.events.values()
            for event in events
            if isinstance(event, EventsEmitted)
            for each in event.events
        )
        known = [*emitted, *self.world.acknowledged["event"]]
        return [what for what in known if not self.world.handled_events[what]]

    async def hear(self, records: Iterable[Record]) -> None:
        """Tell the world."""
        told = list(records)
        for raw, record in zip(told, stream_records({"Records": told}), strict=True):
            # The emulator tells whole seconds.
            self._now_s = max(self._now_s, raw["dynamodb"]["ApproximateCreationDateTime"] + 1)
            if record.image is None or record.kind == "REMOVE":
                continue
            if record.pk.startswith(LEDGER):
                self._ran(record)
            elif record.sk.startswith(CHUNK) and record.kind == "INSERT":
                await self._took_turn(record)
            elif record.sk.startswith(TASK) and record.pk.startswith("x#"):
                self._changed(record)

    async def executions(self) -> dict[str, StoredExecution]:
        """Return all executions as the table has them now."""
        store = self._host.store
        page = await store.index.list(ExecutionQuery(limit=10_000))
        found = await asyncio.gather(*(store.executions.load(record.id) for record in page.executions))
        return {stored.record.id: stored for stored in found if stored is not None}

    async def violations(self, declarations: Declarations) -> list[str]:
        """Return which invariants do not hold, after the end."""
        check(self.world, await self.executions(), declarations)
        return [str(violation) for violation in self.world.violations]

    def _ran(self, record: StreamRecord) -> None:
        image: Any = record.image
        if record.pk == f"{LEDGER}events":
            self.world.handled_events[image["what"]] += 1
            return
        if record.pk == f"{LEDGER}effects":
            return
        what, mark = record.sk.split(" ")
        self._now_s = max(self._now_s, float(image["at"]))
        if what == "ends":
            self.world.ends(self._running.pop(mark))
        else:
            key, number = record.pk.removeprefix(LEDGER), int(image["number"])
            claim = Claim(mark, float(image["until"]))
            self._running[mark] = attempt = _attempt(key, number, claim)
            self.world.begins(attempt)

    async def _took_turn(self, record: StreamRecord) -> None:
        assert record.image is not None
        chunk = chunk_of(record.image)
        if chunk.paused is not None:
            return
        bodies, execution = self._host.store.bodies, record.pk.removeprefix("x#")
        turn = TurnCommit(
            execution=execution,
            run=chunk.run,
            turn=chunk.turn,
            events=await events_of(chunk, bodies),
            used=chunk.used,
            finished=(),
            effects=await effects_of(chunk, bodies),
            states={},
            wake_at_s=chunk.wake_at_s,
            at_s=chunk.at_s,
        )
        self.world.took("executions.commit", (turn,), None)
        for effect in turn.effects:
            if isinstance(effect, ScheduleTask) and effect.claim is not None:
                self._epochs[effect.key] = effect.claim.epoch

    def _changed(self, record: StreamRecord) -> None:
        """Tell of a claim: each has its own epoch."""
        image: Any = record.image
        run, seq = record.sk.removeprefix(TASK).split("#")
        key, epoch = TaskKey(record.pk.removeprefix("x#"), int(run), int(seq)), int(image.get("epoch", 0))
        if epoch > self._epochs.get(key, 0):
            self._epochs[key] = epoch
            claim = Claim(str(image["owner"]), float(image["until"]), epoch)
            claimed = ClaimedTask(key, "", "", None, 0.0, int(image["attempt"]), claim)
            self.world.took("tasks.claim", (), [claimed])


def _attempt(key: str, number: int, claim: Claim) -> Attempt:
    execution, run, seq = key.rsplit(":", 2)
    task = ClaimedTask(TaskKey(execution, int(run), int(seq)), "", "", None, 0.0, number, claim)
    return Attempt(task, claim, lambda _: "")
