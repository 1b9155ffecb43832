"""The order pipeline as choreography: nobody is in charge, each service answers the event before its own.

    OrderCreated -> PaymentProcessed -> OrderShipped

An event is delivered at least once, so every handler can be run twice: payments and parcels are keyed by the order.
"""

from __future__ import annotations

from plugins.orders.model import CardDeclined, ParcelRefused
from plugins.orders.shop import shop
from service_kit import Event, Retry, subscription

PATIENT = Retry(max_attempts=5, backoff_s=0.5, non_retryable=(CardDeclined, ParcelRefused))
"""What fails for good, or after these attempts, waits among the dead letters until somebody redrives it."""


class OrderCreated(Event):
    """A customer has placed an order."""

    order_id: str


class PaymentProcessed(Event):
    """An order is paid."""

    order_id: str
    payment_id: str


class OrderShipped(Event):
    """An order's parcel is on its way."""

    order_id: str
    tracking_id: str


@subscription(OrderCreated, retry=PATIENT)
async def process_order_payment(event: OrderCreated) -> None:
    order = await shop().orders.get(event.order_id)
    payment_id = await shop().payments.charge(order.id, order.total_cents)
    await PaymentProcessed(order_id=order.id, payment_id=payment_id).emit()


@subscription(PaymentProcessed, retry=PATIENT)
async def ship_order_after_payment(event: PaymentProcessed) -> None:
    tracking_id = await shop().shipping.ship(event.order_id)
    await OrderShipped(order_id=event.order_id, tracking_id=tracking_id).emit()


@subscription(OrderShipped)
async def update_order_status(event: OrderShipped) -> None:
    await shop().orders.update(event.order_id, "shipped")
