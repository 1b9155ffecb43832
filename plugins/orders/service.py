"""The orders plugin: take, pay for and ship orders, by events or by a workflow.

Run it with `service-kit dev plugins.orders.service:Orders`.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from plugins.orders import choreography
from plugins.orders.batches import process_orders
from plugins.orders.choreography import OrderCreated
from plugins.orders.model import (
    Article,
    Grace,
    Item,
    NotBegun,
    NotOrchestrated,
    Order,
    OrderClosed,
    OrderId,
    OrderNotFound,
    OutOfStock,
    Pipeline,
    Quantity,
    Sku,
    UnknownArticle,
)
from plugins.orders.orchestration import approved, cancelled, process_order, progress
from plugins.orders.reminders import remind_daily
from plugins.orders.repository import SqliteOrders
from plugins.orders.shop import Shop, lent, shop
from service_kit import ExecutionNotFound, Plugin, Service, Signal, command

LOOK_AGAIN_S = 0.05
MOST = 50
"""Orders in a batch: with as many articles they are 100 items, which a transaction of DynamoDB takes."""


@command(method="GET", path="/articles", summary="List what can be ordered", tags=["orders"])
async def list_articles() -> list[Article]:
    return await shop().orders.articles()


@command(
    method="POST",
    path="/orders",
    summary="Place an order",
    errors=[UnknownArticle, OutOfStock],
    tags=["orders"],
)
async def place_order(
    sku: Sku,
    quantity: Quantity = 1,
    pipeline: Pipeline = "orchestration",
    grace_s: Grace = 300,
) -> Order:
    """Place an order. It is paid for and shipped in the background; get_order tells how far it is."""
    item = Item(sku=sku, quantity=quantity, pipeline=pipeline, grace_s=grace_s)
    # Should the process end between this line and the next, the order stays `placed`, and nobody pays for it.
    [order] = await shop().orders.place([item])
    if pipeline == "choreography":
        await OrderCreated(order_id=order.id).emit()
    else:
        await process_order.options(id=order.id, attributes={"sku": sku}).start(order)
    return order


@command(
    method="POST",
    path="/batches",
    summary="Place several orders, all or none",
    errors=[UnknownArticle, OutOfStock],
    tags=["orders"],
)
async def place_orders(items: Annotated[list[Item], Field(min_length=1, max_length=MOST)]) -> list[Order]:
    orders = await shop().orders.place(
        [item.model_copy(update={"pipeline": "orchestration"}) for item in items]
    )
    await process_orders.options(id=f"batch-{orders[0].id}").start(orders)
    return orders


@command(
    method="GET", path="/orders/{order_id}", summary="Show one order", errors=[OrderNotFound], tags=["orders"]
)
async def get_order(
    order_id: OrderId,
    wait_s: Annotated[
        float, Field(ge=0, le=25, description="Seconds to wait for the order to be shipped or cancelled")
    ] = 0,
) -> Order:
    order = await shop().orders.get(order_id)
    deadline_s = asyncio.get_running_loop().time() + wait_s
    while order.status not in ("shipped", "cancelled") and asyncio.get_running_loop().time() < deadline_s:
        await asyncio.sleep(LOOK_AGAIN_S)
        order = await shop().orders.get(order_id)
    return order


@command(
    method="POST",
    path="/orders/{order_id}/approve",
    summary="Approve an order that is too dear to go by itself",
    errors=[OrderNotFound, OrderClosed, NotOrchestrated, NotBegun],
    tags=["orders"],
)
async def approve_order(
    order_id: OrderId, by: Annotated[str, Field(description="Who approves it", examples=["ann"])]
) -> None:
    await _tell(order_id, approved, by)


@command(
    method="POST",
    path="/orders/{order_id}/cancel",
    summary="Ask for an order to be called off",
    errors=[OrderNotFound, OrderClosed, NotOrchestrated, NotBegun],
    tags=["orders"],
)
async def cancel_order(
    order_id: OrderId, reason: Annotated[str, Field(description="Why", examples=["changed my mind"])]
) -> None:
    """Ask for an order to be called off. It is, unless its parcel leaves right now; get_order tells."""
    await _tell(order_id, cancelled, reason)


async def _tell(order_id: str, signal: Signal[str], text: str) -> None:
    """Send a signal to the workflow of an order that is not closed."""
    order = await shop().orders.get(order_id)
    if order.pipeline != "orchestration":
        raise NotOrchestrated(order_id=order_id)
    if order.status in ("shipped", "cancelled"):
        raise OrderClosed(order_id=order_id, closed_as=order.status)
    try:
        await process_order.get(order_id).signal(signal, text)
    except ExecutionNotFound:
        raise NotBegun(order_id=order_id) from None


def _shared() -> Shop:
    """Return the shop of this process: in the table ORDERS_TABLE, or in the file ORDERS_DB. Its bank is a double."""
    if table := os.environ.get("ORDERS_TABLE"):
        from plugins.orders.dynamodb import ShopTable, table_shop

        return table_shop(ShopTable(table))
    path = Path(os.environ.get("ORDERS_DB", ".service-kit/shop.db"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return Shop(SqliteOrders(path))


class Orders(
    Service,
    version="1.0.0",
    include=[choreography],
    lifespan=lent(_shared),
    plugin=Plugin(
        name_for_model="orders",
        name_for_human="Orders Plugin",
        description_for_model="Order articles for the user. List the articles to learn what there is and what it "
        "costs. An order is paid for and shipped in the background: get the order to learn how far it is. From "
        "1000.00 on, somebody has to approve an order before it is paid for. It can be called off until it is shipped.",
        description_for_human="Order articles, and follow your orders until they are shipped.",
    ),
):
    """Take, pay for and ship orders."""

    list_articles = list_articles
    place_order = place_order
    place_orders = place_orders
    get_order = get_order
    approve_order = approve_order
    cancel_order = cancel_order

    process_order = process_order
    process_orders = process_orders
    remind_daily = remind_daily

    approved = approved
    cancelled = cancelled
    progress = progress


def orders_of(own: Shop) -> type[Orders]:
    """Return the same service with a shop of your own: for tests, or with a real bank and a real carrier."""

    class ShopOrders(Orders, name="orders", lifespan=lent(lambda: own)):
        pass

    return ShopOrders
