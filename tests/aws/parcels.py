"""A small durable service: a child, a task, a timer, signals, and events of workflows and of commands."""

from __future__ import annotations

import asyncio

from service_kit import Event, Service, Signal, State, command, subscription, task, workflow


class Announced(Event):
    """What a command publishes."""

    parcel: str


class Sent(Event):
    """What a workflow publishes."""

    parcel: str


heard = Signal("heard", str)
stage = State("stage", str)


@task
async def pack(parcel: str) -> str:
    return f"{parcel} packed"


@task(inline=True)
async def weigh(parcel: str) -> int:
    return len(parcel)


@workflow
async def wrap(parcel: str) -> str:
    return f"{await pack(parcel)}, {await weigh(parcel)} kg"


@workflow
async def send(parcel: str) -> str:
    wrapped = await wrap(parcel)
    await asyncio.sleep(1)
    await Sent(parcel=parcel).emit()
    first = await heard.receive()
    stage.set("sent")
    return f"{wrapped}; heard {first}, {await heard.receive()}"


@subscription(Sent | Announced)
async def tell(event: Sent | Announced) -> None:
    await send.get(event.parcel).signal(heard, type(event).__name__)


@command
async def announce(parcel: str) -> None:
    """Announce a parcel."""
    await Announced(parcel=parcel).emit()


class Parcels(Service):
    """Send parcels."""

    announce = announce
    send = send
    heard = heard
    stage = stage
