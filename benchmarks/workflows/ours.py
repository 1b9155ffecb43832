"""The local host: SQLite in WAL mode, synchronous=FULL, every step recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.workflows.contest import Contestant
from service_kit import Service, Signal, task, workflow
from service_kit.hosts.local.host import LocalHost

go_on = Signal("go_on", str)


@task
async def step(number: int) -> int:
    return number + 1


@workflow
async def count(steps: int) -> int:
    number = 0
    for _ in range(steps):
        number = await step(number)
    return number


@workflow
async def wait(steps: int) -> str:
    await step(steps)
    return await go_on.receive()


class Counting(Service):
    count = count
    wait = wait


@asynccontextmanager
async def open_host(folder: Path) -> AsyncIterator[Contestant]:
    async with LocalHost(Counting, folder / "store.db"):
        yield Contestant(_count, _let_wait)


async def _count(steps: int) -> int:
    return await (await count.start(steps)).result()


async def _let_wait(executions: int) -> None:
    """Return when so many executions wait for a signal."""
    for begin in range(0, executions, 500):
        handles = await asyncio.gather(*(wait.start(1) for _ in range(begin, min(begin + 500, executions))))
        for handle in handles:
            while len(await handle.history()) < 5:
                await asyncio.sleep(0.001)
