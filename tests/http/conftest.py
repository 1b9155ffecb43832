"""One way to ask a service in these tests: the whole ASGI application, no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any, Literal, Protocol

import httpx
import pytest
import uvicorn

from service_kit import Service
from service_kit.http import HttpOptions


class Ask(Protocol):
    """Send one request to a service, or to any ASGI application, and return its response."""

    def __call__(self, service: Any, method: str, path: str, **request: Any) -> httpx.Response: ...


def _ask(service: Any, method: str, path: str, **request: Any) -> httpx.Response:
    options: HttpOptions | None = request.pop("options", None)
    if isinstance(service, type) and issubclass(service, Service):
        service = service.asgi(options)

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(service)
        async with httpx.AsyncClient(transport=transport, base_url="http://orders.test") as client:
            return await client.request(method, path, **request)

    return asyncio.run(run())


@pytest.fixture
def ask() -> Ask:
    return _ask


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> Literal["auto", "legacy"]:
    """Speak MCP as clients of the revision of 2026-07-28 do, and as those before it."""
    chosen: Literal["auto", "legacy"] = request.param
    return chosen


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Serve ASGI applications with uvicorn on ports of their own; return each one's URL."""
    running: list[tuple[uvicorn.Server, Thread]] = []

    def start(application: Any) -> str:
        config = uvicorn.Config(
            application, port=0, log_level="warning", lifespan="auto", timeout_graceful_shutdown=5
        )
        server = uvicorn.Server(config)
        thread = Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            thread.join(0.005)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    yield start
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"
