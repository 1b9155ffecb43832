"""Records with as little in them as a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from service_kit.engine.arrivals import Arrival, ExecutionStarted, SignalReceived, TaskSucceeded
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import (
    Claim,
    ClaimedTask,
    Effect,
    NewExecution,
    ParentLink,
    Publish,
    PublishedEvent,
    ScheduleTask,
    StoredArrival,
    TaskKey,
    TurnCommit,
)

NOW_S = 1_000.0
OWNER = Claim("me", NOW_S + 30)


def new(
    id: str = "x",
    *,
    input: str = "1",
    begin_at_s: float = NOW_S,
    created_at_s: float = NOW_S,
    workflow: str = "order",
    parent: ParentLink | None = None,
    attributes: Mapping[str, str] | None = None,
) -> NewExecution:
    return NewExecution(
        started=ExecutionStarted(id, workflow, input, seed="seed"),
        input_digest=f"digest of {input}",
        created_at_s=created_at_s,
        begin_at_s=begin_at_s,
        parent=parent,
        attributes=attributes or {},
    )


def turn(
    number: int = 0, *effects: Effect, id: str = "x", run: int = 0, used: Sequence[str] = (), **rest: Any
) -> TurnCommit:
    given: dict[str, Any] = {
        "events": f"events of {run}.{number}",
        "finished": (),
        "states": {},
        "wake_at_s": None,
        "at_s": NOW_S,
        **rest,
    }
    return TurnCommit(execution=id, run=run, turn=number, used=used, effects=effects, **given)


def ending(number: int = 0, *effects: Effect, **rest: Any) -> TurnCommit:
    return turn(number, *effects, status="succeeded", outcome="the end", **rest)


def key(seq: int = 1, id: str = "x", run: int = 0) -> TaskKey:
    return TaskKey(id, run, seq)


def schedule(seq: int = 1, *, name: str = "charge", at_s: float = NOW_S, **rest: Any) -> ScheduleTask:
    place = TaskKey(rest.pop("id", "x"), rest.pop("run", 0), seq)
    return ScheduleTask(place, name, f"input {seq}", rest.pop("options", None), at_s, **rest)


def signal(id: str = "s-1") -> StoredArrival:
    return stored(SignalReceived(id, "word", '"hello"'))


def answer(seq: int = 1, value: str = "1") -> StoredArrival:
    return stored(TaskSucceeded(seq, value))


def publish(id: str = "e-1", *subscriptions: str, at_s: float = NOW_S) -> Publish:
    return Publish(PublishedEvent(id, "Placed", "orders", at_s, "{}"), subscriptions or ("count",))


async def started(stores: Stores, id: str = "x", *effects: Effect, **rest: Any) -> None:
    """Store an execution whose first turn had these effects."""
    assert await stores.executions.create(new(id, **rest), turn(0, *effects, id=id)) is None


async def claimed(
    stores: Stores, now_s: float = NOW_S, owner: str = "me", *, lease_s: float = 30.0
) -> ClaimedTask:
    """Claim the one task that is available."""
    (task,) = await stores.tasks.claim(["charge"], Claim(owner, now_s + lease_s), now_s, 10)
    return task


async def arrivals(stores: Stores, id: str = "x") -> list[Arrival]:
    """Return what waits for an execution."""
    found = await stores.executions.load(id)
    assert found is not None
    return [one.arrival for one in found.arrivals]
