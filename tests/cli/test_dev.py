"""`service-kit dev`, as a process: serving, reloading, stopping."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.cli.running import Running, eventually

SERVICE = """
import asyncio
import os
from pathlib import Path
from service_kit import Service, command

@command
async def answer() -> str:
    return "first"

@command
async def hold() -> str:
    '''Answer when the file 'release' is there.'''
    Path("held").touch()
    while not Path("release").exists():
        await asyncio.sleep(0.01)
    return "held to the end"

@command
async def process() -> int:
    return os.getpid()

@command
async def fail() -> None:
    raise RuntimeError("a secret")

class Demo(Service):
    answer = answer
    hold = hold
    process = process
    fail = fail
"""

Start = Callable[..., Running]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "demo.py"
    path.write_text(SERVICE)
    return path


@pytest.fixture
def dev(file: Path) -> Iterator[Start]:
    """Start `service-kit dev` on a free port."""
    started: list[Running] = []

    def start(*arguments: str) -> Running:
        started.append(Running(file.parent, "dev", "demo:Demo", "--port", "0", *arguments))
        return started[-1]

    yield start
    for running in started:
        running.close()


def test_it_says_where_the_documents_are_and_what_to_try(dev: Start) -> None:
    running = dev()
    url = running.url
    for line, content in (
        ("docs", "<title>Demo"),
        ("openapi", '"openapi":'),
        ("manifest", '"schema_version":'),
    ):
        shown = next(words for words in map(str.split, running.output.splitlines()) if words[:1] == [line])
        assert shown[1].startswith(url)
        assert content in httpx.get(shown[1]).text
    assert ["mcp", f"{url}/mcp"] in [line.split() for line in running.output.splitlines()]
    attempt = next(line for line in running.output.splitlines() if line.strip().startswith("try"))
    _, curl, address, _, header, _, body = shlex.split(attempt)
    assert (curl, header) == ("curl", "content-type: application/json")
    assert httpx.post(address, headers=dict([header.split(": ")]), content=body).json() == "first"
    running.wait_for(r"\d\d:\d\d:\d\d  200  POST   /rpc/answer  [\d.]+ ms")


def test_a_save_is_served_and_a_broken_one_waits_for_the_next(dev: Start, file: Path) -> None:
    running = dev()
    assert running.call("answer").json() == "first"

    file.write_text(SERVICE.replace('"first"', '"the second"'))
    eventually(lambda: running.answers("the second"))
    running.wait_for("demo.py changed, reloading")

    file.write_text(SERVICE.replace("async def answer()", "async def answer(number)"))
    running.wait_for("error: demo.py:7: command 'answer' .*, parameter 'number': it has no type annotation")
    running.wait_for("write 'number: <type>'")
    running.wait_for("waiting for the next save")
    assert "Traceback" not in running.output

    # A call that comes now is not refused: it waits for the service.
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(running.call, "answer")
        file.write_text(SERVICE.replace('"first"', '"and the third"'))
        assert waiting.result().json() == "and the third"
    assert running.output.count("Ctrl+C stops it") == 1


def test_a_file_that_is_broken_at_the_start_is_served_when_it_is_mended(dev: Start, file: Path) -> None:
    file.write_text("import nothing_of_that_name\n")
    running = dev()
    running.wait_for("ModuleNotFoundError: No module named 'nothing_of_that_name'")
    running.wait_for("waiting for the next save")
    file.write_text(SERVICE)
    assert running.call("answer").json() == "first"


def test_a_neighbour_is_watched_and_caches_are_not(dev: Start, file: Path) -> None:
    file.with_name("neighbour.py").write_text("ANSWER = 'first'")
    file.write_text(
        SERVICE.replace("import os", "import os\nfrom neighbour import ANSWER").replace('"first"', "ANSWER")
    )
    running = dev()
    process = running.call("process").json()
    (file.parent / ".venv").mkdir()
    (file.parent / ".venv" / "library.py").write_text("")
    (file.parent / "notes.txt").write_text("")
    file.with_name("neighbour.py").write_text("ANSWER = 'of the neighbour'")
    eventually(lambda: running.answers("of the neighbour"))
    assert running.call("process").json() != process
    assert running.output.count("reloading") == 1


def _held(running: Running, pool: ThreadPoolExecutor, folder: Path) -> Callable[[], httpx.Response]:
    """Begin a call that is in flight until the file 'release' is written."""
    in_flight = pool.submit(running.call, "hold")
    eventually((folder / "held").exists)
    return in_flight.result


@pytest.mark.parametrize("options", [[], ["--no-reload"]])
@pytest.mark.parametrize("end", ["SIGTERM", "Ctrl+C"])
def test_what_is_in_flight_is_finished_at_the_end(
    dev: Start, file: Path, options: list[str], end: str
) -> None:
    running = dev(*options)
    with ThreadPoolExecutor() as pool:
        answer = _held(running, pool, file.parent)
        if end == "SIGTERM":
            running.process.terminate()
        else:
            running.interrupt()
        running.wait_for("finishing what is in flight")
        (file.parent / "release").touch()
        response = answer()
    assert (response.status_code, response.json()) == (200, "held to the end")
    assert running.end() == 0
    assert "Traceback" not in running.output


def test_what_is_in_flight_is_finished_before_a_reload(dev: Start, file: Path) -> None:
    running = dev()
    with ThreadPoolExecutor() as pool:
        answer = _held(running, pool, file.parent)
        file.write_text(SERVICE.replace('"first"', '"the second"'))
        running.wait_for("finishing what is in flight")
        (file.parent / "release").touch()
        assert answer().json() == "held to the end"
    assert running.call("answer").json() == "the second"


def test_a_second_interrupt_does_not_wait(dev: Start, file: Path) -> None:
    running = dev()
    with ThreadPoolExecutor() as pool:
        answer = _held(running, pool, file.parent)
        running.interrupt()
        running.wait_for("finishing what is in flight")
        running.interrupt()
        running.end()
        with contextlib.suppress(httpx.TransportError):
            assert answer().status_code == 503


def test_a_process_that_dies_is_reported_and_started_again_by_a_save(dev: Start, file: Path) -> None:
    running = dev()
    os.kill(running.call("process").json(), signal.SIGKILL)
    running.wait_for(r"the service's process ended by itself \(exit code -9\)")
    file.write_text(SERVICE.replace('"first"', '"the second"'))
    assert running.call("answer").json() == "the second"


def test_nothing_serves_on_when_the_reloader_is_killed(dev: Start) -> None:
    running = dev()
    port = int(running.url.rpartition(":")[2])
    running.process.kill()

    def refused() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) != 0

    eventually(refused)


def test_a_bug_is_logged_with_the_users_lines(dev: Start) -> None:
    running = dev()
    assert "a secret" not in running.call("fail").text
    running.wait_for("RuntimeError: a secret")
    assert 'demo.py", line 25, in fail' in running.output
    assert "endpoint.py" not in running.output


def test_logs_are_json_on_request(dev: Start) -> None:
    running = dev("--json-logs")
    running.call("answer")
    running.wait_for('"path": "/rpc/answer"')
    records = [json.loads(line) for line in running.output.splitlines()]
    assert [record["message"] for record in records] == [
        f"serving Demo at {running.url}",
        "POST /rpc/answer 200",
    ]


def test_a_broken_module_is_a_json_line_among_json_logs(dev: Start, file: Path) -> None:
    file.write_text("from service_kit import command\n@command\ndef add(a): ...\n")
    running = dev("--json-logs", "--no-reload")
    assert running.end() == 2
    record = json.loads(running.output)
    assert record["level"] == "error"
    assert "demo.py:2: command 'add'" in record["message"]


def test_the_public_url_is_in_the_documents(dev: Start) -> None:
    running = dev("--url", "https://demo.example.com")
    document = httpx.get(f"{running.url}/openapi.json").json()
    assert document["servers"] == [{"url": "https://demo.example.com"}]


def test_without_reload_a_broken_module_ends_the_command(dev: Start, file: Path) -> None:
    file.write_text("1 / 0\n")
    running = dev("--no-reload")
    assert running.end() == 2
    assert "ZeroDivisionError" in running.output
    assert "error: module 'demo' cannot be imported" in running.output


def test_a_lifespan_that_fails_ends_the_command_without_reload(dev: Start, file: Path) -> None:
    lifespan = """
from contextlib import asynccontextmanager

@asynccontextmanager
async def lifespan():
    raise RuntimeError("no database")
    yield
"""
    file.write_text(
        lifespan + SERVICE.replace("class Demo(Service)", "class Demo(Service, lifespan=lifespan)")
    )
    running = dev("--no-reload")
    assert running.end() == 1
    assert "RuntimeError: no database" in running.output
    assert "error: the service did not start" in running.output
    assert "uvicorn/" not in running.output


def test_the_users_own_logs_are_shown_and_his_own_handlers_are_kept(dev: Start, file: Path) -> None:
    file.write_text(
        SERVICE.replace(
            'return "first"', "import logging; logging.getLogger('mine').info('of mine'); return ''"
        )
    )
    running = dev()
    running.call("answer")
    running.wait_for(r"\d  of mine")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_port_that_is_taken_is_told(file: Path, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        running = Running(file.parent, "dev", "demo", "--host", host, "--port", str(port))
        assert running.end() == 2
        running.close()
    assert running.output == (
        f"error: port {port} of {host} is taken by another program\n"
        "  stop that one, or choose another port (--port 0 takes a free one)\n"
    )
