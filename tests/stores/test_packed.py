"""What lies in a store whose payloads are packed: nothing readable, nothing large in the wrong place."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from service_kit.contract.at_rest import Codec
from service_kit.engine.arrivals import ChildRaised, ExecutionStarted, TaskRaised
from service_kit.engine.failure import Failure
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.ports import Stores, Unstorable
from service_kit.runtime.records import (
    Claim,
    CreateExecution,
    Deliver,
    ExecutionQuery,
    NewExecution,
    ParentLink,
)
from service_kit.stores.packed.codec import CodecMissing, Codecs, Zlib
from service_kit.stores.packed.store import packed_stores
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.store import sqlite_stores
from tests.stores.examples import (
    NOW_S,
    OWNER,
    answer,
    arrivals,
    claimed,
    ending,
    new,
    publish,
    schedule,
    started,
    turn,
)

pytestmark = pytest.mark.anyio

SECRET = "geheim"
FAILURE = Failure(
    "shop:OutOfStock", f"no {SECRET}", fields=f'"{SECRET}"', traceback=SECRET, cause=Failure("a:B", SECRET)
)


@dataclass(frozen=True)
class Reversed:
    """Anybody can read it, but nobody finds a word in it."""

    name: str = "reversed-1"

    def encode(self, data: bytes) -> bytes:
        return data[::-1]

    def decode(self, data: bytes) -> bytes:
        return data[::-1]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "store.db")
    yield opened
    opened.close()


def packed(database: Database, *codecs: Codec, large_bytes: int = 200_000) -> Stores:
    return packed_stores(sqlite_stores(database), lambda: NOW_S, codecs, large_bytes)


def with_input(id: str, text: str, parent: ParentLink | None = None) -> NewExecution:
    return replace(new(id, input=text, parent=parent), input_digest="")


async def everything(database: Database) -> str:
    """Return all text of the file."""
    return await database.read(lambda connection: "\n".join(connection.iterdump()))


async def fill(stores: Stores, text: str) -> None:
    """Put a text wherever there is room for a payload."""
    child = ParentLink("x", 0, 2, "cancel")
    effects = (
        schedule(),
        CreateExecution(with_input("child", text, child), stored(ChildRaised(2, FAILURE))),
        CreateExecution(with_input("y", text, child), stored(ChildRaised(3, FAILURE))),
        Deliver("x", stored(TaskRaised(4, FAILURE))),
        publish(),
    )
    await stores.executions.create(with_input("y", text))
    first = turn(0, *effects, events=text * 9, states={"shown": text}, wake_at_s=NOW_S)
    assert await stores.executions.create(with_input("x", text), first) is None
    await stores.executions.deliver("x", answer(9, text))
    task = await claimed(stores)
    assert await stores.tasks.retry(task.key, task.claim, NOW_S, text)
    (delivery,) = await stores.deliveries.claim(["count"], OWNER, NOW_S, 1)
    await stores.deliveries.bury("e-1", "count", delivery.claim, text, NOW_S)
    assert await stores.executions.pause("y", text)


async def check(stores: Stores, text: str) -> None:
    """Read it all again."""
    found = await stores.executions.load("x")
    assert found is not None
    assert list(found.history) == [text * 9]
    told = [one.arrival for one in found.arrivals]
    assert ChildRaised(3, FAILURE) in told
    assert TaskRaised(4, FAILURE) in told
    assert answer(9, text).arrival in told
    (start,) = await arrivals(stores, "child")
    assert isinstance(start, ExecutionStarted)
    assert start.input == text
    assert await stores.executions.state("x", "shown") == text
    assert (await claimed(stores)).details == text
    (letter,) = (await stores.letters.list(None, 10, None)).letters
    assert letter.failure == text
    record = await stores.executions.read("y")
    assert record is not None
    assert record.paused == text
    await stores.executions.commit(
        ending(1) if text == "" else turn(1, status="succeeded", outcome=text, events=text)
    )
    assert await stores.index.ended(["x"]) == {"x": text}


async def test_nothing_that_was_packed_can_be_found_and_all_of_it_is_read_again(database: Database) -> None:
    stores = packed(database, Reversed())
    await fill(stores, SECRET)
    assert SECRET not in await everything(database)
    await check(stores, SECRET)
    assert SECRET not in await everything(database)


async def test_what_is_large_lies_beside_and_is_read_again(database: Database) -> None:
    large = "é" * 1_000
    stores = packed(database, large_bytes=1_500)
    await fill(stores, large)
    dump = (await everything(database)).splitlines()
    assert {line.split('"')[1] for line in dump if large in line} == {"blobs"}
    await check(stores, large)


async def test_without_codec_small_payloads_stay_as_they_are(database: Database) -> None:
    await fill(packed(database), SECRET)
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM blobs").fetchone()[0]) == 0
    await check(sqlite_stores(database), SECRET)


async def test_a_codec_can_be_turned_on_and_replaced_over_old_data(database: Database) -> None:
    older, newer = Reversed(), Reversed("reversed-2")
    for number, codecs in enumerate(([], [older], [newer, older])):
        await started(packed(database, *codecs), f"x-{number}")
        await packed(database, *codecs).executions.deliver(f"x-{number}", answer(1, SECRET))
    stores = packed(database, newer, older)
    for number in range(3):
        assert await arrivals(stores, f"x-{number}") == [answer(1, SECRET).arrival]
    with pytest.raises(CodecMissing, match="written by codec 'reversed-1', which this host does not have"):
        await arrivals(packed(database, newer), "x-1")


async def test_what_cannot_be_read_keeps_nothing_else_from_being_claimed_found_or_listed(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    both, one = packed(database, Reversed()), packed(database)
    for stores, id in ((both, "gone"), (one, "x")):
        await started(stores, id, schedule(id=id), publish(f"e-{id}"))
        await stores.deliveries.publish([publish(f"d-{id}", "bury")])
    for letter in await both.deliveries.claim(["bury"], OWNER, NOW_S, 10):
        await one.deliveries.bury(letter.event.id, "bury", letter.claim, "failed", NOW_S)
    task = await claimed(one)
    assert (task.key.execution, task.attempt, task.lost) == ("x", 1, False)
    (delivery,) = await one.deliveries.claim(["count"], OWNER, NOW_S, 10)
    assert (delivery.event.id, delivery.attempt) == ("e-x", 1)
    assert [letter.event.id for letter in (await one.letters.list(None, 10, None)).letters] == ["d-x"]
    for stores, id in ((both, "gone"), (one, "x")):
        await stores.executions.commit(ending(1, id=id))
    assert await one.index.ended(["gone", "x"]) == {"x": "the end"}
    page = await one.index.list(ExecutionQuery(status="succeeded"))
    assert {record.id for record in page.executions} == {"gone", "x"}
    told = "\n".join(record.getMessage() for record in caplog.records)
    for named in (
        "task 'charge', TaskKey(execution='gone'",
        "'e-gone' for 'count'",
        "'d-gone' of 'bury'",
        "'gone'",
    ):
        assert named in told
    again = await both.tasks.claim(["charge"], Claim("both", NOW_S + 90), NOW_S + 31, 10)
    assert {one.key.execution for one in again} == {"gone", "x"}


async def test_texts_that_look_packed_are_kept_as_they_are(database: Database) -> None:
    stores = packed(database)
    await started(stores)
    for text in ("~", "~zlib:", '~@["x",0,"d"]', "~:~"):
        assert await stores.executions.pause("x", text)
        record = await stores.executions.read("x")
        assert record is not None
        assert record.paused == text


async def test_a_payload_that_was_lost_is_named(database: Database) -> None:
    stores = packed(database, large_bytes=10)
    await started(stores)
    await stores.executions.deliver("x", answer(1, "a large one, as it goes"))
    await database.write(lambda connection: connection.execute("DELETE FROM blobs").rowcount)
    with pytest.raises(LookupError, match="of 'x' is gone; restore it from a backup"):
        await stores.executions.load("x")


@pytest.mark.parametrize("text", ["\ud800", "\ud800" * 100])
@pytest.mark.parametrize("codecs", [[], [Reversed()]])
async def test_what_is_no_text_is_refused_for_good(
    database: Database, text: str, codecs: Sequence[Codec]
) -> None:
    stores = packed(database, *codecs, large_bytes=50)
    await started(stores)
    with pytest.raises(Unstorable):
        await stores.executions.commit(turn(1, events=text))


def test_zlib_leaves_what_is_short() -> None:
    codecs = Codecs([Zlib(over_bytes=100)])
    assert codecs.encode("short") == "short"
    long = "long " * 1_000
    coded = codecs.encode(long)
    assert coded.startswith("~zlib:")
    assert len(coded) < 100
    assert codecs.decode(coded) == long
    assert base64.b64decode(coded.removeprefix("~zlib:"))


@pytest.mark.parametrize(
    ("codecs", "said"),
    [
        ([Reversed("a b")], "use letters, digits and dashes"),
        ([Reversed(), Reversed()], "two codecs have one name"),
    ],
)
def test_names_of_codecs_tell_them_apart(codecs: Sequence[Codec], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Codecs(codecs)
