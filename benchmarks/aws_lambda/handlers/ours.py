"""A service of one command and its Lambda handler."""

from __future__ import annotations

from benchmarks.aws_lambda.handlers.models import Order, Placement
from service_kit import Service, command
from service_kit.hosts.aws import lambda_handler


@command(method="POST", path="/orders")
async def place_order(placement: Placement) -> Order:
    return Order(id="o-1", sku=placement.sku, quantity=placement.quantity)


class Orders(Service):
    """Take orders."""

    place_order = place_order


handler = lambda_handler(Orders)
