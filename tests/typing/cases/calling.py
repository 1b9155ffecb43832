"""A service called from another program: with the types of its functions, right and wrong."""

# pyright: strict
from __future__ import annotations

from typing import reveal_type

from client_kit import ProblemError, ServiceClient, connect
from tests.typing.cases.orders import Order, Orders, OutOfStock


async def right(orders: ServiceClient[Orders]) -> None:
    reveal_type(orders)  # reveal: Orders
    reveal_type(await orders.place_order("sku-1", quantity=2))  # reveal: Order
    reveal_type(await orders.place_order("sku-1", 2, note="gift"))  # reveal: Order
    reveal_type(await orders.get_order("1"))  # reveal: Order | None
    reveal_type(await orders.import_orders([Order(id="1", sku="a")]))  # reveal: dict[str, Order]
    reveal_type(await orders.cancel_order("1"))  # reveal: None
    reveal_type(await orders.count_orders())  # reveal: int
    reveal_type((await orders.place_order("sku-1")).sku)  # reveal: str
    later = orders.place_order.options(timeout_s=2.5, idempotency_key="order-1")
    reveal_type(await later("sku-1", quantity=2))  # reveal: Order


async def wrong(orders: ServiceClient[Orders]) -> None:
    await orders.place_order(1)  # error: wrong type: str
    await orders.place_order()  # error: missing argument: sku
    await orders.place_order("sku-1", "2")  # error: wrong type: int
    await orders.place_order("sku-1", amount=2)  # error: unknown keyword: amount
    await orders.place_order("sku-1", 2, "gift")  # error: too many arguments
    await orders.import_orders([1])  # error: wrong type: Order
    await orders.remove_order("1")  # error: no attribute: remove_order
    (await orders.place_order("sku-1")).price  # error: no attribute: price
    (await orders.get_order("1")).id  # error: no attribute: None
    orders.place_order("sku-1").id  # error: no attribute: id
    count: int = await orders.place_order("sku-1")  # error: wrong assignment: int
    orders.cancel_order("1")  # error: forgotten await
    total: int = orders.count_orders()  # error: wrong assignment: int
    await orders.place_order.options(timeout_s="2")("sku-1")  # error: wrong type: float
    await orders.place_order.options(retries=2)("sku-1")  # error: unknown keyword: retries
    await orders.place_order.options(timeout_s=2)(1)  # error: wrong type: str
    print(count, total)


async def streams(orders: ServiceClient[Orders]) -> None:
    async for order in orders.watch_orders(3):
        reveal_type(order)  # reveal: Order
    async with orders.watch_orders.stream(limit=3) as opened:
        async for order in opened:
            reveal_type(order)  # reveal: Order
    reveal_type([line async for line in orders.read_log("today")])  # reveal: list[str]
    orders.watch_orders("3")  # error: wrong type: int
    orders.watch_orders.stream(size=3)  # error: unknown keyword: size
    await orders.watch_orders(3)  # error: not awaitable
    for _ in orders.watch_orders(3):  # error: not iterable
        break
    async for line in orders.read_log("today"):
        line.id  # error: no attribute: id


def blocking(orders: ServiceClient[Orders]) -> None:
    reveal_type(orders.place_order.sync("sku-1", quantity=2))  # reveal: Order
    reveal_type([order.id for order in orders.watch_orders.sync(3)])  # reveal: list[str]
    orders.place_order.sync("sku-1", quantity="2")  # error: wrong type: int
    orders.place_order.sync()  # error: missing argument: sku


async def failures(orders: ServiceClient[Orders]) -> None:
    try:
        await orders.place_order("sku-1")
    except OutOfStock as error:
        reveal_type(error.left)  # reveal(mypy, pyright, pyrefly, ty): int # reveal(zuban): Any
        error.shelf  # error(mypy, pyright, pyrefly, ty): no attribute: shelf
    except ProblemError as problem:
        reveal_type(problem.status)  # reveal: int
        problem.sku  # error: no attribute: sku


async def main() -> None:
    async with connect(Orders, "https://orders.example.com") as client:
        reveal_type(client)  # reveal: Orders
        reveal_type(await client.place_order("sku-1"))  # reveal: Order
        await right(client)
    async with Orders("https://orders.example.com") as client:
        reveal_type(client)  # reveal: Orders
    made = ServiceClient[Orders]("https://orders.example.com")  # error(pyrefly, ty, zuban): not callable
    reveal_type(made)  # reveal(mypy, pyright): Orders # reveal(pyrefly, ty): Unknown # reveal(zuban): Any
    with connect(Orders, "https://orders.example.com", timeout_s=3) as client:
        reveal_type(client.count_orders.sync())  # reveal: int
    connect(Order, "https://orders.example.com")  # error: breaks the bound: Order
    connect(Orders, b"https://orders.example.com")  # error: wrong type: str
    connect(Orders)  # error: missing argument: url
    connect(Orders, "https://orders.example.com", timeout=3)  # error: unknown keyword: timeout
