"""The DynamoDB store behind queues: what a step costs, and claims of what a message brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from service_kit.contract.schedule import SCHEDULER
from service_kit.runtime.records import Claim, ExecutionQuery, FinishedTask, Known
from service_kit.stores.dynamodb.store import DynamoStore, dynamodb_store
from service_kit.stores.dynamodb.table import Table
from tests.stores.examples import NOW_S, OWNER, answer, arrivals, ending, key, new, schedule, started, turn
from tests.stores.tables import client

pytestmark = pytest.mark.anyio

LATER_S = NOW_S + 60


@contextmanager
def _counted(emulator: str) -> Iterator[Counter[str]]:
    """Count the requests that are sent, by operation."""
    counts: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        counts[model.name] += 1

    events = client(emulator).meta.events
    events.register("before-call.dynamodb", count)
    try:
        yield counts
    finally:
        events.unregister("before-call.dynamodb", count)


async def _step(store: DynamoStore, number: int) -> None:
    """Let a queued step go through the table: its task is claimed and answered, and the next one scheduled."""
    claimed = await store.tasks.begin(schedule(number), OWNER, NOW_S)
    assert claimed is not None
    assert await store.tasks.settle(claimed.key, claimed.claim, answer(number).arrival)
    await store.executions.commit(turn(number, schedule(number + 1), used=[answer(number).key]))


async def test_a_queued_step_costs_three_writes_and_reads_nothing(moto_table: Table) -> None:
    store = dynamodb_store(moto_table, queued=True)
    await started(store.stores, "x", schedule(1))
    with _counted("moto") as counts:
        for number in range(1, 11):
            await _step(store, number)
    assert counts == {"UpdateItem": 20, "PutItem": 10}


async def test_an_inline_step_costs_one_write(moto_table: Table) -> None:
    store = dynamodb_store(moto_table, queued=True)
    await started(store.stores, "x", schedule(1, claim=OWNER))
    with _counted("moto") as counts:
        for number in range(1, 11):
            done = [FinishedTask(key(number), OWNER)]
            await store.executions.commit(turn(number, schedule(number + 1, claim=OWNER), finished=done))
    assert counts == {"PutItem": 10}


async def test_what_a_warm_process_reads_does_not_grow_with_history(ministack_table: Table) -> None:
    store = dynamodb_store(ministack_table, queued=True)
    await started(store.stores, "x", schedule(1, claim=OWNER))
    seen, sizes, number = list[Counter[str]](), list[int](), 1
    for length in (10, 100, 1_000):
        while number < length:
            done = [FinishedTask(key(number), OWNER)]
            await store.executions.commit(turn(number, schedule(number + 1, claim=OWNER), finished=done))
            number += 1
        with _counted("ministack") as counts, _sized("ministack") as bytes_read:
            found = await store.executions.load("x", Known(0, number))
        assert found is not None
        assert (list(found.history), list(found.arrivals)) == ([], [])
        seen.append(counts)
        sizes.append(sum(bytes_read))
    assert seen[0] == seen[1] == seen[2] == {"Query": 2, "BatchGetItem": 1}
    assert max(sizes) - min(sizes) < 50


@contextmanager
def _sized(emulator: str) -> Iterator[list[int]]:
    sizes: list[int] = []

    def size(http_response: Any, **_: Any) -> None:
        sizes.append(len(http_response.content))

    events = client(emulator).meta.events
    events.register("after-call.dynamodb", size)
    try:
        yield sizes
    finally:
        events.unregister("after-call.dynamodb", size)


async def test_schedulers_are_found_whatever_else_is_running(moto_table: Table) -> None:
    store = dynamodb_store(moto_table, queued=True)
    for number in range(30):
        kind, at_s = SCHEDULER if number % 15 == 4 else "order", NOW_S + number
        await store.executions.create(new(f"x{number:02}", workflow=kind, created_at_s=at_s))
    with _counted("moto") as counts:
        found = await store.index.list(ExecutionQuery(SCHEDULER, "running", limit=1))
        assert [record.id for record in found.executions] == ["x19"]
        found = await store.index.list(ExecutionQuery(SCHEDULER, "running", limit=1, after=found.after))
        assert ([record.id for record in found.executions], found.after) == (["x04"], None)
    assert counts == {"Query": 2, "BatchGetItem": 2}
    everything = await store.index.list(ExecutionQuery(status="running"))
    assert [record.id for record in everything.executions] == [
        f"x{number:02}" for number in reversed(range(30))
    ]
    await store.executions.commit(turn(0, id="x04"))
    await store.executions.commit(ending(1, id="x04"))
    ended = await store.index.list(ExecutionQuery(SCHEDULER, "succeeded"))
    assert [record.id for record in ended.executions] == ["x04"]


async def test_an_answer_waits_for_a_cold_process(table: Table) -> None:
    store = dynamodb_store(table, queued=True)
    await started(store.stores, "x", schedule(1), schedule(2))
    claimed = await store.tasks.begin(schedule(2), OWNER, NOW_S)
    assert claimed is not None
    assert await store.tasks.settle(claimed.key, claimed.claim, answer(2).arrival)
    for reader in (store, dynamodb_store(table, queued=True)):
        assert await arrivals(reader.stores) == [answer(2).arrival]
    await store.executions.commit(turn(1, used=[answer(2).key]))
    assert await arrivals(dynamodb_store(table, queued=True).stores) == []


async def test_a_message_that_comes_twice_claims_a_task_once(table: Table) -> None:
    store = dynamodb_store(table, queued=True)
    await started(store.stores, "x", schedule(1))
    first = await store.tasks.begin(schedule(1), OWNER, NOW_S)
    assert first is not None
    assert (first.attempt, first.lost) == (1, False)
    assert await store.tasks.begin(schedule(1), Claim("other", LATER_S), NOW_S) is None
    again = await store.tasks.begin(schedule(1), Claim("other", LATER_S + 30), LATER_S)
    assert again is not None
    assert (again.attempt, again.lost) == (2, True)
    assert await store.tasks.settle(key(1), first.claim, answer().arrival) is False
    assert await store.tasks.retry(key(1), again.claim, LATER_S + 5)
    assert await store.tasks.begin(schedule(1), OWNER, LATER_S + 4) is None
    third = await store.tasks.begin(schedule(1), OWNER, LATER_S + 5)
    assert third is not None
    assert (third.attempt, third.lost) == (3, False)
    assert await store.tasks.settle(key(1), third.claim, answer().arrival)
    assert await store.tasks.begin(schedule(1), OWNER, LATER_S + 100) is None


async def test_a_task_that_is_cancelled_before_its_message_comes_never_runs(table: Table) -> None:
    store = dynamodb_store(table, queued=True)
    await started(store.stores, "x", schedule(1))
    await store.tasks.cancel(key(1))
    assert await store.tasks.begin(schedule(1), OWNER, NOW_S) is None
    assert await store.tasks.begin(schedule(1), OWNER, LATER_S) is None


async def test_an_execution_whose_status_changes_while_it_is_listed_is_told_once(moto_table: Table) -> None:
    store = dynamodb_store(moto_table, queued=True)
    await started(store.stores)
    shown = store.table.query_index

    async def late(index: str, condition: str, values: Any, **rest: Any) -> Any:
        """Show in every partition what any of them has, as an index may that is being changed."""
        everywhere = [
            await shown(index, condition, {**values, "pk": f"running#{n}"}, **rest) for n in range(4)
        ]
        return [entry for each in everywhere for entry in each]

    store.table.query_index = late  # type: ignore[method-assign] # an index that is late
    page = await store.index.list(ExecutionQuery())
    assert [record.id for record in page.executions] == ["x"]
