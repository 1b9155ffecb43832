"""The same application as a service."""

from __future__ import annotations

from benchmarks.orders import Basket, Order, Placement, order_of
from service_kit import Service, command


@command(method="POST", path="/orders")
async def place_order(placement: Placement) -> Order:
    return order_of(placement)


@command(method="POST", path="/baskets")
async def check_basket(basket: Basket) -> Basket:
    return basket


class Orders(Service):
    """Take orders."""

    place_order = place_order
    check_basket = check_basket


app = Orders.asgi()
