"""A service with a command of every kind, for tests of the tools that agents get."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal

from pydantic import BaseModel, Field, RootModel

from service_kit import Header, Service, ServiceError, command, current_request


class Line(BaseModel):
    sku: str
    quantity: int = 1


class Node(BaseModel):
    name: str
    children: list[Node] = []


class OutOfStock(ServiceError, status=409):
    sku: str
    left: int


@command(method="POST", path="/orders", summary="Place an order", errors=[OutOfStock])
async def place_order(
    sku: Annotated[str, Field(description="what to order")],
    quantity: Annotated[int, Field(ge=1)] = 1,
    speed: Literal["slow", "fast"] = "slow",
) -> Line:
    """Place an order. It is shipped in the background."""
    if quantity > 9:
        raise OutOfStock(sku=sku, left=9)
    return Line(sku=sku, quantity=quantity)


@command(method="GET", path="/orders")
def list_orders() -> list[Line]:
    return [Line(sku="lamp"), Line(sku="chair", quantity=2)]


@command(method="DELETE", path="/orders/{sku}")
async def forget_order(sku: str) -> None:
    """Forget an order."""


@command(method="PUT", path="/orders/{sku}", consequential=False)
async def keep_order(sku: str, line: Line) -> str:
    return f"{sku}: {line.quantity}"


@command
async def reverse(node: Node) -> Node:
    return Node(name=node.name[::-1], children=node.children)


@command
async def whole(line: Line = Line(sku="default", quantity=7)) -> Line:  # noqa: B008 - a default of its own
    return line


class Lines(RootModel[list[Line]]):
    pass


@command
async def total(lines: Lines) -> int:
    return sum(line.quantity for line in lines.root)


@command
async def break_down() -> str:
    raise RuntimeError("the password is swordfish")


@command(timeout_s=0.01)
async def dawdle() -> str:
    await asyncio.Event().wait()
    return ""


@command(method="GET", path="/traced")
async def traced(trace_id: Annotated[str, Header()]) -> str:
    return f"{trace_id} {current_request().headers['user-agent-of-test']}"


@command(errors=[OutOfStock])
async def follow(count: int) -> AsyncIterator[Line]:
    """Follow the orders."""
    for number in range(count):
        if number == 3:
            raise OutOfStock(sku="s", left=0)
        yield Line(sku=f"s-{number}")


class Orders(Service, version="1.2"):
    """Take orders."""

    place_order = place_order
    list_orders = list_orders
    forget_order = forget_order
    keep_order = keep_order
    reverse = reverse
    whole = whole
    total = total
    break_down = break_down
    dawdle = dawdle
    traced = traced
    follow = follow
