"""The service: its commands, workflows, signals and states."""

from __future__ import annotations

from typing import Annotated

from client_kit.contracts import Service, Signal, State, command, workflow
from pydantic import Field

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
)


class Orders(Service, name="orders", version="1.0.0"):
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
        sku: Sku,
        quantity: Quantity = 1,
        pipeline: Pipeline = "orchestration",
        grace_s: Grace = 300,
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
        order_id: OrderId,
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
        order_id: OrderId,
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
        order_id: OrderId,
        reason: Annotated[str, Field(description="Why", examples=["changed my mind"])],
    ) -> None:
        """Ask for an order to be called off. It is, unless its parcel leaves right
        now; get_order tells.
        """
        raise NotImplementedError

    @workflow(errors=[CardDeclined, OrderCancelled, ParcelRefused])
    async def process_order(self, order: Order) -> Shipment:
        """Have a dear order approved, take the money, wait whether the customer
        changes his mind, and ship.

        Whatever ends it before the parcel is on its way, every step that was
        begun is undone, the last one first.
        Raises OrderCancelled, CardDeclined or ParcelRefused.
        """
        raise NotImplementedError

    @workflow(errors=[CardDeclined, OrderCancelled, ParcelRefused])
    async def process_orders(self, orders: list[Order]) -> Batch:
        """Process orders side by side, each in an execution of its own: one that
        fails stops no other.
        """
        raise NotImplementedError

    @workflow()
    async def remind_daily(self, email: str) -> None:
        """Send a reminder every day until the execution is cancelled."""
        raise NotImplementedError

    approved = Signal("approved", str)
    cancelled = Signal("cancelled", str)
    progress = State("progress", Progress)
