"""The contract of every idempotency store; a new implementation is one line in `STORES`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from service_kit.runtime.idempotency import Claimed, IdempotencyStore, InFlight, Kept, KeptAnswer, Mismatch
from service_kit.stores.dynamodb.idempotency import DynamoIdempotencyStore
from service_kit.stores.dynamodb.store import dynamodb_store
from service_kit.stores.memory.idempotency import ENTRY_BYTES, MemoryIdempotencyStore
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.idempotency import SqliteIdempotencyStore
from tests.stores.tables import fresh_shelf, fresh_table


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def _memory(_: Path, clock: Clock) -> Iterator[IdempotencyStore]:
    yield MemoryIdempotencyStore(clock)


@contextmanager
def _sqlite(folder: Path, clock: Clock) -> Iterator[IdempotencyStore]:
    database = Database(folder / "store.db")
    try:
        yield SqliteIdempotencyStore(lambda: database, clock)
    finally:
        database.close()


@contextmanager
def _dynamodb(_: Path, clock: Clock) -> Iterator[IdempotencyStore]:
    with fresh_table("moto") as table, fresh_shelf("moto") as shelf:
        made = dynamodb_store(table, shelf)
        yield DynamoIdempotencyStore(lambda: made, clock)


STORES: dict[str, Callable[[Path, Clock], AbstractContextManager[IdempotencyStore]]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "dynamodb": _dynamodb,
}

ANSWER = KeptAnswer(200, "application/json", b"1")
DAY_S = 86_400
NOISE = random.Random(7).randbytes(450_000).hex().encode()
"""More than an item of DynamoDB holds, however it is compressed."""


@pytest.fixture(params=STORES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(name: str, clock: Clock, tmp_path: Path) -> Iterator[IdempotencyStore]:
    with STORES[name](tmp_path, clock) as opened:
        yield opened


def test_a_new_key_is_claimed_once(store: IdempotencyStore) -> None:
    async def run() -> None:
        assert await store.begin("a", b"f") == Claimed()
        assert await store.begin("a", b"f") == InFlight()
        assert await store.begin("a", b"other") == Mismatch()
        assert await store.begin("b", b"f") == Claimed()

    asyncio.run(run())


def test_a_kept_answer_is_given_to_the_same_request_only(store: IdempotencyStore) -> None:
    async def run() -> None:
        await store.begin("a", b"f")
        await store.keep("a", ANSWER)
        assert await store.begin("a", b"f") == Kept(ANSWER)
        assert await store.begin("a", b"other") == Mismatch()

    asyncio.run(run())


@pytest.mark.parametrize(
    "body", [NOISE, b"\xff\x00\xfe" * 10, "größe".encode(), b""], ids=["long", "binary", "text", "empty"]
)
def test_an_answer_of_any_length_and_any_bytes_is_given_as_it_was(
    store: IdempotencyStore, body: bytes
) -> None:
    async def run() -> None:
        await store.begin("a", b"f")
        await store.keep("a", KeptAnswer(200, "application/json", body))
        assert await store.begin("a", b"f") == Kept(KeptAnswer(200, "application/json", body))

    asyncio.run(run())


def test_a_released_key_is_new_again(store: IdempotencyStore) -> None:
    async def run() -> None:
        await store.begin("a", b"f")
        await store.release("a")
        assert await store.begin("a", b"other") == Claimed()

    asyncio.run(run())


def test_an_answer_is_kept_for_a_day(store: IdempotencyStore, clock: Clock) -> None:
    async def run() -> None:
        await store.begin("a", b"f")
        await store.keep("a", ANSWER)
        clock.now += DAY_S - 1
        assert await store.begin("a", b"f") == Kept(ANSWER)
        clock.now += 2
        assert await store.begin("a", b"f") == Claimed()

    asyncio.run(run())


def test_memory_forgets_the_oldest_answers_first_and_claims_never(clock: Clock) -> None:
    store = MemoryIdempotencyStore(clock, max_bytes=2 * (ENTRY_BYTES + 11) + 5)

    async def run() -> None:
        await store.begin("running", b"f")
        for key in ("a", "b", "c"):
            await store.begin(key, b"f")
            await store.keep(key, KeptAnswer(200, "", b"x" * 10))
        assert await store.begin("running", b"f") == InFlight()
        assert isinstance(await store.begin("c", b"f"), Kept)
        assert isinstance(await store.begin("b", b"f"), Kept)
        assert await store.begin("a", b"f") == Claimed()

    asyncio.run(run())
