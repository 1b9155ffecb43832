"""Recovery: processes that are killed, and processes that wake up too late. Each test is real processes on one file."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.runtime.crashing import result_of

ROOT = Path(__file__).resolve().parents[2]
ORDERS = 200
"""In each life."""
SHORT_LEASE_S, LONG_LEASE_S = 2.0, 10.0
"""A machine that is busy with other things keeps a process waiting, and its claims run out while it lives."""


class Process:
    """One life, and what it has acknowledged."""

    def __init__(
        self, folder: Path, life: str, first: int = 0, count: int = 0, lease_s: float = SHORT_LEASE_S
    ) -> None:
        self.output = folder / f"output of {life}"
        arguments = [str(folder), life, str(first), str(count), str(lease_s)]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.runtime.crashing", *arguments],
                stdin=subprocess.PIPE,
                stdout=output,
                cwd=ROOT,
                text=True,
            )

    def said(self, what: str) -> list[str]:
        """Return the lines that begin with a word, without it."""
        lines = self.output.read_text().split("\n")[:-1]
        return [line.partition(" ")[2] for line in lines if line.partition(" ")[0] == what]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def join(self) -> None:
        """Wait for its end, as it was meant to be."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=300) == 0

    def wait_for(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 120
        while not condition():
            assert self.process.poll() is None, "the process has ended by itself"
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.01)


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    begun: list[Process] = []

    def begin(life: str, first: int = 0, count: int = 0, lease_s: float = SHORT_LEASE_S) -> Process:
        begun.append(Process(tmp_path, life, first, count, lease_s))
        return begun[-1]

    yield begin
    for process in begun:
        if process.process.poll() is None:
            process.process.send_signal(signal.SIGCONT)
            process.kill()


def _events(folder: Path) -> Iterator[tuple[str, int, list[object]]]:
    """Return everything recorded, as (execution, run, event)."""
    if not (folder / "orders.db").exists():
        return
    connection = sqlite3.connect(folder / "orders.db")
    try:
        rows = connection.execute(
            "SELECT execution, run, events FROM turns ORDER BY execution, run, turn"
        ).fetchall()
    except sqlite3.OperationalError:
        rows = []  # killed before there were tables
    connection.close()
    for execution, run, events in rows:
        for event in json.loads(events)["events"]:
            yield execution, run, event


def _answered(folder: Path) -> Counter[str]:
    """Return the keys of tasks that have recorded answers, and how many each has."""
    return Counter(
        f"{execution}:{run}:{event[1]}"
        for execution, run, event in _events(folder)
        if event[0] == "TaskSucceeded"
    )


def _begun(folder: Path, life: str) -> Counter[str]:
    if not (folder / "log").exists():
        return Counter()
    lines = [line.split(" ", 2) for line in (folder / "log").read_text().splitlines()]
    return Counter(key for of, _, key in lines if of == life)


def _acknowledged(*lives: Process) -> dict[int, str]:
    """Return the orders of these lives of which somebody was told, and the last that he was told."""
    told = (
        (int(order), what) for what in ("started", "signalled") for life in lives for order in life.said(what)
    )
    return dict(told)


def _finish(last: Process, acknowledged: Mapping[int, str]) -> dict[int, str]:
    """Let a process wait for every order that was ever acknowledged; return the results.

    It signals those whose signal nobody was told of: there may be one.
    """
    last.wait_for(lambda: last.said("placed") == [""])
    assert last.process.stdin is not None
    last.process.stdin.write("".join(f"{order} {what}\n" for order, what in sorted(acknowledged.items())))
    last.join()
    return {int(line.split(" ")[0]): line.partition(" ")[2] for line in last.said("result")}


def _rounds(long: int) -> list[object]:
    return [4, pytest.param(long, marks=pytest.mark.long)]


@pytest.mark.parametrize("rounds", _rounds(100))
def test_a_process_that_is_killed_again_and_again_loses_nothing_and_doubles_nothing(
    tmp_path: Path, lives: Callable[..., Process], rounds: int
) -> None:
    chance, acknowledged = random.Random(rounds), dict[int, str]()
    for number in range(rounds):
        answered_before = _answered(tmp_path)
        life = lives(f"life-{number}", number * ORDERS, ORDERS, LONG_LEASE_S)
        enough = chance.randrange(1, 2 * ORDERS)
        life.wait_for(lambda: len(life.said("started")) + len(life.said("signalled")) >= enough)  # noqa: B023 - waits here
        time.sleep(chance.random() * 0.3)
        life.kill()
        acknowledged |= _acknowledged(life)
        begun = _begun(tmp_path, f"life-{number}")
        assert not begun.keys() & answered_before.keys(), "what was recorded ran again"
        assert set(begun.values()) <= {1}, "a task ran twice in one life, whose claims are kept"
    assert len(acknowledged) > rounds * ORDERS / 10
    assert {"started", "signalled"} == set(acknowledged.values())
    results = _finish(lives("last"), acknowledged)
    assert results == {order: result_of(order) for order in acknowledged}
    assert set(_answered(tmp_path).values()) == {1}


@pytest.mark.parametrize("rounds", _rounds(30))
def test_two_processes_share_one_file_and_either_may_be_killed(
    tmp_path: Path, lives: Callable[..., Process], rounds: int
) -> None:
    chance, acknowledged = random.Random(rounds), dict[int, str]()
    staying = lives("life-0", 0, ORDERS)
    for number in range(1, rounds):
        other = lives(f"life-{number}", number * ORDERS, ORDERS)
        other.wait_for(lambda: len(other.said("started")) >= chance.randrange(1, ORDERS))  # noqa: B023 - waits here
        dying, staying = chance.sample([staying, other], 2)
        dying.kill()
        acknowledged |= _acknowledged(dying)
    staying.wait_for(lambda: staying.said("placed"))
    acknowledged |= _acknowledged(staying)
    results = _finish(lives("last"), acknowledged)
    staying.kill()
    assert results == {order: result_of(order) for order in acknowledged}
    assert set(_answered(tmp_path).values()) == {1}


def test_a_process_that_slept_while_another_took_over_records_nothing(
    tmp_path: Path, lives: Callable[..., Process]
) -> None:
    old = lives("old")
    old.wait_for(lambda: _begun(tmp_path, "old"))
    os.kill(old.process.pid, signal.SIGSTOP)
    new = lives("new")
    new.join()
    assert new.said("result") == ["new z1"]
    (tmp_path / "go").touch()
    os.kill(old.process.pid, signal.SIGCONT)
    old.join()
    assert old.said("result") == ["new z1"]
    answers = [event for _, _, event in _events(tmp_path) if event[0] == "TaskSucceeded"]
    assert [event[2] for event in answers] == ['"new"', '"z1"']
