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
__digest__ = "sha256:4d9c6f72fab897c011ec3c184f5bdad7559b37eb8ef87fbfea7ea95f75f43fac"
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
