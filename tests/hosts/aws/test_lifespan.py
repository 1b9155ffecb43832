from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType

import pytest
from fastapi import APIRouter

from service_kit import Service, command
from service_kit.hosts import aws
from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.conftest import Ask
from tests.hosts.aws.recorded import http_api_2

log: list[str] = []
router = APIRouter()


@router.get("/raw")
async def raw() -> list[str]:
    return [*log, str(id(asyncio.get_running_loop()))]


life = ContextVar("life", default="outside")


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    life.set("inside")
    log[:] = [f"opened on {id(asyncio.get_running_loop())}"]
    await asyncio.sleep(0)
    yield
    log.append(f"closed on {id(asyncio.get_running_loop())}")


@command(method="GET")
async def look() -> list[str]:
    return [*log, str(id(asyncio.get_running_loop()))]


@command(method="GET")
async def where() -> str:
    return life.get()


class Living(Service, lifespan=lifespan, routes=[router]):
    look = look
    where = where


@pytest.fixture
def previous_sigterm() -> object:
    """Put back what listened to SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)
    yield before
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("previous_sigterm")
def test_a_call_sees_the_context_variables_that_the_lifespan_sets(ask: Ask) -> None:
    assert ask(Living, http_api_2("GET", "/where")).json() == "inside"


@pytest.mark.usefixtures("previous_sigterm")
def test_the_lifespan_opens_once_when_the_handler_is_made_and_closes_with_it(
    ask: Ask, handler_of: Callable[..., LambdaHandler]
) -> None:
    handler = handler_of(Living)
    (opened,) = log
    for path in ("/look", "/raw", "/look"):
        (still, loop) = ask(handler, http_api_2("GET", path)).json()
        assert still == opened == f"opened on {loop}"
    handler.close()
    assert log == [opened, opened.replace("opened", "closed")]
    handler.close()


@pytest.mark.usefixtures("previous_sigterm")
def test_after_a_snapshot_the_lifespan_opens_with_the_first_call(
    ask: Ask, handler_of: Callable[..., LambdaHandler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    log.clear()
    handler = handler_of(Living)
    assert log == []
    assert len(ask(handler, http_api_2("GET", "/look")).json()) == 2
    assert len(ask(handler, http_api_2("GET", "/look")).json()) == 2


PROGRAM = """
import os, signal, sys
from contextlib import asynccontextmanager
from contextvars import ContextVar
from service_kit import Service, command
from service_kit.hosts.aws import lambda_handler
from tests.hosts.aws.recorded import http_api_2

@asynccontextmanager
async def lifespan():
    yield
    print("closed", flush=True)

@command(method="GET")
async def ask_for_the_end() -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    return "answered"

class Living(Service, lifespan=lifespan):
    ask_for_the_end = ask_for_the_end

handler = lambda_handler(Living)
if sys.argv[1] == "busy":
    print(handler(http_api_2("GET", "/ask_for_the_end"))["body"], flush=True)
else:
    os.kill(os.getpid(), signal.SIGTERM)
    print("not reached", flush=True)
"""


@pytest.mark.parametrize(("when", "printed"), [("idle", ["closed"]), ("busy", ["closed", '"answered"'])])
def test_sigterm_closes_the_lifespan_after_the_running_call(when: str, printed: list[str]) -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, when],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, printed, "")


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the package as if nobody had asked for its handler."""
    monkeypatch.delitem(vars(aws), "handler", raising=False)
    return aws


def test_the_environment_names_the_service(
    ask: Ask, fresh: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE", "tests.hosts.aws.shop:Shop")
    handler = fresh.handler
    assert fresh.handler is handler
    assert ask(handler, http_api_2("GET", "/orders/o-1")).json()["id"] == "o-1"
    handler.close()
    del fresh.handler
    gc.unfreeze()


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("", "set it to module:Service, such as orders:Orders"),
        ("tests.hosts.aws.shop", "set it to module:Service, such as orders:Orders"),
        ("tests.hosts.aws.shop:Order", "name a subclass of Service"),
        ("tests.hosts.aws.shop:Missing", "name a subclass of Service"),
    ],
)
def test_an_environment_that_names_no_service_is_told(
    fresh: ModuleType, monkeypatch: pytest.MonkeyPatch, named: str, message: str
) -> None:
    monkeypatch.setenv("SERVICE", named)
    with pytest.raises((LookupError, TypeError), match=message):
        _ = fresh.handler
