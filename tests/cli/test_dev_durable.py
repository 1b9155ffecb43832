"""`service-kit dev` with workflows, tasks and subscriptions: what survives a save, a restart, a crash."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.durable import SERVICE
from tests.cli.running import Running, eventually

Start = Callable[..., Running]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "depot.py"
    path.write_text(SERVICE)
    return path


@pytest.fixture
def dev(file: Path) -> Iterator[Start]:
    """Start `service-kit dev` on a free port."""
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        started.append(Running(file.parent, "dev", "depot:Depot", "--port", "0", *arguments))
        return started[-1]

    yield start
    for running in started:
        running.close()


def _started(running: Running, order: str) -> str:
    """Start a workflow, and wait until it waits for its signal."""
    id = running.manage("start", workflow="ship", input={"order": order}, id=f"ship-{order}")
    eventually(lambda: running.manage("state", id=id, name="progress"))
    return str(id)


def _released(running: Running, id: str, by: str) -> str:
    running.manage("signal", id=id, name="released", payload=by, signal_id="s-1")
    return str(running.manage("outcome", id=id, wait_s=20))


def test_it_says_what_runs_and_where_it_is_kept(dev: Start, file: Path) -> None:
    running = dev()
    url = running.url
    rows = {words[0]: " ".join(words[1:]) for line in running.output.splitlines() if (words := line.split())}
    assert rows["workflows"] == "ship, consign, store, refuse, crash"
    assert rows["subscriptions"] == "count (Shipped)"
    assert rows["database"] == ".service-kit/depot.db"
    assert rows["follow"] == f"service-kit executions list --url {url}"
    assert (file.parent / rows["database"]).is_file()
    assert (file.parent / ".service-kit" / ".gitignore").read_text().splitlines()[-1] == "*"


def test_a_workflow_goes_on_after_a_save_and_after_a_restart(dev: Start, file: Path) -> None:
    running = dev()
    saved, restarted = _started(running, "saved"), _started(running, "restarted")

    file.write_text(SERVICE.replace('"first"', '"second"'))
    eventually(lambda: running.answers("second"))
    assert "box of saved, released by me" in _released(running, saved, "me")
    eventually(lambda: (file.parent / "shipped").exists())
    running.process.terminate()
    assert running.end() == 0

    again = dev("--no-reload")
    assert again.manage("describe", id=saved)["status"] == "succeeded"
    assert "box of restarted, released by you" in _released(again, restarted, "you")
    eventually(lambda: (file.parent / "shipped").read_text() == "saved\nrestarted\n")


def test_a_save_does_not_wait_for_those_who_wait_for_a_result(dev: Start, file: Path) -> None:
    running = dev()
    id = _started(running, "o-1")
    follower = Running(file.parent, "executions", "result", id, "--url", running.url)
    running.wait_for("_system.describe")
    file.write_text(SERVICE.replace('"first"', '"second"'))
    eventually(lambda: running.answers("second"))
    # Had the poll been in the way, it would have been cut off, and told as a failure.
    assert "Traceback" not in running.output
    assert "box of o-1" in _released(running, id, "me")
    assert follower.end() == 0
    assert follower.output == '"box of o-1, released by me"\n'
    follower.close()


def test_a_workflow_goes_on_when_its_process_was_killed(dev: Start, file: Path) -> None:
    running = dev()
    id = _started(running, "o-1")
    os.kill(running.call("process").json(), signal.SIGKILL)
    running.wait_for("waiting for the next save")
    file.write_text(SERVICE.replace('"first"', '"second"'))
    eventually(lambda: running.answers("second"))
    assert "box of o-1" in _released(running, id, "me")


@pytest.mark.parametrize("options", [[], ["--no-reload"]])
def test_a_running_task_ends_before_the_process_does(dev: Start, file: Path, options: list[str]) -> None:
    running = dev(*options)
    running.manage("start", workflow="store", input={"order": "o-1"}, id="store-1")
    eventually((file.parent / "held").exists)
    running.process.terminate()
    running.wait_for("finishing tasks and handlers")
    (file.parent / "release").touch()
    assert running.end() == 0
    outcome = dev("--no-reload").manage("outcome", id="store-1", wait_s=20)
    assert "held o-1" in outcome


def test_the_database_is_where_it_was_asked_for(dev: Start, file: Path) -> None:
    running = dev("--database", "elsewhere.db")
    running.wait_for(r"database +elsewhere\.db")
    assert (file.parent / "elsewhere.db").is_file()
    assert not (file.parent / ".service-kit").exists()


@pytest.mark.parametrize(
    ("database", "message"),
    [
        ("nowhere/depot.db", r"error: there is no folder .*nowhere for depot\.db\n  make it first"),
        ("depot.py", r"error: .*depot\.py cannot be used as a database \(file is not a database\)"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(dev: Start, database: str, message: str) -> None:
    running = dev("--no-reload", "--database", database)
    assert running.end() == 2
    running.wait_for(message)
    assert "Traceback" not in running.output


def test_a_service_of_commands_alone_keeps_no_file(file: Path) -> None:
    file.write_text(
        "from service_kit import Service, command\n@command\nasync def answer() -> str:\n    return 'first'\n"
        "class Depot(Service):\n    answer = answer\n"
    )
    running = Running(file.parent, "dev", "depot:Depot", "--port", "0")
    assert running.answers("first")
    assert "database" not in running.output
    assert httpx.post(f"{running.url}/rpc/_system.list_executions", json={}).status_code == 404
    running.close()
    assert not (file.parent / ".service-kit").exists()


def test_two_tasks_of_one_name_are_told_and_the_next_save_is_served(dev: Start, file: Path) -> None:
    running = dev()
    file.with_name("other.py").write_text(
        "from service_kit import task\n@task\nasync def pack(order: str) -> str: return order\n"
    )
    file.write_text(SERVICE.replace("import os", "import os\nfrom other import pack as pack_elsewhere", 1))
    running.wait_for(r"error: task 'pack': two of this name belong to one service \(other and depot\)")
    running.wait_for("rename one")
    running.wait_for("waiting for the next save")
    file.write_text(SERVICE.replace('"first"', '"second"'))
    eventually(lambda: running.answers("second"))
    assert "Traceback" not in running.output


def test_an_annotation_of_a_task_that_names_nothing_is_told_at_the_start(dev: Start, file: Path) -> None:
    file.write_text(
        SERVICE.replace("async def pack(order: str) -> str", "async def pack(order: str) -> 'Parcel'")
    )
    running = dev("--no-reload")
    assert running.end() == 2
    running.wait_for(r"error: task 'pack' \(depot:pack\): an annotation names 'Parcel', which is not defined")
