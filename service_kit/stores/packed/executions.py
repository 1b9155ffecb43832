"""Executions with packed payloads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from service_kit.runtime.ports import ExecutionIndex, Executions
from service_kit.runtime.records import (
    CancelTask,
    CreateExecution,
    Deliver,
    DueExecution,
    Effect,
    ExecutionPage,
    ExecutionQuery,
    ExecutionRecord,
    Known,
    NewExecution,
    Publish,
    ScheduleTask,
    StoredArrival,
    StoredExecution,
    TurnCommit,
)
from service_kit.stores.packed import values
from service_kit.stores.packed.packer import Packer, Packing
from service_kit.stores.packed.reading import readable


@dataclass(frozen=True, slots=True)
class PackedExecutions:
    """The port `Executions` over another one."""

    inner: Executions
    packer: Packer

    async def create(self, new: NewExecution, first: TurnCommit | None = None) -> ExecutionRecord | None:
        packing = Packing(self.packer)
        packed = _new(packing, new)
        turn = None if first is None else _turn(packing, first)
        await packing.keep()
        taken = await self.inner.create(packed, turn)
        return None if taken is None else await self.packer.unpacked(taken, values.execution)

    async def load(self, id: str, known: Known | None = None) -> StoredExecution | None:
        found = await self.inner.load(id, known)
        return None if found is None else await self.packer.unpacked(found, values.stored_execution)

    async def commit(self, turn: TurnCommit) -> None:
        packing = Packing(self.packer)
        packed = _turn(packing, turn)
        await packing.keep()
        await self.inner.commit(packed)

    async def deliver(
        self, id: str, arrival: StoredArrival, run: int | None = None, *, workflow: str | None = None
    ) -> bool:
        packing = Packing(self.packer)
        packed = values.stored_arrival(arrival, packing.of(id, run), values.pack_failure)
        await packing.keep()
        return await self.inner.deliver(id, packed, run, workflow=workflow)

    async def read(self, id: str) -> ExecutionRecord | None:
        found = await self.inner.read(id)
        return None if found is None else await self.packer.unpacked(found, values.execution)

    async def state(self, id: str, name: str) -> str | None:
        found = await self.inner.state(id, name)
        return await self.packer.unpacked(found, values.maybe)

    async def pause(self, id: str, reason: str | None) -> bool:
        packing = Packing(self.packer)
        packed = values.maybe(reason, packing.of(id, None))
        await packing.keep()
        return await self.inner.pause(id, packed)


@dataclass(frozen=True, slots=True)
class PackedIndex:
    """The port `ExecutionIndex` over another one."""

    inner: ExecutionIndex
    packer: Packer

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """Return a page; an execution that cannot be read is listed with its payloads as they are stored."""
        page = await self.inner.list(query)
        found = await readable(
            page.executions,
            lambda record: self.packer.unpacked(record, values.execution),
            lambda record: f"the outcome of execution '{record.id}'",
            _as_stored,
        )
        return ExecutionPage(found, page.after)

    async def ended(self, ids: Sequence[str]) -> Mapping[str, str]:
        found = await self.inner.ended(ids)
        return dict(
            await readable(
                list(found.items()),
                lambda one: self.packer.unpacked(one, values.outcome),
                lambda one: f"the outcome of execution '{one[0]}'",
            )
        )

    async def due(self, now_s: float, limit: int) -> Sequence[DueExecution]:
        return await self.inner.due(now_s, limit)

    async def next_wake_s(self) -> float | None:
        return await self.inner.next_wake_s()


async def _as_stored(record: ExecutionRecord) -> Sequence[ExecutionRecord]:
    return (record,)


def _new(packing: Packing, new: NewExecution) -> NewExecution:
    change = packing.of(new.started.id, new.started.run)
    return replace(new, started=values.started(new.started, change))


def _turn(packing: Packing, turn: TurnCommit) -> TurnCommit:
    # Whatever else a turn holds is a part of its events, too.
    if packing.packer.leaves(turn.events):
        return turn
    change, lasting = packing.of(turn.execution, turn.run), packing.of(turn.execution, None)
    successor = turn.successor
    if successor is not None:
        successor = values.started(successor, packing.of(turn.execution, successor.run))
    return replace(
        turn,
        events=change(turn.events),
        effects=[_effect(packing, effect) for effect in turn.effects],
        states={name: lasting(value) for name, value in turn.states.items()},
        outcome=values.maybe(turn.outcome, lasting),
        successor=successor,
    )


def _effect(packing: Packing, effect: Effect) -> Effect:
    match effect:
        case ScheduleTask(key=key):
            return replace(effect, input=packing.of(key.execution, key.run)(effect.input))
        case CreateExecution(new=new, if_taken=if_taken):
            parent = new.parent
            if parent is None:
                return replace(effect, new=_new(packing, new))
            change = packing.of(parent.execution, parent.run)
            told = values.stored_arrival(if_taken, change, values.pack_failure)
            return replace(effect, new=_new(packing, new), if_taken=told)
        case Deliver(execution=execution, arrival=arrival, run=run):
            change = packing.of(execution, run)
            return replace(effect, arrival=values.stored_arrival(arrival, change, values.pack_failure))
        case Publish(event=event):
            return replace(effect, event=values.event(event, packing.of(event.id, None)))
        case CancelTask():
            return effect
    assert_never(effect)
