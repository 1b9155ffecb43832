"""Contract of the service Orders, version 1.0.0.

Written by `service-kit contract`: write it again rather than edit it.
"""

from __future__ import annotations

from .errors import (
    NotBegun,
    NotOrchestrated,
    OrderClosed,
    OrderNotFound,
    OutOfStock,
    UnknownArticle,
)
from .models import Article, Item, Order
from .service import Orders

__version__ = "1.0.0"
__digest__ = "sha256:b71617c712f9e28903fc5d9f23b46be08f59228fedad23d4d3d77fa9865df856"
"""A digest of the other files."""

__all__ = [
    "Article",
    "Item",
    "NotBegun",
    "NotOrchestrated",
    "Order",
    "OrderClosed",
    "OrderNotFound",
    "Orders",
    "OutOfStock",
    "UnknownArticle",
]
