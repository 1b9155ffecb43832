"""Every type of Orders, as stubs.orders_contract has it: written by probes.py."""

from __future__ import annotations

from typing import reveal_type

from client_kit import ServiceClient, connect
from stubs.orders_contract import (
    Article,
    Batch,
    CardDeclined,
    Item,
    NotBegun,
    NotOrchestrated,
    Order,
    OrderCancelled,
    OrderClosed,
    OrderCreated,
    OrderNotFound,
    Orders,
    OrderShipped,
    OutOfStock,
    ParcelRefused,
    PaymentProcessed,
    Progress,
    Shipment,
    UnknownArticle,
)


async def commands(client: ServiceClient[Orders]) -> None:
    reveal_type(client.list_articles)
    reveal_type(client.place_order)
    reveal_type(client.place_orders)
    reveal_type(client.get_order)
    reveal_type(client.approve_order)
    reveal_type(client.cancel_order)
    reveal_type(client.process_order)
    reveal_type(client.process_orders)
    reveal_type(client.remind_daily)
    async with connect(Orders, "http://127.0.0.1") as connected:
        reveal_type(connected)
    reveal_type(Orders.approved)
    reveal_type(Orders.cancelled)
    reveal_type(Orders.progress)


def fields_of_Article(it: Article) -> None:
    reveal_type(it.sku)
    reveal_type(it.price_cents)
    reveal_type(it.left)


def fields_of_Batch(it: Batch) -> None:
    reveal_type(it.shipped)
    reveal_type(it.failed)


def fields_of_CardDeclined(it: CardDeclined) -> None:
    reveal_type(it.order_id)


def fields_of_Item(it: Item) -> None:
    reveal_type(it.sku)
    reveal_type(it.quantity)
    reveal_type(it.pipeline)
    reveal_type(it.grace_s)


def fields_of_NotBegun(it: NotBegun) -> None:
    reveal_type(it.order_id)


def fields_of_NotOrchestrated(it: NotOrchestrated) -> None:
    reveal_type(it.order_id)


def fields_of_Order(it: Order) -> None:
    reveal_type(it.sku)
    reveal_type(it.quantity)
    reveal_type(it.pipeline)
    reveal_type(it.grace_s)
    reveal_type(it.id)
    reveal_type(it.total_cents)
    reveal_type(it.status)


def fields_of_OrderCancelled(it: OrderCancelled) -> None:
    reveal_type(it.order_id)
    reveal_type(it.reason)


def fields_of_OrderClosed(it: OrderClosed) -> None:
    reveal_type(it.order_id)
    reveal_type(it.closed_as)


def fields_of_OrderCreated(it: OrderCreated) -> None:
    reveal_type(it.order_id)


def fields_of_OrderNotFound(it: OrderNotFound) -> None:
    reveal_type(it.order_id)


def fields_of_OrderShipped(it: OrderShipped) -> None:
    reveal_type(it.order_id)
    reveal_type(it.tracking_id)


def fields_of_OutOfStock(it: OutOfStock) -> None:
    reveal_type(it.sku)
    reveal_type(it.left)


def fields_of_ParcelRefused(it: ParcelRefused) -> None:
    reveal_type(it.order_id)


def fields_of_PaymentProcessed(it: PaymentProcessed) -> None:
    reveal_type(it.order_id)
    reveal_type(it.payment_id)


def fields_of_Progress(it: Progress) -> None:
    reveal_type(it.step)


def fields_of_Shipment(it: Shipment) -> None:
    reveal_type(it.order_id)
    reveal_type(it.payment_id)
    reveal_type(it.tracking_id)
    reveal_type(it.approved_by)


def fields_of_UnknownArticle(it: UnknownArticle) -> None:
    reveal_type(it.sku)
