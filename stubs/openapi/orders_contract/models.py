"""What travels."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Article(BaseModel):
    """Something to order."""

    sku: Annotated[
        str,
        Field(
            max_length=50,
            description="Article, as list_articles tells it",
            examples=["lamp"],
        ),
    ]
    price_cents: Annotated[int, Field(ge=0, description="Price of one, in cents")]
    left: Annotated[int, Field(ge=0, description="How many can still be ordered")]


class Order(BaseModel):
    """Goods that somebody has ordered, and how far they are."""

    sku: Annotated[
        str,
        Field(
            max_length=50,
            description="Article, as list_articles tells it",
            examples=["lamp"],
        ),
    ]
    quantity: Annotated[
        int,
        Field(ge=1, le=1000, description="How many of the article"),
    ] = 1
    pipeline: Annotated[
        Literal["orchestration", "choreography"],
        Field(
            description="Who drives the order: a workflow, or events between services",
        ),
    ] = "orchestration"
    grace_s: Annotated[
        float,
        Field(
            ge=0,
            le=86400,
            description="Seconds after the payment in which it can be called off",
        ),
    ] = 300
    id: Annotated[
        str,
        Field(
            max_length=50,
            description="Order, as place_order tells it",
            examples=["o-1"],
        ),
    ]
    total_cents: Annotated[int, Field(ge=0, description="Price of all of it, in cents")]
    status: Annotated[
        Literal["placed", "paid", "shipped", "cancelled"],
        Field(description="How far it is; `shipped` and `cancelled` are final"),
    ] = "placed"


class Item(BaseModel):
    """What somebody wants."""

    sku: Annotated[
        str,
        Field(
            max_length=50,
            description="Article, as list_articles tells it",
            examples=["lamp"],
        ),
    ]
    quantity: Annotated[
        int,
        Field(ge=1, le=1000, description="How many of the article"),
    ] = 1
    pipeline: Annotated[
        Literal["orchestration", "choreography"],
        Field(
            description="Who drives the order: a workflow, or events between services",
        ),
    ] = "orchestration"
    grace_s: Annotated[
        float,
        Field(
            ge=0,
            le=86400,
            description="Seconds after the payment in which it can be called off",
        ),
    ] = 300
