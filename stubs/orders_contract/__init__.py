"""Contract of the service Orders, version 1.0.0.

Written by `service-kit contract`: write it again rather than edit it.
"""

from __future__ import annotations

from .errors import (
    CardDeclined,
    NotBegun,
    NotOrchestrated,
    OrderCancelled,
    OrderClosed,
    OrderNotFound,
    OutOfStock,
    ParcelRefused,
    UnknownArticle,
)
from .events import OrderCreated, OrderShipped, PaymentProcessed
from .models import (
    Article,
    Batch,
    Grace,
    Item,
    Order,
    OrderId,
    Pipeline,
    Progress,
    Quantity,
    Shipment,
    Sku,
    Status,
)
from .service import Orders

__version__ = "1.0.0"
__digest__ = "sha256:cacdfa4d86ab3ecb78852d33b1d2ab30c617d89e84ebac19366c072b25c12082"
"""A digest of the other files."""

__all__ = [
    "Article",
    "Batch",
    "CardDeclined",
    "Grace",
    "Item",
    "NotBegun",
    "NotOrchestrated",
    "Order",
    "OrderCancelled",
    "OrderClosed",
    "OrderCreated",
    "OrderId",
    "OrderNotFound",
    "OrderShipped",
    "Orders",
    "OutOfStock",
    "ParcelRefused",
    "PaymentProcessed",
    "Pipeline",
    "Progress",
    "Quantity",
    "Shipment",
    "Sku",
    "Status",
    "UnknownArticle",
]
