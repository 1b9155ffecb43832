"""Answers of DynamoDB that are lost, so that boto3 asks again: what was done then knows its own work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service_kit.runtime.idempotency import Claimed, InFlight
from service_kit.runtime.records import Claim
from service_kit.stores.dynamodb.idempotency import DynamoIdempotencyStore
from service_kit.stores.dynamodb.store import DynamoStore, dynamodb_store
from service_kit.stores.dynamodb.table import Table
from tests.stores.examples import NOW_S, OWNER, answer, key, publish, schedule

pytestmark = pytest.mark.anyio

OTHER = Claim("other", NOW_S + 90)


class AsksAgain:
    """A client that hears nothing of its first attempt at a write."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def put_item(self, **request: Any) -> Any:
        self._real.put_item(**request)
        return self._real.put_item(**request)

    def update_item(self, **request: Any) -> Any:
        self._real.update_item(**request)
        return self._real.update_item(**request)


@pytest.fixture
def store(table: Table) -> Iterator[DynamoStore]:
    asking = Table(AsksAgain(table._client), table.name)
    yield dynamodb_store(asking, queued=True)
    asking.close()


async def test_a_claim_whose_answer_was_lost_is_held(store: DynamoStore) -> None:
    claimed = await store.tasks.begin(schedule(1), OWNER, NOW_S)
    assert claimed is not None
    assert (claimed.attempt, claimed.lost) == (1, False)
    assert await store.tasks.begin(schedule(1), OTHER, NOW_S) is None
    again = await store.tasks.begin(schedule(1), OTHER, OWNER.until_s)
    assert again is not None
    assert (again.attempt, again.lost, again.claim.epoch) == (2, True, claimed.claim.epoch + 1)
    await store.tasks.settle(key(1), again.claim, answer().arrival)
    assert await store.tasks.begin(schedule(1), OWNER, NOW_S + 900) is None


async def test_a_task_whose_retry_was_stored_without_an_answer_is_tried_again(store: DynamoStore) -> None:
    claimed = await store.tasks.begin(schedule(1), OWNER, NOW_S)
    assert claimed is not None
    assert await store.tasks.retry(key(1), claimed.claim, NOW_S + 5, "half")
    again = await store.tasks.begin(schedule(1), OTHER, NOW_S + 5)
    assert again is not None
    assert (again.attempt, again.lost, again.details) == (2, False, "half")
    assert not await store.tasks.retry(key(1), claimed.claim, NOW_S + 5)
    assert await store.tasks.detach(key(1), again.claim, NOW_S + 50)
    assert not await store.tasks.detach(key(1), claimed.claim, NOW_S + 50)


async def test_a_delivery_whose_claim_or_retry_had_no_answer_is_held_and_tried_again(
    store: DynamoStore,
) -> None:
    published, deliveries = publish("e-1").event, store.deliveries
    claimed = await deliveries.begin(published, "count", OWNER, NOW_S)
    assert claimed is not None
    assert (claimed.attempt, claimed.lost) == (1, False)
    assert await deliveries.begin(published, "count", OTHER, NOW_S) is None
    assert await deliveries.retry("e-1", "count", claimed.claim, NOW_S + 5)
    again = await deliveries.begin(published, "count", OTHER, NOW_S + 5)
    assert again is not None
    assert (again.attempt, again.lost) == (2, False)
    assert not await deliveries.retry("e-1", "count", claimed.claim, NOW_S + 5)


async def test_a_command_whose_key_was_taken_without_an_answer_runs(store: DynamoStore) -> None:
    kept = DynamoIdempotencyStore(lambda: store, lambda: NOW_S)
    assert isinstance(await kept.begin("k", b"1"), Claimed)
    assert isinstance(await kept.begin("k", b"1"), InFlight)
