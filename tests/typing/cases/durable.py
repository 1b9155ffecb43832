"""Workflows, tasks, signals and events, right and wrong, inside the service and from a client."""

# pyright: strict
from __future__ import annotations

import asyncio
from typing import reveal_type

from client_kit import ServiceClient, manage
from service_kit import Event, Retry, Service, Signal, subscription, task, workflow
from tests.typing.cases.orders import Order


class OrderPlaced(Event):
    order_id: str


cancelled = Signal("cancelled", str)
rated = Signal("rated", int)


@task(retry=Retry(max_attempts=5, backoff_s=1), timeout_s=30)
async def charge_card(order_id: str) -> int:
    return len(order_id)


@task
def print_label(order: Order) -> str:
    return order.id


@task(retries=3)  # error: unknown keyword: task
async def unknown_option() -> None: ...


@workflow
async def process_order(order_id: str) -> Order:
    reveal_type(await charge_card(order_id))  # reveal: int
    reveal_type(await print_label(Order(id="1", sku="a")))  # reveal: str
    both = await asyncio.gather(charge_card(order_id), print_label(Order(id="1", sku="a")))
    reveal_type(both)  # reveal: tuple[int, str]
    reveal_type(await cancelled.receive())  # reveal: str
    await OrderPlaced(order_id=order_id).emit()
    await charge_card(1)  # error: wrong type: str
    await charge_card()  # error: missing argument: order_id
    charge_card(order_id).bit_length()  # error: no attribute: bit_length
    OrderPlaced(order_id=1)  # error: wrong type
    OrderPlaced()  # error: missing argument: order_id
    return Order(id=order_id, sku="a")


@subscription(OrderPlaced)
async def count_orders(event: OrderPlaced) -> None:
    reveal_type(event.order_id)  # reveal: str


class Orders(Service):
    process_order = process_order
    cancelled = cancelled


async def use(orders: ServiceClient[Orders]) -> None:
    run = await orders.process_order.start("order-1")
    reveal_type(await run.result())  # reveal: Order
    reveal_type(await orders.process_order.get("order-1").result())  # reveal: Order
    await run.signal(Orders.cancelled, "changed my mind")
    await run.signal(rated, 3)
    await run.signal(Orders.cancelled, 3)  # error: no common type
    await manage(orders).emit(OrderPlaced(order_id="order-1"))
    await manage(orders).emit(Order(id="1", sku="a"))  # error: wrong type
    await orders.process_order.start(1)  # error: wrong type: str
    await orders.process_order.start()  # error: missing argument: order_id
    await orders.charge_card("order-1")  # error: no attribute: charge_card
