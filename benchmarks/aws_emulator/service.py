"""The service that is deployed to the emulator: steps that do nothing, one after the other."""

from __future__ import annotations

from benchmarks.aws_emulator import timing as timing  # it watches the functions that import this
from service_kit import Service, task, workflow


@task(concurrency=2)
async def queued(number: int) -> int:
    return number + 1


@task(inline=True)
async def inlined(number: int) -> int:
    return number + 1


@workflow
async def by_queue(steps: int) -> int:
    number = 0
    while number < steps:
        number = await queued(number)
    return number


@workflow
async def in_line(steps: int) -> int:
    number = 0
    while number < steps:
        number = await inlined(number)
    return number


class Steps(Service):
    """Take steps."""

    by_queue = by_queue
    in_line = in_line
