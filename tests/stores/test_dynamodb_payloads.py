"""Payloads on AWS: packed by codecs, in S3 if they are large, and what becomes of them there."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from service_kit.messaging.blobs import S3Blobs, key_of, name_of
from service_kit.runtime.records import Blob, BlobKey, ExecutionQuery, Heartbeat
from service_kit.stores.dynamodb import waste
from service_kit.stores.dynamodb.store import dynamodb_store
from service_kit.stores.dynamodb.table import Table
from tests.stores.examples import NOW_S, OWNER, answer, claimed, ending, publish, schedule, started, turn
from tests.stores.tables import DatedBlobs, fresh_shelf
from tests.stores.test_packed import SECRET, Reversed, check, fill

pytestmark = pytest.mark.anyio

LATER_S = NOW_S + 60


@pytest.fixture
def shelf() -> Iterator[DatedBlobs]:
    with fresh_shelf("moto") as made:
        yield made


def _noise(length: int) -> str:
    return random.Random(7).randbytes(length // 2).hex()


def _names(shelf: S3Blobs) -> list[str]:
    return [found["Key"] for found in shelf._client.list_objects_v2(Bucket=shelf._bucket).get("Contents", ())]


def _everything(table: Table, shelf: S3Blobs) -> str:
    """Return all that stands in the table and in the bucket."""
    items = table._client.scan(TableName=table.name, ConsistentRead=True)["Items"]
    s3, bucket = shelf._client, shelf._bucket
    bodies = [s3.get_object(Bucket=bucket, Key=name)["Body"].read().decode() for name in _names(shelf)]
    return json.dumps([items, _names(shelf), bodies], default=repr)


async def test_what_takes_more_than_200_kb_of_the_table_lies_in_the_bucket(
    table: Table, shelf: DatedBlobs
) -> None:
    store, large = dynamodb_store(table, shelf), _noise(1_000_000)
    await started(store.stores, "x", schedule())
    await store.executions.commit(turn(1, events=large, states={"progress": large}))
    task = await claimed(store.stores)
    beat = Heartbeat(task.key, task.claim, task.claim.until_s, large)
    assert await store.tasks.heartbeat([beat]) == [False]
    await store.executions.deliver("x", answer(9, large))
    found = await dynamodb_store(table, shelf).executions.load("x")
    assert found is not None
    assert found.history[1] == large
    assert [each.arrival for each in found.arrivals] == [answer(9, large).arrival]
    assert await store.executions.state("x", "progress") == large
    (run, every) = sorted({name.split("/", 2)[2].split("/")[0] for name in _names(shelf)}, reverse=True)
    assert (run, every) == ("0", "-")


async def test_what_compression_makes_small_stays_in_the_table(table: Table, shelf: DatedBlobs) -> None:
    store = dynamodb_store(table, shelf)
    await started(store.stores)
    await store.executions.commit(turn(1, events="again " * 100_000))
    assert _names(shelf) == []


async def test_nothing_that_a_codec_has_written_can_be_found(moto_table: Table, shelf: DatedBlobs) -> None:
    stores = dynamodb_store(moto_table, shelf, [Reversed()], large_bytes=30).stores
    await fill(stores, SECRET)
    assert SECRET not in _everything(moto_table, shelf)
    assert len(_names(shelf)) > 5
    await check(stores, SECRET)


async def test_a_payload_that_was_lost_is_named(moto_table: Table, shelf: DatedBlobs) -> None:
    store = dynamodb_store(moto_table, shelf, large_bytes=10)
    await started(store.stores)
    await store.executions.deliver("x", answer(1, "a large one, as it goes"))
    await shelf.drop([key for name in _names(shelf) if (key := key_of(name)) is not None])
    with pytest.raises(LookupError, match="of 'x' is gone; restore it from a backup"):
        await store.executions.load("x")


class _Refused(Exception):
    """As boto3 says it."""

    def __init__(self) -> None:
        self.response = {"Error": {"Code": "AccessDenied"}}


async def test_a_bucket_that_may_not_be_read_is_told_from_a_payload_that_is_gone() -> None:
    class Closed:
        class exceptions:
            ClientError = _Refused

        def get_object(self, **_: str) -> None:
            raise _Refused

    with pytest.raises(LookupError, match="it is gone, or this role may not read it"):
        await S3Blobs(Closed(), "bucket").get([BlobKey("x", 0, "d")])


async def test_waste_is_found_in_a_bucket_of_many_pages_wherever_the_walk_begins(
    moto_table: Table, shelf: DatedBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waste, "PAGE", 3)
    store = dynamodb_store(moto_table, shelf)
    await started(store.stores, "kept")
    kept = Blob(BlobKey("kept", 0, "d"), "text", NOW_S)
    await shelf.put([kept, *(Blob(BlobKey(f"gone-{n}", n, "d"), "text", NOW_S) for n in range(10))])
    shelf._client.put_object(Bucket=shelf._bucket, Key="somebody's", Body=b"else")
    dropped = [await store.retention.forget(None, LATER_S, 100) for _ in range(10)]
    assert sum(dropped) == 10
    assert max(dropped) < 10
    assert sorted(_names(shelf)) == sorted([name_of(kept.key), "somebody's"])


@pytest.mark.parametrize("owner", ["o-1", "größe/2 %=~", "x" * 512])
@pytest.mark.parametrize("run", [None, 0, 12])
def test_names_of_objects_tell_what_they_belong_to(owner: str, run: int | None) -> None:
    key = BlobKey(owner, run, "d" * 64)
    assert key_of(name_of(key)) == key
    assert len(name_of(key).encode()) <= 1_024


def test_an_owner_that_fits_into_no_name_has_a_digest() -> None:
    name = name_of(BlobKey("ü" * 512, 0, "d" * 64))
    assert key_of(name) is None
    assert len(name) <= 1_024


async def test_what_cannot_be_read_keeps_nothing_else_from_whoever_asks(moto_table: Table) -> None:
    sealed = dynamodb_store(moto_table, None, [Reversed()])
    plain = dynamodb_store(moto_table)
    for store, one in ((sealed, "x-1"), (plain, "x-2")):
        await started(store.stores, one)
        await store.executions.commit(replace(ending(1), execution=one))
        await store.deliveries.publish([publish(f"e-{one}")])
        (delivery,) = await store.deliveries.claim(["count"], OWNER, NOW_S, 1)
        await store.deliveries.bury(f"e-{one}", "count", delivery.claim, f"failure of {one}", NOW_S)
    assert [letter.event.id for letter in (await plain.letters.list(None, 10, None)).letters] == ["e-x-2"]
    assert list(await plain.index.ended(["x-1", "x-2"])) == ["x-2"]
    await started(sealed.stores, "x-3")
    await sealed.executions.pause("x-3", "for a reason")
    page = await plain.index.list(ExecutionQuery())
    assert [record.id for record in page.executions if record.paused is not None] == ["x-3"]
    assert {record.id: record.status for record in page.executions} == {
        "x-1": "succeeded",
        "x-2": "succeeded",
        "x-3": "running",
    }
    assert len((await sealed.letters.list(None, 10, None)).letters) == 2
