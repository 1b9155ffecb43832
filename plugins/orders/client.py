"""A typed client of the orders service: `python -m plugins.orders.client http://127.0.0.1:8000`.

Nothing here was generated: types, completion and errors come from the class `Orders` itself.
"""

from __future__ import annotations

import asyncio
import sys

from client_kit import ServiceClient, connect, manage
from plugins.orders.model import Item, Order, OrderCancelled, OutOfStock
from plugins.orders.service import Orders


async def tour(orders: ServiceClient[Orders]) -> None:
    """Order things in every way there is, and print what becomes of them."""
    for article in await orders.list_articles():
        print(f"list_articles    {article.sku}: {article.price_cents / 100:.2f}, {article.left} left")

    by_workflow = await orders.place_order("lamp", 2, grace_s=0)
    print(f"place_order      {_line(by_workflow)}")
    shipment = await orders.process_order.get(by_workflow.id).result()
    print(f"  its workflow   {shipment.payment_id}, {shipment.tracking_id}")

    by_events = await orders.place_order("lamp", pipeline="choreography")
    print(f"  by events      {_line(await orders.get_order(by_events.id, wait_s=20))}")

    await _have_one_approved(orders)
    await _call_one_off(orders)
    try:
        await orders.place_order("sofa", 1_000)
    except OutOfStock as error:
        print(f"place_order      OutOfStock, with its fields: sku={error.sku}, left={error.left}")

    several = await orders.place_orders([Item(sku="lamp", grace_s=0), Item(sku="chair", grace_s=0)])
    batch = await orders.process_orders.get(f"batch-{several[0].id}").result()
    print(f"place_orders     shipped: {', '.join(one.order_id for one in batch.shipped)}")

    async for run in manage(orders).executions(workflow="process_order"):
        print(f"executions       {run.id} {run.status}{f', child of {run.parent}' if run.parent else ''}")


async def _have_one_approved(orders: ServiceClient[Orders]) -> None:
    """Place an order that is too dear to go by itself, and send its workflow the signal that it waits for."""
    dear = await orders.place_order("sofa", 2, grace_s=0)
    run = orders.process_order.get(dear.id)
    while (seen := await run.state(Orders.progress)) is None:  # noqa: ASYNC110 - the workflow is elsewhere
        await asyncio.sleep(0.01)
    print(f"a dear order     {seen.step}, {await run.status()}")
    await run.signal(Orders.approved, "ann")
    shipment = await run.result()
    print(f"  approved       by {shipment.approved_by}; {shipment.tracking_id}")


async def _call_one_off(orders: ServiceClient[Orders]) -> None:
    """Place an order, change our mind, and find the workflow's error here, with its class and its fields."""
    order = await orders.place_order("chair")
    await orders.cancel_order(order.id, "changed my mind")
    try:
        await orders.process_order.get(order.id).result()
    except OrderCancelled as error:
        print(f"cancel_order     OrderCancelled, with its fields: reason={error.reason}")
    print(f"  afterwards     {_line(await orders.get_order(order.id))}")


def _line(order: Order) -> str:
    return f"{order.id} {order.quantity} {order.sku} for {order.total_cents / 100:.2f} ({order.status})"


async def main(url: str) -> None:
    async with connect(Orders, url) as orders:
        await tour(orders)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
