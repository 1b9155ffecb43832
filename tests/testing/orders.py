"""The service that the environment's tests run: orders, with everything that can go wrong in them."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import BaseModel

from service_kit import (
    Event,
    Retry,
    Service,
    ServiceError,
    Signal,
    State,
    command,
    complete_later,
    duration,
    heartbeat,
    heartbeat_details,
    subscription,
    task,
    task_token,
    workflow,
)

cancelled = Signal("cancelled", str)
approved = Signal("approved", bool)
progress = State("progress", str)
tokens: list[str] = []
lifespans: list[str] = []
surprises = itertools.count()


class OutOfStock(ServiceError, status=409):
    sku: str


class Shipment(BaseModel):
    order_id: str
    payment: str | None = None
    tracking: str | None = None
    cancelled: str | None = None


class OrderPlaced(Event):
    order_id: str
    amount: int = 1


class OrderShipped(Event):
    order_id: str


@task(retry=Retry(max_attempts=3, backoff_s=10, jitter=0.5), timeout_s=30)
async def process_payment(order_id: str, amount: int = 1) -> str:
    return f"payment of {amount} for {order_id}"


@task(retry=Retry(max_attempts=1))
async def ship_order(order_id: str) -> str:
    return f"tracking of {order_id}"


@task
def print_label(order_id: str) -> str:
    time.sleep(0)
    return f"label of {order_id}"


@task(heartbeat_timeout_s=30, retry=Retry(max_attempts=2, backoff_s=5))
async def count_stock(pages: int) -> int:
    done = heartbeat_details(int) or 0
    while done < pages:
        await asyncio.sleep(20 if done != 3 else 40)
        done += 1
        heartbeat(done)
    return done


@task
async def ask_a_person(question: str) -> str:
    tokens.append(task_token())
    return complete_later()


@task
async def send_reminder(email: str) -> None: ...


@workflow
async def process_order(order_id: str) -> Shipment:
    progress.set("paying")
    payment = await process_payment(order_id)
    progress.set("shipping")
    tracking = await ship_order(order_id)
    await OrderShipped(order_id=order_id).emit()
    return Shipment(order_id=order_id, payment=payment, tracking=tracking)


@workflow
async def wait_one_second(value: str) -> str:
    await asyncio.sleep(1)
    return value


@workflow
async def remind_daily(email: str, days: int) -> int:
    for _ in range(days):
        await duration(days=1)
        await send_reminder(email)
    return days


@workflow
async def count_sheep(left: int) -> None:
    """Sleep four hours for each sheep, one run after the other."""
    await duration(hours=4)
    if left:
        await count_sheep.continue_as_new(left - 1)


@workflow
async def approve(order_id: str) -> str:
    """Let an hour pass, then wait for an approval, for a day at most."""
    await asyncio.sleep(3600)
    try:
        return "approved" if await approved.receive(timeout_s=86_400) else "refused"
    except TimeoutError:
        return "nobody cared"


@workflow
async def cancellable(order_id: str) -> str:
    return await cancelled.receive()


@workflow
async def parent(order_id: str) -> str:
    try:
        return f"child says {await cancellable(order_id)}"
    except TimeoutError as error:
        return f"child was late: {error}"
    except OutOfStock as error:
        return f"out of {error.sku}"


@workflow
async def take_stock(pages: int) -> int:
    return await count_stock(pages)


@workflow
async def pay_at_last(order_id: str) -> str:
    patient = Retry(max_attempts=None, non_retryable=(OutOfStock,))
    return await process_payment.options(retry=patient, timeout_s=5)(order_id)


@workflow
async def label(order_id: str) -> str:
    return await print_label(order_id)


@workflow
async def ask(question: str) -> str:
    return await ask_a_person(question)


@workflow
async def moody(order_id: str) -> str:
    """Do something else in each replay."""
    await process_payment(order_id, next(surprises))
    await asyncio.sleep(1)
    return order_id


@workflow
async def restless() -> None:
    """Wait for a second, and then for another time in each replay."""
    await asyncio.sleep(1)
    await asyncio.sleep(next(surprises) + 1)


@workflow
async def surprising(order_id: str) -> int:
    return next(surprises)


@subscription(OrderShipped)
async def thank(event: OrderShipped) -> None:
    await wait_one_second.options(id=f"thank-{event.order_id}").start(event.order_id)


@subscription(
    OrderPlaced,
    match={"amount": [{"numeric": [">", 100]}]},
    retry=Retry(max_attempts=3, backoff_s=60, jitter=0),
)
async def audit(event: OrderPlaced) -> None:
    raise ValueError(f"{event.order_id} is too dear")


@command(errors=[OutOfStock])
async def place_order(order_id: str, amount: int = 1) -> str:
    if order_id == "none":
        raise OutOfStock(sku=order_id)
    run = await process_order.options(id=order_id).start(order_id)
    await OrderPlaced(order_id=order_id, amount=amount).emit()
    return run.id


@command
async def place_and_wait(order_id: str) -> Shipment:
    return await (await process_order.start(order_id)).result()


@command
async def watch(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(60)
        yield number


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    lifespans.append("opened")
    async with asyncio.timeout(None):  # must be left in the task in which it was entered
        yield
    lifespans.append("closed")


class Orders(Service, lifespan=lifespan):
    place_order = place_order
    place_and_wait = place_and_wait
    watch = watch
    process_order = process_order
    cancellable = cancellable
