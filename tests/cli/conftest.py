"""A folder with the user's modules, and the command line run in it."""

from __future__ import annotations

import importlib
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any, Literal

import pytest
import uvicorn
from typer.testing import CliRunner, Result

from service_kit.cli.app import app
from service_kit.cli.targets import load_service
from service_kit.hosts.local.listening import listen, url_of

Serve = Callable[[object], str]

ORDERS = '''
from collections.abc import AsyncIterator
from pydantic import BaseModel
from service_kit import Service, ServiceError, command

class Order(BaseModel):
    """An order."""
    id: str
    sku: str
    quantity: int = 1

class OutOfStock(ServiceError, status=409):
    sku: str

@command(method="POST", path="/orders", errors=[OutOfStock])
async def place_order(sku: str, quantity: int = 1, gift: bool = False) -> Order:
    """Place an order."""
    if sku == "gone":
        raise OutOfStock(sku=sku)
    if sku == "bug":
        raise RuntimeError("a secret")
    return Order(id="o-1", sku=sku, quantity=quantity)

@command(errors=[OutOfStock])
async def tail(count: int) -> AsyncIterator[Order]:
    """Follow the orders."""
    for number in range(count):
        yield Order(id=f"o-{number}", sku="s-1")
        if number == 3:
            raise OutOfStock(sku="s-3")

@command
async def forget() -> None:
    """Forget all orders."""

class Orders(Service, version="1.2"):
    """Take orders."""
    place_order = place_order
    tail = tail
    forget = forget
'''

GUARDED = """
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import asyncio
import time
from service_kit import ApiKey, Bearer, Service, command, current_request

async def known(secret: str) -> str | None:
    return "somebody" if secret == "open-sesame" else None

header, query, cookie = ApiKey(known, "X-Key"), ApiKey(known, "k", "query", "q"), ApiKey(known, "c", "cookie", "c")

@command(security=[header])
async def by_header() -> str:
    return header.caller()

@command(method="POST", path="/by-query", security=[query])
async def by_query() -> str:
    return query.caller()

@command(security=[cookie])
async def by_cookie() -> str:
    return cookie.caller()

@command(security=[Bearer(known)])
async def by_bearer() -> str:
    return "somebody"

@command
async def echo(text: str, texts: list[str] = []) -> list[str]:
    return [text, *texts]

@command
async def headers() -> dict[str, str]:
    return dict(current_request().headers)

@command
async def wait() -> None:
    await asyncio.Event().wait()

@command
async def wait_in_stream() -> AsyncIterator[int]:
    yield 1
    await asyncio.Event().wait()

events: list[str] = []

@asynccontextmanager
async def lifespan():
    events.append("opened")
    yield
    events.append("closed")

class Guarded(Service, lifespan=lifespan):
    by_header = by_header
    by_query = by_query
    by_cookie = by_cookie
    by_bearer = by_bearer
    echo = echo
    headers = headers
    wait = wait
    wait_in_stream = wait_in_stream
"""


class Workshop:
    """A folder, as the current one, and what the command line says in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, source: str) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(source))
        importlib.invalidate_caches()
        return file

    def run(self, *arguments: str, stdin: str | None = None) -> Result:
        return CliRunner(env={"COLUMNS": "200"}).invoke(app, list(arguments), input=stdin)


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> Literal["auto", "legacy"]:
    """Speak MCP as clients of the revision of 2026-07-28 do, and as those before it."""
    chosen: Literal["auto", "legacy"] = request.param
    return chosen


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    made = Workshop(tmp_path)
    made.write("orders.py", ORDERS)
    logger = logging.getLogger("service_kit")
    handlers, level, propagate = logger.handlers, logger.level, logger.propagate
    yield made
    logger.handlers, logger.propagate = handlers, propagate
    logger.setLevel(level)
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve an ASGI application on loopback; returns its URL."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(application: object) -> str:
        listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(application, log_level="warning", ws="none", lifespan="on")  # type: ignore[arg-type]  # any ASGI application
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        running.append((server, thread))
        return url_of(listener)

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture
def guarded(workshop: Workshop) -> Workshop:
    workshop.write("guarded.py", GUARDED)
    return workshop


@pytest.fixture
def guarded_url(guarded: Workshop, serve: Serve) -> str:
    return serve(load_service("guarded").asgi())


def called(workshop: Workshop, *words: str) -> Any:
    """Return the answer of a call that must go well."""
    result = workshop.run("call", *words)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)
