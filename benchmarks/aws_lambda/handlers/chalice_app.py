"""Chalice, which leaves validation to the user; it reads payload 1.0 alone."""

from __future__ import annotations

from typing import Any

from chalice.app import BadRequestError, Chalice
from pydantic import ValidationError

from benchmarks.aws_lambda.handlers.models import Order, Placement

handler = Chalice(app_name="orders")


@handler.route("/orders", methods=["POST"])
def place_order() -> dict[str, Any]:
    request = handler.current_request
    assert request is not None
    try:
        placement = Placement.model_validate_json(request.raw_body)
    except ValidationError as error:
        raise BadRequestError(error.json()) from error
    return Order(id="o-1", sku=placement.sku, quantity=placement.quantity).model_dump(mode="json")
