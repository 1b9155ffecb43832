"""FastAPI, as its documentation writes it."""

from __future__ import annotations

from fastapi import FastAPI

from benchmarks.orders import Basket, Order, Placement, order_of

app = FastAPI()


@app.post("/orders")
async def place_order(placement: Placement) -> Order:
    return order_of(placement)


@app.post("/baskets")
async def check_basket(basket: Basket) -> Basket:
    return basket
