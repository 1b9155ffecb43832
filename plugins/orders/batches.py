"""Many orders at once: a parent with a child for each, and a long task that goes on where its last attempt stopped."""

from __future__ import annotations

import asyncio

from plugins.orders.model import Batch, Order, Shipment
from plugins.orders.orchestration import process_order
from plugins.orders.shop import shop
from service_kit import Retry, heartbeat, heartbeat_details, task, workflow


@task(heartbeat_timeout_s=30, retry=Retry(max_attempts=10, backoff_s=0.5))
async def send_invoices(order_ids: list[str]) -> int:
    """Mail the invoices one by one; return how many."""
    sent = heartbeat_details(int) or 0
    for order_id in order_ids[sent:]:
        await shop().mail.send(f"invoice-{order_id}", "accounting@example.com", f"invoice of {order_id}")
        sent += 1
        heartbeat(sent)
    return sent


@workflow
async def process_orders(orders: list[Order]) -> Batch:
    """Process orders side by side, each in an execution of its own: one that fails stops no other."""
    children = [process_order.options(id=order.id)(order) for order in orders]
    outcomes = await asyncio.gather(*children, return_exceptions=True)
    shipped = [outcome for outcome in outcomes if isinstance(outcome, Shipment)]
    failed = {
        order.id: str(outcome)
        for order, outcome in zip(orders, outcomes, strict=True)
        if isinstance(outcome, BaseException)
    }
    await send_invoices([shipment.order_id for shipment in shipped])
    return Batch(shipped=shipped, failed=failed)
