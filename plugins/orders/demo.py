"""Serve the orders service on a free port of this machine, call it over HTTP, break it, and stop it in the middle."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn

from client_kit import DeadLetter, ServiceClient, connect, manage
from plugins.orders.choreography import OrderCreated
from plugins.orders.client import tour
from plugins.orders.doubles import FakeShipping
from plugins.orders.repository import SqliteOrders
from plugins.orders.service import Orders, orders_of
from plugins.orders.shop import Shop
from service_kit import LocalHost, Service


@asynccontextmanager
async def serving(service: type[Service], path: Path) -> AsyncGenerator[str, None]:
    """Run all of a service, HTTP on loopback, in a thread with an event loop of its own; yield the URL."""
    # It listens from here on: a call that comes before the server has started waits for it.
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(LocalHost(service, path).asgi(), log_level="critical"))
    running = asyncio.create_task(asyncio.to_thread(server.run, [listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


async def main(folder: Path) -> None:
    logging.getLogger("service_kit").addHandler(logging.NullHandler())  # we print what it would say
    os.environ["no_proxy"] = "127.0.0.1"  # a proxy, where the environment names one, cannot reach us
    shipping = FakeShipping()
    service = orders_of(Shop(SqliteOrders(folder / "shop.db"), shipping=shipping))
    executions = folder / "executions.db"

    async with serving(service, executions) as url, connect(Orders, url) as orders:
        print(f"The orders service runs at {url}; a typed client calls it over HTTP:\n")
        await tour(orders)
        await publish_twice(orders)
        await break_and_mend(orders, shipping)
        dear = await orders.place_order("chair", 10, grace_s=0)
    print(f"\nThe service has stopped while {dear.id} waits for approval, and starts again on the same file:")
    async with serving(service, executions) as url, connect(Orders, url) as orders:
        await orders.approve_order(dear.id, by="ben")
        shipment = await orders.process_order.get(dear.id).result()
        print(f"approve_order    {shipment.order_id}, {shipment.tracking_id}")
    print("\nThe service has stopped. Read plugins/orders/orchestration.py and choreography.py next.")
    print("plugins/orders/README.md says how to keep it running, and what the difference is.")


async def publish_twice(orders: ServiceClient[Orders]) -> None:
    """Tell of an order again, from outside: whoever listens is used to hearing things twice."""
    order = await orders.place_order("lamp", pipeline="choreography")
    await manage(orders).emit(OrderCreated(order_id=order.id))
    shipped = await orders.get_order(order.id, wait_s=20)
    print(f"emit             {shipped.id} was announced twice, and is {shipped.status} once")


async def break_and_mend(orders: ServiceClient[Orders], shipping: FakeShipping) -> None:
    """Let a handler fail for good; find the event with the traceback; mend the cause and deliver it again."""
    await shipping.script.plan("refused")
    order = await orders.place_order("lamp", pipeline="choreography")
    letter = await first_dead_letter(orders)
    print(f"dead_letters     {letter.event} of {letter.payload['order_id']}, at {letter.subscription}:")
    print(f"                 {letter.error}: {letter.message}")
    count = await manage(orders).redrive(letter.subscription)
    mended = await orders.get_order(order.id, wait_s=20)
    print(f"redrive          {count} delivered again; {mended.id} is {mended.status}")


async def first_dead_letter(orders: ServiceClient[Orders]) -> DeadLetter:
    while not (letters := await manage(orders).dead_letters()):  # noqa: ASYNC110 - its attempts are made elsewhere
        await asyncio.sleep(0.01)
    return letters[0]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(Path(temporary)))
