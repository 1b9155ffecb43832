"""Powertools with validation on, for payload 2.0 (it has a resolver for each)."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from benchmarks.aws_lambda.handlers.models import Order, Placement

app = APIGatewayHttpResolver(enable_validation=True)


@app.post("/orders")
def place_order(placement: Placement) -> Order:
    return Order(id="o-1", sku=placement.sku, quantity=placement.quantity)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
