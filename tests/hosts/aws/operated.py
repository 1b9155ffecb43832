"""A service that needs operators: a handler that fails, a schedule, and an execution that can go another way."""

from __future__ import annotations

import asyncio
from datetime import datetime

from service_kit import Event, Retry, Service, command, subscription, task, workflow

DONE: list[str] = []
"""What was done, for tests to look at."""
BROKEN: set[str] = set()
"""The orders of which nobody can be told."""


class Paid(Event):
    order: str


@subscription(Paid, retry=Retry(max_attempts=2, backoff_s=0.01))
async def tell(event: Paid) -> None:
    if event.order in BROKEN:
        raise ConnectionError(f"nobody listens to {event.order}")
    DONE.append(f"tell {event.order}")


@subscription(Paid)
async def count(event: Paid) -> None:
    DONE.append(f"count {event.order}")


@task
async def charge(order: str) -> str:
    DONE.append(f"charge {order}")
    return order


@task
async def ship(order: str) -> str:
    DONE.append(f"ship {order}")
    return order


@workflow
async def deliver(order: str) -> str:
    paid = await charge(order)
    shipped, _ = await asyncio.gather(ship(paid), asyncio.sleep(3_600))
    return shipped


@workflow(cron="* * * * *")
async def close_books(at: datetime) -> None:
    await charge(f"books of {at:%H:%M}")


@command
async def pay(order: str) -> None:
    await Paid(order=order).emit()


class Operated(Service):
    """Sell things, in need of attention."""

    pay = pay
    deliver = deliver
    close_books = close_books
