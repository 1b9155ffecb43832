"""What travels."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, Field

Sku: TypeAlias = Annotated[
    str,
    Field(
        max_length=50,
        description="Article, as list_articles tells it",
        examples=["lamp"],
    ),
]


class Article(BaseModel):
    """Something to order."""

    sku: Sku
    price_cents: Annotated[int, Field(ge=0, description="Price of one, in cents")]
    left: Annotated[int, Field(ge=0, description="How many can still be ordered")]


Quantity: TypeAlias = Annotated[
    int,
    Field(ge=1, le=1000, description="How many of the article"),
]
Pipeline: TypeAlias = Annotated[
    Literal["orchestration", "choreography"],
    Field(description="Who drives the order: a workflow, or events between services"),
]
Grace: TypeAlias = Annotated[
    float,
    Field(
        ge=0,
        le=86400,
        description="Seconds after the payment in which it can be called off",
    ),
]


class Item(BaseModel):
    """What somebody wants."""

    sku: Sku
    quantity: Quantity = 1
    pipeline: Pipeline = "orchestration"
    grace_s: Grace = 300


OrderId: TypeAlias = Annotated[
    str,
    Field(
        max_length=50,
        description="Order, as place_order tells it",
        examples=["o-1"],
    ),
]
Status: TypeAlias = Literal["placed", "paid", "shipped", "cancelled"]


class Order(Item):
    """Goods that somebody has ordered, and how far they are."""

    id: OrderId
    total_cents: Annotated[int, Field(ge=0, description="Price of all of it, in cents")]
    status: Annotated[
        Status,
        Field(description="How far it is; `shipped` and `cancelled` are final"),
    ] = "placed"


class Shipment(BaseModel):
    """A parcel that is on its way."""

    order_id: OrderId
    payment_id: str
    tracking_id: str
    approved_by: Annotated[
        str | None,
        Field(description="Who did, if somebody had to"),
    ] = None


class Batch(BaseModel):
    """What became of many orders."""

    shipped: list[Shipment]
    failed: Annotated[dict[str, str], Field(description="Reasons, by order")]


class Progress(BaseModel):
    """Where a workflow stands; published while it runs."""

    step: Literal["awaiting approval", "paying", "in grace", "shipping", "shipped"]
