"""The service that these tests put behind gateways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from pydantic import BaseModel

from service_kit import Header, Query, Response, Service, ServiceError, command, current_request
from service_kit.contract.exchange import Next, Request


class Order(BaseModel):
    sku: str
    quantity: int = 1


class OutOfStock(ServiceError, status=409):
    sku: str


@command(method="POST", path="/orders", errors=[OutOfStock])
async def place_order(order: Order) -> Order:
    if order.sku == "none":
        raise OutOfStock(sku=order.sku)
    return order


@command(method="GET", path="/orders/{order_id}")
async def read_order(order_id: str, tags: Annotated[list[str], Query("tag")] = []) -> dict[str, object]:  # noqa: B006
    return {"id": order_id, "tags": tags}


@command(method="GET", path="/")
async def greet() -> str:
    return "hello"


@command(method="GET", path="/caller")
async def describe_caller(x_team: Annotated[str, Header()] = "") -> dict[str, object]:
    request = current_request()
    return {
        "url": request.base_url,
        "path": request.path,
        "root_path": request.root_path,
        "client": request.client[0] if request.client else None,
        "cookie": request.headers.get("cookie"),
        "team": x_team,
        "lines": [value.decode() for name, value in request.raw_headers if name == b"x-team"],
    }


@command
async def count_to(most: int) -> AsyncIterator[int]:
    for number in range(most):
        yield number


async def set_cookies(request: Request, call_next: Next) -> Response:
    """Answer with two cookies where a caller asks for them."""
    response = await call_next(request)
    if request.header(b"x-cookies"):
        response.raw_headers += [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2")]
    return response


class Shop(Service, use=[set_cookies]):
    """Sell things."""

    place_order = place_order
    read_order = read_order
    greet = greet
    describe_caller = describe_caller
    count_to = count_to
