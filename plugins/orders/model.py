"""What travels: articles, orders, shipments, and the errors that callers can count on.

Descriptions and examples are written for whoever reads the specification, people and agents alike.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

from service_kit import ServiceError

Sku: TypeAlias = Annotated[
    str, Field(max_length=50, description="Article, as list_articles tells it", examples=["lamp"])
]
OrderId: TypeAlias = Annotated[
    str, Field(max_length=50, description="Order, as place_order tells it", examples=["o-1"])
]
Quantity: TypeAlias = Annotated[int, Field(ge=1, le=1_000, description="How many of the article")]
Pipeline: TypeAlias = Annotated[
    Literal["orchestration", "choreography"],
    Field(description="Who drives the order: a workflow, or events between services"),
]
Grace: TypeAlias = Annotated[
    float, Field(ge=0, le=86_400, description="Seconds after the payment in which it can be called off")
]
Status: TypeAlias = Literal["placed", "paid", "shipped", "cancelled"]


class Article(BaseModel):
    """Something to order."""

    sku: Sku
    price_cents: Annotated[int, Field(ge=0, description="Price of one, in cents")]
    left: Annotated[int, Field(ge=0, description="How many can still be ordered")]


class Item(BaseModel):
    """What somebody wants."""

    sku: Sku
    quantity: Quantity = 1
    pipeline: Pipeline = "orchestration"
    grace_s: Grace = 300


class Order(Item):
    """Goods that somebody has ordered, and how far they are."""

    id: OrderId
    total_cents: Annotated[int, Field(ge=0, description="Price of all of it, in cents")]
    status: Annotated[Status, Field(description="How far it is; `shipped` and `cancelled` are final")] = (
        "placed"
    )


class Shipment(BaseModel):
    """A parcel that is on its way."""

    order_id: OrderId
    payment_id: str
    tracking_id: str
    approved_by: Annotated[str | None, Field(description="Who did, if somebody had to")] = None


class Batch(BaseModel):
    """What became of many orders."""

    shipped: list[Shipment]
    failed: Annotated[dict[str, str], Field(description="Reasons, by order")]


class Progress(BaseModel):
    """Where a workflow stands; published while it runs."""

    step: Literal["awaiting approval", "paying", "in grace", "shipping", "shipped"]


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
    closed_as: Status


class NotOrchestrated(ServiceError, status=409):
    """The order is driven by events: no workflow is there to hear of approvals and cancellations."""

    order_id: str


class NotBegun(ServiceError, status=409):
    """The order's workflow has not begun yet, as in the first moment of a batch; try again."""

    order_id: str


class OrderCancelled(ServiceError, status=409):
    """The order was called off before it was shipped; what was paid is given back."""

    order_id: str
    reason: str


class CardDeclined(ServiceError, status=402):
    """The bank refuses the payment, now and later."""

    order_id: str


class ParcelRefused(ServiceError, status=409):
    """The carrier does not take the parcel, now and later."""

    order_id: str
