"""A service with everything durable in it, as its users would write it; it notes what it does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from service_kit import Event, Retry, Service, Signal, State, command, subscription, task, workflow

DONE: list[str] = []
"""What was done, for tests to look at."""
FAILING: dict[str, int] = {}
"""How often something fails before it succeeds."""

ledger: ContextVar[list[str]] = ContextVar("ledger")
"""Where it is noted: within the lifespan, or nowhere."""

approved = Signal("approved", str)
progress = State("progress", str)


class Shipped(Event):
    order: str


@task
async def charge(order: str) -> str:
    ledger.get().append(f"charge {order}")
    return f"paid {order}"


@task(retry=Retry(max_attempts=5, backoff_s=0.01))
async def ship(order: str) -> str:
    if FAILING.get(order, 0) > 0:
        FAILING[order] -= 1
        raise ConnectionError("the carrier does not answer")
    ledger.get().append(f"ship {order}")
    return f"shipped {order}"


@task(inline=True, retry=Retry(max_attempts=5, backoff_s=0.01))
async def note(order: str, number: int) -> int:
    if FAILING.get(f"note {order}", 0) > 0:
        FAILING[f"note {order}"] -= 1
        raise ConnectionError("no pencil")
    ledger.get().append(f"note {order} {number}")
    return number + 1


@workflow
async def child(order: str) -> str:
    return await charge(order)


@workflow
async def pipeline(order: str) -> str:
    progress.set("begun")
    paid = await child(order)
    await asyncio.sleep(0.2)
    words = await approved.receive()
    tracking = await ship(order)
    await Shipped(order=order).emit()
    progress.set("ended")
    return f"{paid}, {words}, {tracking}"


@workflow
async def sequential(order: str, steps: int) -> int:
    for _ in range(steps):
        await charge(order)
    return steps


@workflow
async def inline(order: str, steps: int) -> int:
    number = 0
    while number < steps:
        number = await note(order, number)
    return number


@task
async def produce(size: int) -> str:
    return random.Random(7).randbytes(size).hex()


@task
async def consume(text: str) -> int:
    return len(text)


@workflow
async def large(size: int) -> int:
    return await consume(await produce(size))


@subscription(Shipped, retry=Retry(max_attempts=3, backoff_s=0.01))
async def tell(event: Shipped) -> None:
    if FAILING.get(f"tell {event.order}", 0) > 0:
        FAILING[f"tell {event.order}"] -= 1
        raise ConnectionError("nobody listens")
    ledger.get().append(f"tell {event.order}")


@command(method="POST", path="/orders/{order}")
async def place(order: str) -> str:
    await pipeline.options(id=order).start(order)
    return order


@command
async def announce(order: str) -> None:
    await Shipped(order=order).emit()


@asynccontextmanager
async def open_ledger() -> AsyncGenerator[None, None]:
    ledger.set(DONE)
    yield


class Pipelines(Service, lifespan=open_ledger):
    """Orders, from their payment to their shipment."""

    place = place
    announce = announce
    pipeline = pipeline
    sequential = sequential
    inline = inline
    large = large
    approved = approved
