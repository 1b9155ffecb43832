"""A folder with the user's modules, and the command line run in it."""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
import uvicorn
from typer.testing import CliRunner, Result

from service_kit.cli.app import app
from service_kit.hosts.local.listening import listen, url_of

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

@command
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
def serve() -> Iterator[Callable[[object], str]]:
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
