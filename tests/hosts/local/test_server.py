"""Stopping: bounded, whatever the requests in flight do. Each server is a process, since signals are a process's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEADLINE_S = 60.0

PROGRAM = """
import asyncio, sys, threading
from contextlib import asynccontextmanager
from fastapi import APIRouter
from service_kit import Service, command
from service_kit.hosts.local import server
from service_kit.hosts.local.listening import listen, url_of
from service_kit.hosts.local.logs import configure_logs

def say(text: str) -> None:
    print(text, flush=True)

@command
async def cancelled() -> None:
    say("begun")
    try:
        await asyncio.Event().wait()
    finally:
        say("cancelled")

@command
def stuck() -> None:
    say("begun")
    threading.Event().wait()

@asynccontextmanager
async def lifespan():
    yield
    say("closed")

router = APIRouter()

@router.post("/raw")
async def raw() -> None:
    await cancelled()

class Slow(Service, lifespan=lifespan, routes=[router]):
    cancelled = cancelled
    stuck = stuck

configure_logs(as_json=False)
server.MARGIN_S = int(sys.argv[1])
listener = listen("127.0.0.1", 0)
server.serve(Slow.asgi(), listener, grace_s=1, on_started=lambda: say(url_of(listener)))
say("returned")
"""

Serve = Callable[[int], subprocess.Popen[str]]

CALL = """
import sys, httpx
answer = httpx.post(sys.argv[1], json={}, timeout=None)
print(answer.status_code, answer.headers["content-type"], answer.json()["type"], answer.json()["detail"], sep="|")
"""


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start the server with that many seconds between the end of the grace and the end of the process."""
    started: list[subprocess.Popen[str]] = []

    def start(margin_s: int) -> subprocess.Popen[str]:
        started.append(_start(PROGRAM, str(margin_s)))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _end_during(serving: subprocess.Popen[str], path: str) -> tuple[int, list[str], str]:
    """Tell the server to stop during a request; return its exit status, what it printed since, and the answer."""
    assert serving.stdout is not None
    url = serving.stdout.readline().strip()
    caller = _start(CALL, f"{url}/{path}")
    assert serving.stdout.readline() == "begun\n"
    serving.send_signal(signal.SIGTERM)
    output, _ = serving.communicate(timeout=DEADLINE_S)
    answer, _ = caller.communicate(timeout=DEADLINE_S)
    return serving.returncode, output.splitlines(), answer


@pytest.mark.parametrize("path", ["rpc/cancelled", "raw"])
def test_a_request_that_outlasts_the_grace_is_cancelled_and_told_so(serve: Serve, path: str) -> None:
    status, lines, answer = _end_during(serve(60), path)
    assert status == 0, lines
    assert lines[0].endswith("finishing what is in flight (1), for at most 1 s")
    assert [line for line in lines if line in ("cancelled", "closed", "returned")] == [
        "cancelled",
        "closed",
        "returned",
    ]
    assert answer == (
        "503|application/problem+json|urn:problem-type:service-kit:stopping|"
        "the service is stopping, and ended this request before it was finished; try again where that is safe\n"
    )
    assert not [line for line in lines if "Traceback" in line]


def test_a_thread_that_cannot_be_cancelled_does_not_keep_the_process(serve: Serve) -> None:
    status, lines, _ = _end_during(serve(0), "rpc/stuck")
    assert status == 1
    assert lines[-1].endswith("what was in flight did not end in time and is left behind")
