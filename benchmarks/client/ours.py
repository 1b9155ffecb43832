"""The typed client, over its default transport and over the fast one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.client.worker import Call
from benchmarks.orders import Order, Placement
from client_kit import AiohttpTransport, connect
from service_kit import Service, command


@command
async def place_order(placement: Placement) -> Order:
    raise NotImplementedError("only its contract is used")


class Orders(Service):
    """Take orders."""

    place_order = place_order


@asynccontextmanager
async def over_httpx(url: str) -> AsyncIterator[Call]:
    async with connect(Orders, url) as client:
        yield client.place_order


@asynccontextmanager
async def over_aiohttp(url: str) -> AsyncIterator[Call]:
    async with connect(Orders, url, transport=AiohttpTransport()) as client:
        yield client.place_order
