"""Commands called in their own process: as the functions that they are, always awaited."""

# pyright: strict
from __future__ import annotations

from typing import reveal_type

from tests.typing.cases.orders import (
    Order,
    Orders,
    cancel_order,
    count_orders,
    get_order,
    import_orders,
    place_order,
    read_log,
    watch_orders,
)


async def right() -> None:
    reveal_type(await place_order("sku-1"))  # reveal: Order
    reveal_type(await place_order("sku-1", quantity=2, note="gift"))  # reveal: Order
    reveal_type(await place_order("sku-1", 2))  # reveal: Order
    reveal_type(await get_order("1"))  # reveal: Order | None
    reveal_type(await import_orders([Order(id="1", sku="a")]))  # reveal: dict[str, Order]
    reveal_type(await cancel_order("1"))  # reveal: None
    reveal_type(await count_orders())  # reveal: int
    reveal_type(await Orders.place_order("sku-1"))  # reveal: Order
    async for order in watch_orders(3):
        reveal_type(order)  # reveal: Order
    reveal_type([line async for line in Orders.read_log("today")])  # reveal: list[str]


async def wrong() -> None:
    await place_order(1)  # error: wrong type: str
    await place_order()  # error: missing argument: sku
    await place_order("sku-1", "2")  # error: wrong type: int
    await place_order("sku-1", amount=2)  # error: unknown keyword: amount
    await place_order("sku-1", 2, "gift")  # error: too many arguments
    await count_orders(1)  # error: too many arguments
    (await place_order("sku-1")).price  # error: no attribute: price
    (await get_order("1")).id  # error: no attribute: None
    count: int = await place_order("sku-1")  # error: wrong assignment: int
    place_order("sku-1").id  # error: no attribute: id
    Orders.remove_order("1")  # error: no attribute: remove_order
    watch_orders("3")  # error: wrong type: int
    await watch_orders(3)  # error: not awaitable
    for _ in watch_orders(3):  # error: not iterable
        print(count)
    async for line in read_log("today"):
        line.id  # error: no attribute: id
