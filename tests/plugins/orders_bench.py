"""The orders service with doubles of the outside world, called through its typed client over HTTP in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from client_kit import InProcessTransport, ServiceClient, connect
from plugins.orders.outside import FakeMail, FakePayments, FakeShipping
from plugins.orders.repository import SqliteOrders
from plugins.orders.service import Orders, orders_of
from plugins.orders.shop import Shop
from service_kit import LocalHost

URL = "http://orders.test"


@dataclass(frozen=True, slots=True)
class World:
    """What is outside of the service, and outlives it."""

    folder: Path
    payments: FakePayments = field(default_factory=FakePayments)
    shipping: FakeShipping = field(default_factory=FakeShipping)
    mail: FakeMail = field(default_factory=FakeMail)

    @property
    def shop(self) -> Shop:
        return Shop(SqliteOrders(self.folder / "shop.db"), self.payments, self.shipping, self.mail)


Test: TypeAlias = Callable[[ServiceClient[Orders]], Awaitable[None]]


@asynccontextmanager
async def hosted(world: World) -> AsyncIterator[ServiceClient[Orders]]:
    """Run all of the service on the world's folder; yield a client."""
    service = orders_of(world.shop)
    async with (
        LocalHost(service, world.folder / "executions.db") as host,
        connect(Orders, URL, transport=InProcessTransport(host.asgi())) as orders,
    ):
        yield orders


def with_orders(world: World, *tests: Test) -> None:
    """Run tests one after the other, each on a host of its own over the same files."""

    async def run() -> None:
        for test in tests:
            async with hosted(world) as orders:
                await test(orders)

    asyncio.run(run())


async def eventually(holds: Callable[[], Awaitable[object]], deadline_s: float = 20) -> None:
    """Return as soon as something is true; fail if it is not in time."""
    async with asyncio.timeout(deadline_s):
        while not await holds():
            await asyncio.sleep(0.005)
