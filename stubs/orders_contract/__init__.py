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
__digest__ = "sha256:71c2fdcf48bcb391ed594049f41e1c4eb8c324df513f49e0c71e76fcea5f2685"
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
