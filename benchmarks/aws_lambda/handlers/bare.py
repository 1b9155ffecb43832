"""No framework: the floor."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from benchmarks.aws_lambda.handlers.models import Order, Placement

placements = TypeAdapter(Placement)
orders = TypeAdapter(Order)
HEADERS = {"content-type": "application/json"}


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    try:
        placement = placements.validate_json(event["body"])
    except ValidationError as error:
        return {"statusCode": 422, "headers": HEADERS, "body": error.json()}
    order = Order(id="o-1", sku=placement.sku, quantity=placement.quantity)
    return {"statusCode": 200, "headers": HEADERS, "body": orders.dump_json(order).decode()}
