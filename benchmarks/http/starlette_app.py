"""Starlette and TypeAdapters, as somebody who cares for speed writes them."""

from __future__ import annotations

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.orders import baskets, order_of, orders, placements


async def place_order(request: Request) -> Response:
    try:
        placement = placements.validate_json(await request.body())
    except ValidationError as error:
        return Response(error.json(), 422, media_type="application/json")
    return Response(orders.dump_json(order_of(placement)), media_type="application/json")


async def check_basket(request: Request) -> Response:
    try:
        basket = baskets.validate_json(await request.body())
    except ValidationError as error:
        return Response(error.json(), 422, media_type="application/json")
    return Response(baskets.dump_json(basket), media_type="application/json")


app = Starlette(
    routes=[
        Route("/orders", place_order, methods=["POST"]),
        Route("/baskets", check_basket, methods=["POST"]),
    ]
)
