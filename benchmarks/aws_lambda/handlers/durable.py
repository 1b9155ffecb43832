"""A service of one of each, command, workflow, task and subscription: every function of a deployment imports it."""

from __future__ import annotations

from benchmarks.aws_lambda.handlers.models import Order, Placement
from service_kit import Event, Service, command, subscription, task, workflow


class Placed(Event):
    order_id: str


@task
async def charge(order_id: str) -> str:
    return order_id


@workflow
async def process(order_id: str) -> str:
    return await charge(order_id)


@command(method="POST", path="/orders")
async def place_order(placement: Placement) -> Order:
    order = Order(id="o-1", sku=placement.sku, quantity=placement.quantity)
    await process.options(id=order.id).start(order.id)
    await Placed(order_id=order.id).emit()
    return order


@subscription(Placed)
async def hear(event: Placed) -> None:
    pass


class Orders(Service):
    """Take orders, and process them."""

    place_order = place_order
    process = process
