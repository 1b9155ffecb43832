"""A contract as a team would write it: every checker must accept all of it."""

# pyright: strict
from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from pydantic import BaseModel, Field

from service_kit import Service, ServiceError, command


class Order(BaseModel):
    id: str
    sku: str
    quantity: int = 1


class OutOfStock(ServiceError, status=409, title="Out of stock"):
    sku: str
    left: int = 0


class Closed(ServiceError, status=503):
    until: str = "further notice"


@command(method="POST", path="/orders", summary="Place an order", errors=[OutOfStock, Closed])
async def place_order(
    sku: Annotated[str, Field(description="what to order")], quantity: int = 1, *, note: str | None = None
) -> Order:
    if quantity > 100:
        raise OutOfStock(sku=sku, left=100)
    return Order(id="1", sku=note or sku, quantity=quantity)


@command(method="GET", path="/orders/{order_id}", timeout_s=2.5, tags=["orders"])
def get_order(order_id: str) -> Order | None:
    return None if order_id == "0" else Order(id=order_id, sku="sku")


@command
async def import_orders(orders: list[Order]) -> dict[str, Order]:
    return {order.id: order for order in orders}


@command
async def cancel_order(order_id: str) -> None:
    print(order_id)


@command
def count_orders() -> int:
    return 0


@command
async def watch_orders(limit: int = 10) -> AsyncIterator[Order]:
    for number in range(limit):
        yield Order(id=str(number), sku="sku")


@command(method="GET", path="/log")
async def read_log(since: str) -> AsyncIterator[str]:
    yield since


class Orders(Service, name="orders", version="1.2"):
    """Take, pay for and ship orders."""

    place_order = place_order
    get_order = get_order
    import_orders = import_orders
    cancel_order = cancel_order
    count_orders = count_orders
    watch_orders = watch_orders
    read_log = read_log
