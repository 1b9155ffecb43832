"""What every implementation of the port `Blobs` does, and what retention leaves of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service_kit.engine.arrivals import ExecutionStarted
from service_kit.runtime.ports import Blobs, Stores
from service_kit.runtime.records import Blob, BlobKey
from tests.stores.examples import NOW_S, OWNER, ending, publish, schedule, started, turn

pytestmark = pytest.mark.anyio

LARGE = "x" * 1_000_000
LATER_S = NOW_S + 1


@pytest.fixture
def blobs(stores: Stores) -> Blobs:
    if stores.blobs is None:
        pytest.skip("this store keeps everything in its place")
    return stores.blobs


def blob(owner: str = "x", run: int | None = 0, digest: str = "d", text: str = LARGE) -> Blob:
    return Blob(BlobKey(owner, run, digest), text, NOW_S)


async def left(stores: Stores, blobs: Blobs, *given: Blob) -> list[BlobKey]:
    """Return which of these are left when what was stored before `LATER_S` may be forgotten."""
    while await stores.retention.forget(LATER_S, LATER_S, 1):
        pass
    kept = await blobs.get([one.key for one in given])
    return [one.key for one in given if one.key in kept]


async def test_what_was_put_is_got_by_its_key(stores: Stores, blobs: Blobs) -> None:
    one, two, every = blob(text="é" * 500_000), blob(run=1), blob(run=None)
    await blobs.put([one, two, every])
    absent = BlobKey("x", 0, "other")
    assert await blobs.get([one.key, two.key, every.key, absent]) == {
        each.key: each.text for each in (one, two, every)
    }


async def test_putting_twice_is_putting_once(stores: Stores, blobs: Blobs) -> None:
    await blobs.put([blob()])
    await blobs.put([blob()])
    assert await blobs.get([blob().key]) == {blob().key: LARGE}


async def test_what_belongs_to_nothing_is_forgotten_after_a_while(stores: Stores, blobs: Blobs) -> None:
    waste, young = blob("nobody"), replace(blob("nobody", digest="y"), stored_at_s=LATER_S)
    await blobs.put([waste, young])
    assert await left(stores, blobs, waste, young) == [young.key]


async def test_what_an_execution_needs_stays_as_long_as_it(stores: Stores, blobs: Blobs) -> None:
    kept = [blob(), blob(run=None)]
    await blobs.put(kept)
    await started(stores)
    assert await left(stores, blobs, *kept) == [one.key for one in kept]
    await stores.executions.commit(ending(1))
    assert await left(stores, blobs, *kept) == []


async def test_what_a_run_needs_goes_with_it_and_its_tasks(stores: Stores, blobs: Blobs) -> None:
    kept = [blob(), blob(run=None), blob(run=1)]
    await blobs.put(kept)
    await started(stores, "x", schedule())
    await stores.executions.commit(turn(1, successor=ExecutionStarted("x", "order", "1", "seed", run=1)))
    assert await left(stores, blobs, *kept) == [one.key for one in kept]  # the task has an input
    (task,) = await stores.tasks.claim(["charge"], OWNER, NOW_S, 1)
    await stores.tasks.settle(task.key, task.claim, None)
    assert await left(stores, blobs, *kept) == [kept[1].key, kept[2].key]


async def test_what_an_event_needs_stays_until_it_is_delivered(stores: Stores, blobs: Blobs) -> None:
    kept = blob("e-1", None)
    await blobs.put([kept])
    await stores.deliveries.publish([publish("e-1")])
    assert await left(stores, blobs, kept) == [kept.key]
    (one,) = await stores.deliveries.claim(["count"], replace(OWNER, until_s=NOW_S), NOW_S, 1)
    await stores.deliveries.done("e-1", "count", one.claim)
    assert await left(stores, blobs, kept) == []
