"""FastAPI behind Mangum."""

from __future__ import annotations

from fastapi import FastAPI
from mangum import Mangum

from benchmarks.aws_lambda.handlers.models import Order, Placement

app = FastAPI()


@app.post("/orders")
async def place_order(placement: Placement) -> Order:
    return Order(id="o-1", sku=placement.sku, quantity=placement.quantity)


handler = Mangum(app, lifespan="off")
