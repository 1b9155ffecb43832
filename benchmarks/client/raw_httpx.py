"""httpx and pydantic by hand: what a careful user writes without us."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from benchmarks.client.worker import Call
from benchmarks.orders import Order, Placement


@asynccontextmanager
async def caller(url: str) -> AsyncIterator[Call]:
    async with httpx.AsyncClient(base_url=url) as client:

        async def place_order(placement: Placement) -> Order:
            response = await client.post(
                "/orders",
                content=placement.model_dump_json(),
                headers={"content-type": "application/json", "accept": "application/json"},
            )
            response.raise_for_status()
            return Order.model_validate_json(response.content)

        yield place_order
