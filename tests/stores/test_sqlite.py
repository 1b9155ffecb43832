"""What SQLite's store promises beyond the ports: one file, many processes, group commit, failures of the disk.

One file, though long: it is one promise, that of a file which is written by many.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service_kit.engine.calls import TaskScheduled
from service_kit.engine.options import TaskOptions
from service_kit.engine.retry import Retry
from service_kit.engine.wire import encode_events
from service_kit.runtime.ports import Conflict, Unstorable
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.schema import MIGRATIONS, migrate
from service_kit.stores.sqlite.store import sqlite_stores, token_secret
from tests.stores.examples import NOW_S, OWNER, answer, new, schedule, signal, started, turn

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "store.db")
    yield opened
    opened.close()


def _version(path: Path) -> int:
    connection = sqlite3.connect(path)
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version


def _schema(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    found = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    ).fetchall()
    connection.close()
    return [(name, " ".join(sql.split())) for name, sql in found]


def _make_old(path: Path, version: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for script in MIGRATIONS[:version]:
        connection.executescript(script)
    connection.execute(f"PRAGMA user_version = {version}")
    return connection


def test_an_empty_file_gets_the_present_schema(tmp_path: Path) -> None:
    Database(tmp_path / "store.db").close()
    assert _version(tmp_path / "store.db") == len(MIGRATIONS)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_an_older_file_becomes_a_present_one(tmp_path: Path, version: int) -> None:
    _make_old(tmp_path / "old.db", version).close()
    Database(tmp_path / "old.db").close()
    Database(tmp_path / "new.db").close()
    assert _version(tmp_path / "old.db") == len(MIGRATIONS)
    assert _schema(tmp_path / "old.db") == _schema(tmp_path / "new.db")


async def test_work_of_version_1_goes_on(tmp_path: Path) -> None:
    connection = _make_old(tmp_path / "old.db", 1)
    options = TaskOptions(retry=Retry(max_attempts=7, non_retryable=("Refused",)), timeout_s=3)
    connection.execute(
        "INSERT INTO executions VALUES ('x', 'order', 'running', 'digest', 1, NULL, 2, 5, NULL, NULL, NULL, '{}', NULL)"
    )
    for seq, chosen in ((1, None), (2, options)):
        call = encode_events([TaskScheduled(seq, "charge", "hash", f'"é {seq}"', chosen)])
        connection.execute(
            "INSERT INTO tasks (execution, run, seq, name, call, scheduled_at, available_at, attempt, epoch)"
            " VALUES ('x', 2, ?, 'charge', ?, 1, ?, 3, 4)",
            (seq, call, seq),
        )
    for key, arrival in (("task:9", answer(9)), ("signal:s-1", signal())):
        connection.execute(
            "INSERT INTO arrivals (execution, key, event) VALUES ('x', ?, ?)",
            (key, encode_events([arrival.arrival])),
        )
    connection.close()
    database = Database(tmp_path / "old.db")
    stores = sqlite_stores(database)
    first, second = await stores.tasks.claim(["charge"], OWNER, NOW_S, 10)
    assert (first.input, first.options, first.attempt, first.claim.epoch) == ('"é 1"', None, 3, 5)
    assert (second.input, second.options) == ('"é 2"', options)
    found = await stores.executions.load("x")
    assert found is not None
    assert [one.arrival for one in found.arrivals] == [answer(9).arrival, signal().arrival]
    # The answer belonged to a run.
    await stores.executions.commit(turn(5, run=2, successor=new().started))
    found = await stores.executions.load("x")
    assert found is not None
    assert [one.arrival for one in found.arrivals] == [new().started, signal().arrival]
    database.close()


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    _make_old(tmp_path / "store.db", 1).execute("PRAGMA user_version = 99").connection.close()
    with pytest.raises(RuntimeError, match=r"schema 99.*upgrade service-kit"):
        Database(tmp_path / "store.db")
    assert _version(tmp_path / "store.db") == 99


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "store.db"
    _make_old(path, 1).close()
    monkeypatch.setattr(
        "service_kit.stores.sqlite.schema.MIGRATIONS",
        (*MIGRATIONS, "CREATE TABLE more (x); CREATE TABLE tasks (x)"),
    )
    before = _schema(path)
    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection)
    connection.close()
    assert (_version(path), _schema(path)) == (1, before)


OPEN = """
import sys
from service_kit.stores.sqlite.database import Database
print("ready", flush=True)
sys.stdin.readline()
Database(sys.argv[1]).close()
"""


@pytest.mark.parametrize("version", [0, 1])
def test_processes_may_open_a_new_or_an_old_file_at_the_same_time(tmp_path: Path, version: int) -> None:
    path = tmp_path / "store.db"
    if version:
        _make_old(path, version).close()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.communicate("go\n", timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert _version(path) == len(MIGRATIONS)


async def test_what_is_acknowledged_is_seen_by_every_process(tmp_path: Path) -> None:
    one, two = Database(tmp_path / "store.db"), Database(tmp_path / "store.db")
    for number in range(20):
        await started(sqlite_stores(one), f"x{number}")
        assert await sqlite_stores(two).executions.read(f"x{number}") is not None
    one.close()
    two.close()


async def test_of_two_processes_one_commits_a_turn_and_one_claims_a_task(tmp_path: Path) -> None:
    databases = [Database(tmp_path / "store.db") for _ in range(2)]
    both = [sqlite_stores(database) for database in databases]
    ids = [f"x{number}" for number in range(20)]
    for id_ in ids:
        await started(both[0], id_, schedule(id=id_))
    outcomes = await asyncio.gather(
        *(stores.executions.commit(turn(1, id=id_)) for id_ in ids for stores in both), return_exceptions=True
    )
    assert sum(outcome is None for outcome in outcomes) == 20
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 20
    claims = await asyncio.gather(
        *(stores.tasks.claim(["charge"], OWNER, NOW_S, 3) for _ in range(8) for stores in both)
    )
    claimed = [task.key.execution for found in claims for task in found]
    assert sorted(claimed) == sorted(ids)
    for database in databases:
        database.close()


async def test_the_secret_of_tokens_is_one_for_all_processes_of_a_file(tmp_path: Path) -> None:
    one, two = Database(tmp_path / "store.db"), Database(tmp_path / "store.db")
    assert await token_secret(one) == await token_secret(two)
    assert len(await token_secret(one)) == 32
    one.close()
    two.close()


async def test_what_was_stored_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    first = Database(tmp_path / "store.db")
    await started(sqlite_stores(first), "x", schedule())
    first.close()
    second = Database(tmp_path / "store.db")
    assert len(await sqlite_stores(second).tasks.claim(["charge"], OWNER, NOW_S, 10)) == 1
    second.close()


async def test_work_that_waits_together_is_committed_together(database: Database) -> None:
    stores = sqlite_stores(database)
    for number in range(150):
        await stores.executions.create(new(f"x{number}"))
    begun: list[int] = []
    await database.write(
        lambda c: c.set_trace_callback(lambda sql: begun.append(1) if sql == "COMMIT" else None)
    )
    begun.clear()
    await asyncio.gather(*(stores.executions.commit(turn(0, id=f"x{number}")) for number in range(150)))
    assert len(begun) == 1


async def test_of_a_group_the_refused_fail_alone(database: Database) -> None:
    stores = sqlite_stores(database)
    for number in range(30):
        await stores.executions.create(new(f"x{number}"))
    outcomes = await asyncio.gather(
        *(stores.executions.commit(turn(number % 2, id=f"x{number}")) for number in range(30)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, Conflict) for outcome in outcomes] == [bool(n % 2) for n in range(30)]


@pytest.mark.parametrize("wrong", ["\ud800", "x" * 1001])
async def test_what_cannot_be_stored_fails_alone_and_leaves_nothing(database: Database, wrong: str) -> None:
    stores = sqlite_stores(database)
    for number in range(9):
        await stores.executions.create(new(f"x{number}"))
    await database.write(lambda c: c.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1000))
    turns = [turn(0, schedule(id=f"x{n}"), id=f"x{n}") for n in range(9)]
    turns[4] = turn(0, schedule(id="x4"), id="x4", states={"progress": wrong})
    results = await asyncio.gather(
        *(stores.executions.commit(one) for one in turns),
        stores.executions.deliver("x0", signal()),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None)] * 4 + [Unstorable] + [type(None)] * 4 + [bool]
    assert {task.key.execution for task in await stores.tasks.claim(["charge"], OWNER, NOW_S, 99)} == {
        f"x{n}" for n in range(9) if n != 4
    }
    untouched = await stores.executions.read("x4")
    assert untouched is not None
    assert untouched.turn == 0
    with pytest.raises(Unstorable, match="make it smaller"):
        await stores.executions.create(new("y", input=wrong), turn(0, id="y", events=wrong))
    assert await stores.executions.read("y") is None


async def test_on_a_full_disk_everybody_is_told_and_nothing_is_half_written(database: Database) -> None:
    stores = sqlite_stores(database)
    for number in range(3):
        await started(stores, f"x{number}")
    await database.write(
        lambda c: c.execute(f"PRAGMA max_page_count = {c.execute('PRAGMA page_count').fetchone()[0]}")
    )
    big = "x" * 100_000
    outcomes = await asyncio.gather(
        *(stores.executions.commit(turn(1, schedule(id=f"x{n}"), id=f"x{n}", events=big)) for n in range(3)),
        stores.executions.deliver("x0", signal()),
        return_exceptions=True,
    )
    assert [str(outcome) for outcome in outcomes] == ["database or disk is full"] * 4
    for number in range(3):
        found = await stores.executions.load(f"x{number}")
        assert found is not None
        assert (found.record.turn, found.arrivals) == (1, [])
    assert await stores.tasks.next_available_s(["charge"]) is None
    await database.write(lambda c: c.execute("PRAGMA max_page_count = 1000000"))
    await stores.executions.commit(turn(1, id="x0", events=big))


async def test_a_locked_file_is_waited_for(tmp_path: Path, database: Database) -> None:
    await started(sqlite_stores(database))
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    commit = asyncio.create_task(sqlite_stores(database).executions.commit(turn(1)))
    # Reads go on meanwhile.
    assert await sqlite_stores(database).executions.read("x") is not None
    assert not commit.done()
    other.execute("COMMIT")
    other.close()
    await commit


async def test_writes_of_whoever_was_cancelled_disturb_nobody(database: Database) -> None:
    stores = sqlite_stores(database)
    await started(stores)
    given_up = asyncio.create_task(stores.executions.deliver("x", signal("a")))
    await asyncio.sleep(0)
    given_up.cancel()
    assert await stores.executions.deliver("x", signal("b"))
    with pytest.raises(asyncio.CancelledError):
        await given_up


def test_one_file_serves_several_event_loops(database: Database) -> None:
    for number in range(3):
        asyncio.run(started(sqlite_stores(database), f"x{number}"))


def test_a_loop_that_ends_before_its_answer_disturbs_nobody(database: Database) -> None:
    async def leave() -> None:
        left = asyncio.ensure_future(sqlite_stores(database).executions.create(new()))
        await asyncio.sleep(0)
        assert not left.done()

    asyncio.run(leave())
    asyncio.run(started(sqlite_stores(database), "y"))


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "store.db")
    waiting = asyncio.create_task(sqlite_stores(database).executions.create(new()))
    await asyncio.sleep(0)
    database.close()
    database.close()
    assert await waiting is None
    with pytest.raises(RuntimeError, match="closed"):
        await sqlite_stores(database).executions.read("x")


async def test_a_backlog_is_claimed_by_its_index(database: Database) -> None:
    stores = sqlite_stores(database)
    names = ["a", "b"]
    await started(stores, "x", *(schedule(n, name=names[n % 2]) for n in range(500)))
    steps: list[str] = []
    await database.write(lambda c: c.set_trace_callback(steps.append))
    await stores.tasks.claim(names, OWNER, NOW_S, 5)
    (query, *_) = [sql for sql in steps if sql.startswith("SELECT")]
    plan = await database.read(lambda c: c.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
    assert "tasks_available" in str(plan)
    assert "TEMP B-TREE" not in str(plan)
