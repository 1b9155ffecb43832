"""Workflows of one kind each, so that what they ask of AWS can be counted."""

from __future__ import annotations

import asyncio
import random

from service_kit import Event, Service, Signal, command, subscription, task, workflow

go_on = Signal("go_on", str)


class Counted(Event):
    number: int


@task
async def step(number: int) -> int:
    return number + 1


@task(inline=True)
async def note(number: int) -> int:
    return number + 1


@workflow
async def queued(steps: int) -> int:
    number = 0
    while number < steps:
        number = await step(number)
    return number


@workflow
async def inline(steps: int) -> int:
    number = 0
    while number < steps:
        number = await note(number)
    return number


@workflow
async def aged(before: int, steps: int) -> int:
    """Take some inline steps, and then some by a queue."""
    number = 0
    while number < before:
        number = await note(number)
    while number < before + steps:
        number = await step(number)
    return number


@workflow
async def nothing() -> None:
    return None


@workflow
async def timer(seconds: float) -> None:
    await asyncio.sleep(seconds)


@workflow
async def parent() -> None:
    await nothing()


@workflow
async def waiting() -> str:
    return await go_on.receive()


@workflow
async def fan_out(width: int) -> int:
    return sum(await asyncio.gather(*(step(number) for number in range(width))))


@task
async def produce(kb: int) -> str:
    return random.Random(7).randbytes(kb * 1024).hex()


@workflow
async def large(kb: int) -> None:
    await produce(kb)


@workflow
async def emitting() -> None:
    await Counted(number=1).emit()


@subscription(Counted)
async def hear(event: Counted) -> None:
    pass


@command
async def tell() -> None:
    await Counted(number=2).emit()


class Metered(Service):
    """Count things."""

    queued = queued
    inline = inline
    aged = aged
    nothing = nothing
    timer = timer
    parent = parent
    waiting = waiting
    fan_out = fan_out
    large = large
    emitting = emitting
    tell = tell
    go_on = go_on
