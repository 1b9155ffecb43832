"""The order pipeline as orchestration: a workflow is in charge, and calls tasks in the order in which it is written.

A workflow decides and waits; tasks do the work. Whatever process dies, the workflow goes on where it was.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress

from plugins.orders.model import (
    CardDeclined,
    Order,
    OrderCancelled,
    ParcelRefused,
    Progress,
    Shipment,
    Status,
)
from plugins.orders.shop import shop
from service_kit import (
    Retry,
    Signal,
    State,
    TimedOut,
    condition,
    task,
    workflow,
)

APPROVAL_FROM_CENTS = 100_000
"""From this total on, somebody has to approve an order."""
APPROVAL_S = 3 * 24 * 3600
"""How long an order waits for it."""

approved = Signal("approved", str)
"""Who approves the order."""
cancelled = Signal("cancelled", str)
"""Why the order is called off. Heard until it is shipped."""
progress = State("progress", Progress)

PATIENT = Retry(max_attempts=5, backoff_s=0.5, non_retryable=(CardDeclined, ParcelRefused))
UNTIL_DONE = Retry(max_attempts=None)
"""For what cannot be given up: records, and undoing."""


@task(retry=PATIENT, timeout_s=30)
async def process_payment(order_id: str) -> str:
    order = await shop().orders.get(order_id)
    return await shop().payments.charge(order.id, order.total_cents)


@task(retry=PATIENT, timeout_s=30)
async def ship_order(order_id: str) -> str:
    return await shop().shipping.ship(order_id)


@task(retry=UNTIL_DONE)
async def update_order_status(order_id: str, status: Status) -> None:
    await shop().orders.update(order_id, status)


@task(retry=UNTIL_DONE)
async def mark_cancelled(order_id: str) -> None:
    await shop().orders.cancel(order_id)


@task(retry=UNTIL_DONE)
async def refund_payment(order_id: str) -> None:
    await shop().payments.refund(order_id)


@task(retry=UNTIL_DONE)
async def recall_parcel(order_id: str) -> None:
    await shop().shipping.recall(order_id)


@workflow
async def process_order(order: Order) -> Shipment:
    """Have a dear order approved, take the money, wait whether the customer changes his mind, and ship.

    Whatever ends it before the parcel is on its way, every step that was begun is undone, the last one first.
    Raises OrderCancelled, CardDeclined or ParcelRefused.
    """
    approvals: list[str] = []
    cancellations: list[str] = []
    approved.on(approvals.append)
    cancelled.on(cancellations.append)

    async with AsyncExitStack() as undo:
        undo.push_async_callback(mark_cancelled, order.id)
        if order.total_cents >= APPROVAL_FROM_CENTS:
            await _be_approved(order, approvals, cancellations)

        progress.set(Progress(step="paying"))
        # The undoing is pushed before the step: an attempt whose answer is lost has taken the money, too.
        undo.push_async_callback(refund_payment, order.id)
        payment_id = await process_payment(order.id)
        await update_order_status(order.id, "paid")
        await _let_grace_pass(order, cancellations)

        progress.set(Progress(step="shipping"))
        undo.push_async_callback(recall_parcel, order.id)
        tracking_id = await ship_order(order.id)
        undo.pop_all()  # it is on its way: there is nothing to undo any more

    progress.set(Progress(step="shipped"))
    await update_order_status(order.id, "shipped")
    approver = approvals[0] if approvals else None
    return Shipment(order_id=order.id, payment_id=payment_id, tracking_id=tracking_id, approved_by=approver)


async def _be_approved(order: Order, approvals: list[str], cancellations: list[str]) -> None:
    progress.set(Progress(step="awaiting approval"))
    with suppress(TimedOut):
        await condition(lambda: bool(approvals or cancellations), timeout_s=APPROVAL_S)
    if cancellations or not approvals:
        reason = cancellations[0] if cancellations else "nobody approved it in time"
        raise OrderCancelled(order_id=order.id, reason=reason)


async def _let_grace_pass(order: Order, cancellations: list[str]) -> None:
    progress.set(Progress(step="in grace"))
    with suppress(TimedOut):
        await condition(lambda: bool(cancellations), timeout_s=order.grace_s)
    if cancellations:
        raise OrderCancelled(order_id=order.id, reason=cancellations[0])
