"""An agent's client of the protocol, the official one, in the process of the service that it asks: no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from service_kit import Service
from service_kit.http import HttpOptions

Mode = Literal["auto", "legacy"]
"""Of the revision of 2026-07-28, or of those that begin with a handshake."""

BASE = "http://orders.test"


@asynccontextmanager
async def agent(
    service: Any,
    *,
    mode: Mode = "auto",
    headers: Mapping[str, str] | None = None,
    options: HttpOptions | None = None,
    path: str = "/mcp",
) -> AsyncGenerator[Client]:
    """Connect a client to a service, or to any ASGI application."""
    if isinstance(service, type) and issubclass(service, Service):
        service = service.asgi(options)
    transport = httpx2.ASGITransport(service)
    async with (
        httpx2.AsyncClient(transport=transport, headers=headers) as http,
        Client(streamable_http_client(f"{BASE}{path}", http_client=http), mode=mode) as client,
    ):
        yield client


def with_agent(service: Any, use: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    """Run `use` with a client of the service."""

    async def run() -> None:
        async with agent(service, **options) as client:
            await use(client)

    asyncio.run(run())
