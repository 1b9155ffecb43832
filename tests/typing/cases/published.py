"""A program of another team: it has the published contract, and nothing of the service."""

# pyright: strict
from __future__ import annotations

from typing import reveal_type

from client_kit import ServiceClient, WorkflowFailed, connect, manage
from stubs.orders_contract import Item, Order, OrderCancelled, OrderCreated, Orders, OutOfStock
from stubs.todo_contract import Todos


async def right(orders: ServiceClient[Orders]) -> None:
    reveal_type(orders)  # reveal: Orders
    reveal_type(await orders.place_order("lamp", 2, grace_s=0))  # reveal: Order
    reveal_type(await orders.place_orders([Item(sku="lamp")]))  # reveal: list[Order]
    reveal_type(await orders.cancel_order("o-1", "changed my mind"))  # reveal: None
    later = orders.place_order.options(timeout_s=2.5, idempotency_key="order-1")
    reveal_type(await later("lamp", pipeline="choreography"))  # reveal: Order
    reveal_type(orders.get_order.sync("o-1").total_cents)  # reveal: int


async def wrong(orders: ServiceClient[Orders]) -> None:
    await orders.place_order(1)  # error: wrong type: str
    await orders.place_order()  # error: missing argument: sku
    await orders.place_order("lamp", quantity="2")  # error: wrong type: int
    await orders.place_order("lamp", amount=2)  # error: unknown keyword: amount
    await orders.place_order("lamp", pipeline="magic")  # error: wrong type: choreography
    (await orders.place_order("lamp")).price  # error: no attribute: price
    await orders.send_invoices(["o-1"])  # error: no attribute: send_invoices
    orders.cancel_order("o-1", "no")  # error: forgotten await
    Item(sku=1)  # error: wrong type


async def workflows(orders: ServiceClient[Orders], order: Order) -> None:
    run = await orders.process_order.start(order)
    reveal_type((await run.result()).tracking_id)  # reveal: str
    reveal_type(await orders.process_order.get("o-1").state(Orders.progress))  # reveal: Progress | None
    await run.signal(Orders.approved, "ann")
    await run.signal(Orders.approved, 3)  # error: no common type
    await manage(orders).emit(OrderCreated(order_id="o-1"))
    await orders.process_order.start("o-1")  # error: wrong type: Order


async def streams(todos: ServiceClient[Todos]) -> None:
    async for change in todos.watch_todos(since=3):
        reveal_type(change.todo.title)  # reveal: str
    async with todos.export_todos.stream("open") as opened:
        reveal_type([todo.id async for todo in opened])  # reveal: list[int]
    todos.export_todos("closed")  # error: wrong type: closed


async def failures(orders: ServiceClient[Orders], url: str) -> None:
    try:
        await orders.place_order("lamp")
    except OutOfStock as error:
        reveal_type(error.left)  # reveal(mypy, pyright, pyrefly, ty): int # reveal(zuban): Any
    try:
        await orders.process_order.get("o-1").result()
    except OrderCancelled as cancelled:
        print(cancelled)
    except WorkflowFailed as failed:
        reveal_type(failed.message)  # reveal: str
    OutOfStock(sku="lamp", left=0)
    OutOfStock(sku="lamp", left=0, gone=True)  # error: unknown keyword: gone
    async with connect(Orders, url) as client:
        reveal_type(client)  # reveal: Orders
