"""Litestar, as its documentation writes it."""

from __future__ import annotations

from litestar import Litestar, post

from benchmarks.orders import Basket, Order, Placement, order_of


@post("/orders", status_code=200)
async def place_order(data: Placement) -> Order:
    return order_of(data)


@post("/baskets", status_code=200)
async def check_basket(data: Basket) -> Basket:
    return data


app = Litestar([place_order, check_basket])
