"""The errors that callers can count on."""

from __future__ import annotations

from typing import Literal

from client_kit.contracts import ServiceError


class UnknownArticle(ServiceError, status=404):
    """There is no such article; list_articles tells which there are."""

    sku: str


class OutOfStock(ServiceError, status=409):
    """Fewer are left than were ordered."""

    sku: str
    left: int


class OrderNotFound(ServiceError, status=404):
    """There is no order with this id."""

    order_id: str


class OrderClosed(ServiceError, status=409):
    """The order is shipped or cancelled; nothing can be changed any more."""

    order_id: str
    closed_as: Literal["placed", "paid", "shipped", "cancelled"]


class NotOrchestrated(ServiceError, status=409):
    """The order is driven by events: no workflow is there to hear of approvals and
    cancellations.
    """

    order_id: str


class NotBegun(ServiceError, status=409):
    """The order's workflow has not begun yet, as in the first moment of a batch; try
    again.
    """

    order_id: str
