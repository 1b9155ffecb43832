"""The order service before a change: it shipped first, and took the money then."""

from __future__ import annotations

from service_kit import Service, task, workflow
from service_kit.testing import TestEnvironment
from tests.testing.orders import Shipment


@task
async def process_payment(order_id: str) -> str:
    return "paid"


@task
async def ship_order(order_id: str) -> str:
    return "shipped"


@workflow
async def process_order(order_id: str) -> Shipment:
    tracking = await ship_order(order_id)
    payment = await process_payment(order_id)
    return Shipment(order_id=order_id, tracking=tracking, payment=payment)


class Orders(Service):
    process_order = process_order


def record() -> str:
    """Return a history of that time."""
    with TestEnvironment(Orders) as env:
        execution = env.start(process_order, "o-1")
        env.run_until_complete(execution)
        return execution.recording()
