"""aiohttp and pydantic by hand: the floor of the fast transport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from benchmarks.client.worker import Call
from benchmarks.orders import Order, Placement


@asynccontextmanager
async def caller(url: str) -> AsyncIterator[Call]:
    async with aiohttp.ClientSession(base_url=url) as session:

        async def place_order(placement: Placement) -> Order:
            async with session.post(
                "/orders",
                data=placement.model_dump_json(),
                headers={"content-type": "application/json", "accept": "application/json"},
            ) as response:
                response.raise_for_status()
                return Order.model_validate_json(await response.read())

        yield place_order
