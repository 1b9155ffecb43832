"""The local host: SQLite in WAL mode, synchronous=FULL, every step recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.workflows.contest import Contestant
from service_kit import Service, Signal, task, workflow
from service_kit.engine.arrivals import ExecutionStarted, TaskSucceeded
from service_kit.engine.calls import TaskScheduled
from service_kit.engine.history import ExecutionSucceeded, Flag, HistoryEvent, TurnStarted
from service_kit.engine.payload import digest
from service_kit.engine.wire import encode_events
from service_kit.hosts.local.host import LocalHost
from service_kit.testing.replayer import Replayer

BEGIN_S = 1_700_000_000.0

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


@workflow
async def idle() -> str:
    return await go_on.receive()


class Counting(Service):
    count = count
    wait = wait
    idle = idle


@asynccontextmanager
async def open_host(folder: Path) -> AsyncIterator[Contestant]:
    async with LocalHost(Counting, folder / "store.db"):
        yield Contestant(_count, _let_wait, _start)


def rehearse(steps: int) -> Callable[[], Awaitable[None]]:
    """Replay the JSON of a history: decoding it is a part of it, as it is where executions are loaded."""
    events: list[HistoryEvent] = [
        TurnStarted(BEGIN_S, tuple(Flag)),
        ExecutionStarted("counted", "count", count.calls.encode_arguments({"steps": steps}), "seed"),
    ]
    for number in range(steps):
        given = step.calls.encode_arguments({"number": number})
        call = TaskScheduled(number + 1, "step", digest(given), given)
        answer = TaskSucceeded(number + 1, str(number + 1))
        events += [call, TurnStarted(BEGIN_S + number + 1), answer]
    events.append(ExecutionSucceeded(str(steps), digest(str(steps))))
    text, replayer = encode_events(events), Replayer(Counting)

    async def replay() -> None:
        replayer.replay(text)

    return replay


async def _count(steps: int) -> int:
    return await (await count.start(steps)).result()


async def _start() -> None:
    await idle.start()


async def _let_wait(executions: int) -> None:
    """Return when so many executions wait for a signal."""
    for begin in range(0, executions, 500):
        handles = await asyncio.gather(*(wait.start(1) for _ in range(begin, min(begin + 500, executions))))
        for handle in handles:
            while len(await handle.history()) < 5:
                await asyncio.sleep(0.001)
