"""What the service publishes."""

from __future__ import annotations

from client_kit.contracts import Event


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
