"""`service-kit start`, as processes: workers on one socket and one file, replaced when they die, drained at the end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.durable import SERVICE
from tests.cli.running import Running, eventually

Start = Callable[..., Running]

HOLDING_COMMAND = '''
@command
async def hold_on() -> str:
    """Answer when the file 'release' is there."""
    Path("holding").touch()
    while not Path("release").exists():
        await asyncio.sleep(0.01)
    return "held to the end"

class Depot(Service):
    """Ship orders."""
    hold_on = hold_on'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "depot.py"
    path.write_text(SERVICE)
    return path


@pytest.fixture
def start(file: Path) -> Iterator[Start]:
    """Run `service-kit start` on a free port."""
    started: list[Running] = []

    def run(*arguments: str) -> Running:
        started.append(Running(file.parent, "start", "depot:Depot", "--port", "0", *arguments))
        return started[-1]

    yield run
    for running in started:
        running.close()


def _records(running: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for line in running.output.splitlines()]


def _processes(running: Running, count: int, but: Container[int] = ()) -> set[int]:
    """Return processes that answer, as soon as there are so many besides those of `but`."""
    seen: set[int] = set()

    def ask(_: object) -> None:
        with contextlib.suppress(httpx.TransportError):  # one is dying, perhaps
            seen.add(running.call("process").json())

    def ask_many() -> bool:
        list(pool.map(ask, range(16)))  # at the same time: one alone goes to whoever was busy last
        return sum(process not in but for process in seen) >= count

    with ThreadPoolExecutor(16) as pool:
        eventually(ask_many)
    return seen


def test_one_process_serves_and_logs_json(start: Start, file: Path) -> None:
    running = start()
    assert running.call("answer").json() == "first"
    running.wait_for('"path": "/rpc/answer"')
    serving, answered = _records(running)
    database = file.parent / ".service-kit" / "depot.db"
    assert serving["message"] == f"serving Depot, kept in {database}, at {running.url} with one process"
    assert (answered["logger"], answered["status"]) == ("service_kit.access", 200)
    assert running.call("process").json() == running.process.pid
    running.process.terminate()
    assert running.end() == 0


def test_logs_are_text_on_request(start: Start) -> None:
    running = start("--text-logs")
    running.call("answer")
    running.wait_for(r"\d\d:\d\d:\d\d  200  POST   /rpc/answer  [\d.]+ ms")


def test_workers_share_the_socket_and_the_executions(start: Start) -> None:
    running = start("--workers", "2")
    assert running.process.pid not in _processes(running, 2)
    assert sum("serving Depot" in record["message"] for record in _records(running)) == 1
    for number in range(4):
        running.manage("start", workflow="ship", input={"order": f"o-{number}"}, id=f"ship-{number}")
    for number in range(4):
        running.manage("signal", id=f"ship-{number}", name="released", payload="me", signal_id="s")
    for number in range(4):
        assert f"box of o-{number}" in running.manage("outcome", id=f"ship-{number}", wait_s=20)


def test_limits_that_hold_in_each_worker_are_told_at_the_start(start: Start, file: Path) -> None:
    limited = "@task(concurrency=8, rate_per_s=2.5)\nasync def pack"
    file.write_text(SERVICE.replace("@task\nasync def pack", limited))
    running = start("--workers", "2")
    assert running.call("answer").json() == "first"
    (told,) = (told for record in _records(running) if "serving" in (told := record["message"]))
    assert ", each worker within limits of its own (pack: concurrency=8, pack: rate_per_s=2.5), at " in told


def test_a_worker_that_dies_is_replaced(start: Start) -> None:
    running = start("--workers", "2")
    victim, survivor = _processes(running, 2)
    os.kill(victim, signal.SIGKILL)
    running.wait_for(rf"worker {victim} ended by itself \(exit code -9\); another one starts in 0\.1 s")
    _processes(running, 1, but={victim, survivor})
    running.process.terminate()
    assert running.end() == 0


def test_workers_that_die_as_soon_as_they_run_end_the_command(start: Start, file: Path) -> None:
    file.write_text("import os\nos._exit(7)\n")
    running = start("--workers", "2")
    assert running.end() == 1
    messages = [record["message"] for record in _records(running)]
    assert [m.rpartition("; ")[2] for m in messages[:-1]] == [
        f"another one starts in {pause} s" for pause in (0.1, 0.2, 0.4, 0.8)
    ]
    assert messages[-1].startswith(
        "error: workers die as soon as they run: 5 in a row (the last with exit code 7)"
    )


@pytest.mark.parametrize(("workers", "status"), [("1", 2), ("2", 1)])
def test_a_mistake_in_the_source_is_told_once_and_ends_the_command(
    start: Start, file: Path, workers: str, status: int
) -> None:
    file.write_text("from service_kit import command\n@command\ndef add(a): ...\n")
    running = start("--workers", workers)
    assert running.end() == status
    (record,) = _records(running)
    assert record["level"] == "error"
    assert "depot.py:2: command 'add'" in record["message"]


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("end", ["SIGTERM", "Ctrl+C"])
def test_requests_and_tasks_in_flight_end_before_the_command_does(
    start: Start, file: Path, workers: str, end: str
) -> None:
    file.write_text(SERVICE.replace('\nclass Depot(Service):\n    """Ship orders."""', HOLDING_COMMAND))
    running = start("--workers", workers)
    running.manage("start", workflow="store", input={"order": "o-1"}, id="store-1")
    eventually((file.parent / "held").exists)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(running.call, "hold_on")
        eventually((file.parent / "holding").exists)
        if end == "SIGTERM":
            running.process.terminate()
        else:
            running.interrupt()
        running.wait_for("finishing what is in flight")
        (file.parent / "release").touch()
        assert answer.result().json() == "held to the end"
    assert running.end() == 0
    assert "Traceback" not in running.output
    assert "held o-1" in start().manage("outcome", id="store-1", wait_s=20)


def test_what_takes_longer_than_the_grace_is_cut_off_and_tried_again(start: Start, file: Path) -> None:
    running = start("--grace", "1")
    running.manage("start", workflow="store", input={"order": "o-1"}, id="store-1")
    eventually((file.parent / "held").exists)
    running.process.terminate()
    assert running.end() == 0
    assert "they are cut off, and tried again" in _records(running)[-1]["message"]
    (file.parent / "release").touch()
    again = start()
    outcome = eventually(lambda: again.manage("outcome", id="store-1", wait_s=20))
    assert "held o-1" in outcome


def test_a_second_interrupt_does_not_wait(start: Start, file: Path) -> None:
    file.write_text(SERVICE.replace('\nclass Depot(Service):\n    """Ship orders."""', HOLDING_COMMAND))
    running = start("--workers", "2")
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(running.call, "hold_on")
        eventually((file.parent / "holding").exists)
        running.process.send_signal(signal.SIGINT)
        running.wait_for("finishing what is in flight")
        running.process.send_signal(signal.SIGINT)
        running.end()
        with contextlib.suppress(httpx.TransportError):
            assert answer.result().json()["type"] == "urn:problem-type:service-kit:stopping"


def test_no_worker_serves_on_when_the_command_is_killed(start: Start) -> None:
    running = start("--workers", "2")
    port = int(running.url.rpartition(":")[2])
    _processes(running, 2)
    running.process.kill()

    def refused() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) != 0

    eventually(refused)
