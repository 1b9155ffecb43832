"""Ways to call in these tests: real servers on loopback, each transport, async and sync."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread
from typing import Any, Protocol

import pytest
import uvicorn

from client_kit import AiohttpTransport, HttpxTransport, Transport, connect
from tests.client_kit.shop import Order, Shop

Serve = Callable[[Any], str]
Talk = Callable[[socket.socket], None]
ServeBytes = Callable[[Talk], str]


class Call(Protocol):
    """Place an order with one transport in one style; `options` are those of `connect`."""

    def __call__(self, url: str, *, key: str | None = None, **options: Any) -> Order: ...


class Items(Protocol):
    """Read the stream with one transport in one style; the orders' ids go to `seen` one by one."""

    def __call__(self, url: str, seen: list[str], **options: Any) -> None: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve ASGI applications with uvicorn; return each one's URL."""
    running: list[tuple[uvicorn.Server, Thread]] = []

    def start(app: Any) -> str:
        server = uvicorn.Server(
            uvicorn.Config(app, port=0, log_level="critical", timeout_graceful_shutdown=2)
        )
        thread = Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            thread.join(0.005)
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join()


@pytest.fixture
def serve_bytes() -> Iterator[ServeBytes]:
    """Serve connections by a function on a socket, for what no well-behaved server does."""
    listeners: list[tuple[socket.socket, Thread]] = []

    def start(talk: Talk) -> str:
        listener = socket.create_server(("127.0.0.1", 0))

        def accept() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer, suppress(ConnectionError):
                    talk(peer)

        thread = Thread(target=accept)
        thread.start()
        listeners.append((listener, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener, thread in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def read_request(peer: socket.socket) -> bytes:
    """Read one request with its body."""
    head, _, body = _read_until(peer, b"", lambda seen: b"\r\n\r\n" in seen).partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    _read_until(peer, body, lambda seen: len(seen) >= length)
    return head


def _read_until(peer: socket.socket, seen: bytes, enough: Callable[[bytes], bool]) -> bytes:
    while not enough(seen):
        chunk = peer.recv(65536)
        if not chunk:
            raise ConnectionError("the client closed the connection")
        seen += chunk
    return seen


def reset(peer: socket.socket) -> None:
    """End the connection with a reset, as a crashed machine or an impatient proxy does."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def unused_url() -> str:
    """A URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(params=["httpx", "aiohttp"])
def make_transport(request: pytest.FixtureRequest) -> Callable[[], Transport]:
    """Each transport that goes over a network."""
    return {"httpx": HttpxTransport, "aiohttp": AiohttpTransport}[request.param]


@pytest.fixture(params=["async", "sync"])
def style(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def call(make_transport: Callable[[], Transport], style: str) -> Call:
    def run(url: str, *, key: str | None = None, **options: Any) -> Order:
        connecting = connect(Shop, url, **{"transport": make_transport(), **options})
        if style == "sync":
            with connecting as shop:
                return shop.place.options(idempotency_key=key).sync("sku-1", quantity=2)

        async def place() -> Order:
            async with connecting as shop:
                return await shop.place.options(idempotency_key=key)("sku-1", quantity=2)

        return asyncio.run(place())

    return run


@pytest.fixture
def items(make_transport: Callable[[], Transport], style: str) -> Items:
    def run(url: str, seen: list[str], **options: Any) -> None:
        timeout_s = options.pop("timeout_s", None)
        connecting = connect(Shop, url, **{"transport": make_transport(), **options})
        if style == "sync":
            with connecting as shop:
                for order in shop.tail.options(timeout_s=timeout_s).sync(3):
                    seen.append(order.id)  # noqa: PERF401 - seen while the stream runs
            return

        async def read() -> None:
            async with connecting as shop, shop.tail.options(timeout_s=timeout_s).stream(3) as orders:
                async for order in orders:
                    seen.append(order.id)  # noqa: PERF401 - as above

        asyncio.run(read())

    return run
