"""The DynamoDB store beyond its contracts: crashes between a turn and its effects, lost replies, races, sizes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import AsyncMock

import pytest

from service_kit.engine.arrivals import ChildSucceeded, ExecutionStarted
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.ports import Conflict, Unstorable
from service_kit.runtime.records import (
    CancelTask,
    Claim,
    CreateExecution,
    Deliver,
    Effect,
    FinishedTask,
    ParentLink,
)
from service_kit.stores.dynamodb.store import DynamoStore, dynamodb_store
from service_kit.stores.dynamodb.table import Table
from tests.stores.examples import (
    NOW_S,
    OWNER,
    answer,
    arrivals,
    ending,
    key,
    new,
    publish,
    schedule,
    signal,
    started,
    turn,
)

pytestmark = pytest.mark.anyio

LATER_S = NOW_S + 60
EFFECTS: dict[str, Effect] = {
    "task": schedule(),
    "child": CreateExecution(new("child", parent=ParentLink("x", 0, 3, "cancel")), signal("taken")),
    "signal": Deliver("other", signal()),
    "event": publish(),
}


class Died(Exception):
    """The process is gone."""


async def _die(_: Effect) -> None:
    raise Died


async def _happened(store: DynamoStore) -> dict[str, bool]:
    return {
        "task": await store.tasks.next_available_s(["charge"]) is not None,
        "child": await store.executions.read("child") is not None,
        "signal": bool(await arrivals(store.stores, "other")),
        "event": await store.deliveries.next_delivery_s(["count"]) is not None,
    }


@pytest.mark.parametrize("kind", EFFECTS)
async def test_effects_of_a_turn_whose_process_died_happen_all_the_same(table: Table, kind: str) -> None:
    dying = dynamodb_store(table)
    await started(dying.stores)
    await started(dying.stores, "other")
    dying.executions.following.apply = _die
    with pytest.raises(Died):
        await dying.executions.commit(turn(1, EFFECTS[kind]))
    other = dynamodb_store(table)
    assert (await _happened(other))[kind] is False
    await other.index.due(LATER_S, 10)
    assert (await _happened(other))[kind] is True
    with pytest.raises(Conflict):
        await other.executions.commit(turn(1))


async def test_effects_that_are_under_way_are_left_to_their_process(table: Table) -> None:
    dying = dynamodb_store(table)
    await started(dying.stores)
    dying.executions.following.apply = _die
    with pytest.raises(Died):
        await dying.executions.commit(turn(1, schedule()))
    await dying.index.due(NOW_S + 1, 10)
    assert await dying.tasks.next_available_s(["charge"]) is None


async def test_effects_that_happen_again_do_nothing_twice(moto_table: Table) -> None:
    store = dynamodb_store(moto_table)
    await started(store.stores, "other")
    await started(store.stores, "x", *EFFECTS.values(), CancelTask(key(7)))
    (task,) = await store.tasks.claim(["charge"], OWNER, NOW_S, 10)
    assert await store.tasks.settle(task.key, task.claim, answer().arrival)
    (delivery,) = await store.deliveries.claim(["count"], OWNER, NOW_S, 10)
    assert await store.deliveries.done("e-1", "count", delivery.claim)
    await store.executions.commit(turn(1, id="other", used=[signal().key]))
    await store.executions.commit(turn(1, used=[answer().key]))
    for effect in EFFECTS.values():
        await store.executions.following.apply(effect)
    assert await _happened(store) == {"task": False, "child": True, "signal": False, "event": False}
    assert await arrivals(store.stores) == []


async def test_a_process_that_died_after_its_last_turn_has_told_the_parent(table: Table) -> None:
    dying = dynamodb_store(table)
    await started(dying.stores, "parent")
    await started(dying.stores)
    dying.executions.following.apply = _die
    with pytest.raises(Died):
        await dying.executions.commit(ending(1, Deliver("parent", signal())))
    other = dynamodb_store(table)
    assert [found.id for found in await other.index.due(LATER_S, 10)] == ["parent"]
    assert await arrivals(other.stores, "parent") == [signal().arrival]


class LosesReplies:
    """A client whose answers to writes are lost once, so that boto3 asks again."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def put_item(self, **request: Any) -> Any:
        self._real.put_item(**request)
        return self._real.put_item(**request)


@contextmanager
def _losing_replies(table: Table) -> Iterator[DynamoStore]:
    losing = Table(LosesReplies(table._client), table.name)
    try:
        yield dynamodb_store(losing)
    finally:
        losing.close()


async def test_a_turn_whose_answer_was_lost_is_committed(table: Table) -> None:
    await started(dynamodb_store(table).stores)
    with _losing_replies(table) as store:
        await store.executions.commit(turn(1))
        await store.executions.commit(turn(2))
        with pytest.raises(Conflict):
            await store.executions.commit(turn(2))


async def test_a_turn_is_refused_by_a_process_that_has_seen_less(table: Table) -> None:
    late, ahead = dynamodb_store(table), dynamodb_store(table)
    await started(late.stores)
    await ahead.executions.load("x")
    await ahead.executions.commit(turn(1))
    await ahead.executions.pause("x", "why")
    for number in (1, 2):
        with pytest.raises(Conflict):
            await late.executions.commit(turn(number))
    await ahead.executions.pause("x", None)
    await ahead.executions.commit(ending(2))
    for number in (2, 3):
        with pytest.raises(Conflict):
            await late.executions.commit(turn(number))


async def test_of_many_who_commit_the_same_turn_one_wins(table: Table) -> None:
    first = dynamodb_store(table)
    await started(first.stores, "x", schedule(claim=OWNER))
    others = [dynamodb_store(table) for _ in range(5)]
    for other in others:
        await other.executions.load("x")
    won = await asyncio.gather(
        *(o.executions.commit(turn(1, finished=[FinishedTask(key(), OWNER)])) for o in others),
        return_exceptions=True,
    )
    assert sum(result is None for result in won) == 1
    assert {type(result) for result in won if result is not None} == {Conflict}


async def test_of_many_who_claim_a_task_one_gets_it(table: Table) -> None:
    stores = [dynamodb_store(table) for _ in range(5)]
    await started(stores[0].stores, "x", *(schedule(n) for n in range(3)))
    claims = [s.tasks.claim(["charge"], Claim(f"{n}", LATER_S), NOW_S, 10) for n, s in enumerate(stores)]
    claimed = [task.key.seq for tasks in await asyncio.gather(*claims) for task in tasks]
    assert sorted(claimed) == [0, 1, 2]


async def test_a_turn_may_use_more_signals_than_a_transaction_takes(ministack_table: Table) -> None:
    store = dynamodb_store(ministack_table)
    await started(store.stores)
    sent = [signal(f"s-{n}") for n in range(150)]
    for one in sent:
        await store.executions.deliver("x", one)
    assert await arrivals(store.stores) == [one.arrival for one in sent]
    await store.executions.commit(turn(1, used=[one.key for one in sent]))
    other = dynamodb_store(ministack_table)
    assert await arrivals(other.stores) == []
    assert await other.executions.deliver("x", sent[-1])
    assert await arrivals(other.stores) == []


async def test_what_the_run_before_the_last_has_left_is_deleted(moto_table: Table) -> None:
    store = dynamodb_store(moto_table)
    await store.executions.create(new())
    for run in range(4):
        await store.executions.commit(turn(0, schedule(1, run=run), run=run, used=["started"]))
        following = ExecutionStarted("x", "order", "2", "seed", run=run + 1)
        await store.executions.commit(turn(1, run=run, successor=following))
    items = await store.table.query("x#x", "!", "~", only=["sk"])
    assert [item["sk"] for item in items] == [
        "j#00000003#00000000",
        "j#00000003#00000001",
        "meta",
        "t#00000003#00000001",
    ]


async def test_an_answer_that_is_written_after_its_run_gives_its_place_to_the_next_runs(
    moto_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = dynamodb_store(moto_table)
    await started(store.stores)
    before = await store.table.get(("x#x", "meta"))
    following = ExecutionStarted("x", "order", "2", "seed", run=1)
    await store.executions.commit(turn(1, successor=following))
    with monkeypatch.context() as patch:  # whoever delivers has looked before the run ended
        patch.setattr(store.table, "get", AsyncMock(return_value=before))
        assert await store.executions.deliver("x", answer(1, "old"), 0)
    assert await arrivals(store.stores) == [following]
    assert await store.executions.deliver("x", answer(1, "new"), 1)
    assert await arrivals(store.stores) == [following, answer(1, "new").arrival]
    with monkeypatch.context() as patch:
        patch.setattr(store.table, "get", AsyncMock(return_value=before))
        assert await store.executions.deliver("x", answer(1, "old"), 0)
    assert await arrivals(store.stores) == [following, answer(1, "new").arrival]


async def test_what_a_run_has_left_over_takes_no_answer_of_the_next(ministack_table: Table) -> None:
    store = dynamodb_store(ministack_table)
    await started(store.stores)
    sent = [stored(ChildSucceeded(number, "1")) for number in range(1, 150)]
    for one in sent:
        await store.executions.deliver("x", one, 0)
    following = ExecutionStarted("x", "order", "2", "seed", run=1)
    await store.executions.commit(turn(1, used=[one.key for one in sent], successor=following))
    (chunk, *_) = await store.executions.reader.latest("x")
    assert chunk.more
    for one in sent:
        await store.executions.deliver("x", one, 1)
    await store.executions.following.follow(chunk, (), store.executions.following.left_over(chunk))
    assert len(await arrivals(store.stores)) == 1 + len(sent)


def _noise(length: int) -> str:
    return random.Random(7).randbytes(length).hex()


async def test_what_is_too_large_for_an_item_is_unstorable_and_nothing_of_it_is_stored(table: Table) -> None:
    store = dynamodb_store(table)
    await started(store.stores)
    with pytest.raises(Unstorable, match="make it smaller"):
        await store.executions.commit(turn(1, publish(), events=_noise(500_000)))
    assert not (await _happened_event(store))
    with pytest.raises(Unstorable, match="this is none"):
        await store.executions.commit(turn(1, events="\ud800"))
    await store.executions.commit(turn(1))


async def _happened_event(store: DynamoStore) -> bool:
    return await store.deliveries.next_delivery_s(["count"]) is not None


async def test_the_same_input_in_events_and_effects_is_stored_once(moto_table: Table) -> None:
    store = dynamodb_store(moto_table)
    await started(store.stores)
    text = _noise(10_000)
    await store.executions.commit(turn(1, Deliver("nobody", answer(1, text)), events=text))
    (item,) = await store.table.query("x#x", "j#00000000#00000001", "j#00000000#00000001")
    body = item["body"]
    assert isinstance(body, bytes)
    assert len(body) < 0.7 * len(text)  # hexadecimal digits compress to a half: those of one copy
