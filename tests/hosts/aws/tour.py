"""A service that lets each of its functions do all that it ever does: for a record of what it calls."""

from __future__ import annotations

import asyncio
import base64
import random
from contextlib import suppress
from datetime import datetime

from service_kit import Event, Retry, Service, Signal, State, command, subscription, task, workflow

LARGE = base64.b64encode(random.Random(7).randbytes(210_000)).decode()
"""More than fits into an item, however it is compressed."""
DONE: list[str] = []
FAILING: set[str] = set()
"""Who fails when he is called next."""

go = Signal("go", str)
shown = State("shown", str)


class Seen(Event):
    by: str
    text: str


@workflow
async def waiting(by: str) -> str:
    shown.set("waiting")
    return await go.receive()


async def use_everything(by: str) -> None:
    """Do what code of the service can do, wherever it runs. `paused-<by>` is there, and paused."""
    run = await waiting.options(id=f"run-{by}").start(LARGE)
    await run.signal(go, "go")
    await run.signal(go, "nobody waits for this one")
    await run.status()
    await run.history()
    await run.state(shown)
    with suppress(TimeoutError):
        await run.result(timeout_s=0.1)
    await run.cancel()
    await waiting.get(f"paused-{by}").terminate()
    await Seen(by=by, text=LARGE).emit()
    DONE.append(by)


def fail_once(by: str) -> None:
    if by in FAILING:
        FAILING.remove(by)
        raise ConnectionError(f"{by} fails once")


@task(retry=Retry(max_attempts=2, backoff_s=0.01))
async def work(by: str) -> None:
    fail_once(by)
    await use_everything(by)


@task(inline=True, retry=Retry(max_attempts=2, backoff_s=0.01))
async def note(by: str) -> None:
    fail_once(f"note {by}")
    await use_everything(f"note {by}")


@task
async def idle(text: str) -> None: ...


@workflow
async def child(text: str) -> str:
    return text


@workflow
async def everything(by: str) -> str:
    """Do what a turn can ask for, a timer beyond a quarter of an hour among it."""
    await asyncio.sleep(0.01)
    await child(LARGE)
    await note(by)
    await work(f"task of {by}")
    left = asyncio.create_task(_leave(by))
    await asyncio.sleep(0)
    left.cancel()
    await Seen(by=f"workflow {by}", text="").emit()
    with suppress(TimeoutError):
        async with asyncio.timeout(3_600):
            await go.receive()
    return by


async def _leave(by: str) -> None:
    await idle(by)


@workflow(cron="0 9 * * *")
async def daily(at: datetime) -> None: ...


@subscription(Seen, retry=Retry(max_attempts=2, backoff_s=0.01))
async def see(event: Seen) -> None:
    if event.by in FAILING:
        raise ConnectionError("it cannot be seen")
    if event.by == "command":
        await use_everything("subscription")


@command
async def act(by: str) -> None:
    await use_everything(by)


class Tour(Service):
    """Do everything once."""

    act = act
    everything = everything
    waiting = waiting
    daily = daily
    go = go
    shown = shown
