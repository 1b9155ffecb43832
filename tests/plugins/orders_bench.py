"""The orders service with doubles of the outside world, called through its typed client over HTTP in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from client_kit import InProcessTransport, ServiceClient, connect
from plugins.orders.doubles import FakeMail, FakePayments, FakeShipping, Script
from plugins.orders.notes import Notes
from plugins.orders.repository import OrderRepository, SqliteOrders
from plugins.orders.service import Orders, orders_of
from plugins.orders.shop import Shop
from service_kit import LocalHost

URL = "http://orders.test"
DEADLINE_S = 120
"""After which it is too late: functions on a busy machine take a while to start."""


@dataclass(frozen=True, slots=True)
class World:
    """What the service works with, as tests see and upset it."""

    orders: OrderRepository
    payments: FakePayments
    shipping: FakeShipping
    mail: FakeMail

    @property
    def shop(self) -> Shop:
        return Shop(self.orders, self.payments, self.shipping, self.mail)


def world_of(orders: OrderRepository, notes: Notes | None = None, mail: FakeMail | None = None) -> World:
    """Return a world whose doubles remember in these notes, or in memory."""
    return World(orders, FakePayments(notes), FakeShipping(notes), mail or FakeMail(notes))


def world_in(folder: Path, mail: FakeMail | None = None) -> World:
    """Return a world whose orders are in a file of a folder."""
    return world_of(SqliteOrders(folder / "shop.db"), mail=mail)


async def asked(script: Script) -> list[str]:
    """Return what was asked for, in the alphabet's order."""
    return sorted(await script.requests())


Story: TypeAlias = Callable[[ServiceClient[Orders], World], Awaitable[None]]
"""What is done with the service, and what has to be seen then."""


@asynccontextmanager
async def hosted(world: World, folder: Path) -> AsyncIterator[ServiceClient[Orders]]:
    """Run all of the service, its executions in a file of a folder; yield a client."""
    service = orders_of(world.shop)
    async with (
        LocalHost(service, folder / "executions.db") as host,
        connect(Orders, URL, transport=InProcessTransport(host.asgi())) as orders,
    ):
        yield orders


def told_at_home(world: World, folder: Path, *stories: Story) -> None:
    """Tell stories one after the other, each on a host of its own over the same files."""

    async def run() -> None:
        for story in stories:
            async with hosted(world, folder) as orders:
                await story(orders, world)

    asyncio.run(run())


async def eventually(holds: Callable[[], Awaitable[object]]) -> None:
    """Return as soon as something is true; fail if it is not in time."""
    async with asyncio.timeout(DEADLINE_S):
        while not await holds():
            await asyncio.sleep(0.01)
