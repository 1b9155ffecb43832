"""The service: its commands, workflows, signals and states."""

from __future__ import annotations

from typing import Annotated, Literal

from client_kit.contracts import RestService, command
from pydantic import Field

from .errors import (
    NotBegun,
    NotOrchestrated,
    OrderClosed,
    OrderNotFound,
    OutOfStock,
    UnknownArticle,
)
from .models import Article, Item, Order


class Orders(RestService, version="1.0.0"):
    """Take, pay for and ship orders."""

    @command(
        method="GET",
        path="/articles",
        summary="List what can be ordered",
        tags=["orders"],
    )
    async def list_articles(self) -> list[Article]:
        raise NotImplementedError

    @command(
        method="POST",
        path="/orders",
        summary="Place an order",
        errors=[UnknownArticle, OutOfStock],
        tags=["orders"],
    )
    async def place_order(
        self,
        sku: Annotated[
            str,
            Field(
                max_length=50,
                description="Article, as list_articles tells it",
                examples=["lamp"],
            ),
        ],
        quantity: Annotated[
            int,
            Field(ge=1, le=1000, description="How many of the article"),
        ] = 1,
        pipeline: Annotated[
            Literal["orchestration", "choreography"],
            Field(
                description="Who drives the order: a workflow, or events between services",
            ),
        ] = "orchestration",
        grace_s: Annotated[
            float,
            Field(
                ge=0,
                le=86400,
                description="Seconds after the payment in which it can be called off",
            ),
        ] = 300,
    ) -> Order:
        """Place an order. It is paid for and shipped in the background; get_order
        tells how far it is.
        """
        raise NotImplementedError

    @command(
        method="POST",
        path="/batches",
        summary="Place several orders, all or none",
        errors=[UnknownArticle, OutOfStock],
        tags=["orders"],
    )
    async def place_orders(
        self,
        items: Annotated[list[Item], Field(min_length=1, max_length=50)],
    ) -> list[Order]:
        raise NotImplementedError

    @command(
        method="GET",
        path="/orders/{order_id}",
        summary="Show one order",
        errors=[OrderNotFound],
        tags=["orders"],
    )
    async def get_order(
        self,
        order_id: Annotated[
            str,
            Field(
                max_length=50,
                description="Order, as place_order tells it",
                examples=["o-1"],
            ),
        ],
        wait_s: Annotated[
            float,
            Field(
                ge=0,
                le=25,
                description="Seconds to wait for the order to be shipped or cancelled",
            ),
        ] = 0,
    ) -> Order:
        raise NotImplementedError

    @command(
        method="POST",
        path="/orders/{order_id}/approve",
        summary="Approve an order that is too dear to go by itself",
        errors=[OrderNotFound, OrderClosed, NotOrchestrated, NotBegun],
        tags=["orders"],
    )
    async def approve_order(
        self,
        order_id: Annotated[
            str,
            Field(
                max_length=50,
                description="Order, as place_order tells it",
                examples=["o-1"],
            ),
        ],
        by: Annotated[str, Field(description="Who approves it", examples=["ann"])],
    ) -> None:
        raise NotImplementedError

    @command(
        method="POST",
        path="/orders/{order_id}/cancel",
        summary="Ask for an order to be called off",
        errors=[OrderNotFound, OrderClosed, NotOrchestrated, NotBegun],
        tags=["orders"],
    )
    async def cancel_order(
        self,
        order_id: Annotated[
            str,
            Field(
                max_length=50,
                description="Order, as place_order tells it",
                examples=["o-1"],
            ),
        ],
        reason: Annotated[str, Field(description="Why", examples=["changed my mind"])],
    ) -> None:
        """Ask for an order to be called off. It is, unless its parcel leaves right
        now; get_order tells.
        """
        raise NotImplementedError
