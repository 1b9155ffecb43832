"""A service whose tasks and handlers do what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from service_kit import (
    Event,
    Retry,
    Service,
    ServiceError,
    Signal,
    State,
    complete_later,
    subscription,
    task,
    task_token,
    workflow,
)
from service_kit.contract.task import current_attempt

acts: dict[str, Callable[[], Any]] = {}
"""What a task or handler of this name does, each time."""
log: list[str] = []
"""What has happened, in order."""
tokens: list[str] = []
chosen: dict[str, Any] = {}
"""Options of the next calls of `work`."""


class OutOfStock(ServiceError, status=409):
    sku: str


class Placed(Event):
    order: str
    amount: int = 0


class Shipped(Event):
    order: str


word = Signal("word", str)
progress = State("progress", int)


async def act(name: str) -> Any:
    """Do what the test says, and write it down."""
    log.append(name)
    result = acts[name]() if name in acts else name
    return await result if isinstance(result, Awaitable) else result


@task(retry=Retry(max_attempts=3, backoff_s=10, jitter=0))
async def work(name: str) -> str:
    return str(await act(f"{name} {current_attempt().number}" if f"{name} 1" in acts else name))


@task(retry=Retry(max_attempts=1), timeout_s=5)
def work_in_thread(name: str) -> str:
    log.append(name)
    return str(acts[name]())


@task(concurrency=2)
async def narrow(name: str) -> str:
    return str(await act(name))


@task(rate_per_s=2)
async def slow(name: str) -> str:
    return str(await act(name))


@task(inline=True)
async def short(name: str) -> str:
    return str(await act(name))


@task
async def ask_somebody(name: str) -> str:
    tokens.append(task_token())
    log.append(name)
    return complete_later()


@task(timeout_s=60, heartbeat_timeout_s=20, retry=Retry(max_attempts=2))
async def ask_with_timeout(name: str) -> str:
    answer: str = await ask_somebody.invoke(name)
    return answer


@workflow
async def do(name: str) -> str:
    return await work.options(**chosen)(name)


@workflow
async def do_in_thread(name: str) -> str:
    return await work_in_thread(name)


@workflow
async def do_many(kind: str, count: int) -> list[str]:
    function = {"narrow": narrow, "slow": slow, "short": short, "work": work}[kind]
    return await asyncio.gather(*(function(f"{kind}{n}") for n in range(count)))


@workflow
async def do_outside(name: str, timed: bool = False) -> str:
    return await (ask_with_timeout if timed else ask_somebody)(name)


@workflow
async def give_up(name: str) -> str:
    try:
        async with asyncio.timeout(5):
            return await work(name)
    except TimeoutError:
        log.append("gave up")
    await asyncio.sleep(1000)
    return "late"


@workflow
async def listen(count: int) -> list[str]:
    heard: list[str] = []
    for number in range(count):
        progress.set(number)
        heard.append(await word.receive())
    return heard


@workflow
async def relay(target: str) -> str:
    await listen.get(target).signal(word, "from a workflow")
    return "sent"


@workflow(timeout_s=30)
async def wait_long(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "waited"


@workflow
async def parent(close: str, child_id: str | None = None, delay_s: float | None = None) -> str:
    child = child_of(close, child_id, delay_s)
    result = await child(1000.0)
    return f"child {result}"


def child_of(close: Any, child_id: str | None, delay_s: float | None) -> Any:
    return wait_long.options(parent_close=close, id=child_id, timeout_s=5000, start_delay_s=delay_s)


@workflow
async def parent_that_leaves(close: str, delay_s: float | None = None) -> str:
    handle = await child_of(close, "child", delay_s).start(1000.0)
    await asyncio.sleep(1)
    return str(handle.id)


@workflow
async def count_down(left: int, heard: int = 0) -> str:
    heard += len(await word.receive())
    if left:
        await count_down.continue_as_new(left - 1, heard)
    return f"heard {heard}"


@workflow
async def announce(order: str) -> None:
    await Placed(order=order, amount=200).emit()
    await Shipped(order=order).emit()


@workflow
async def break_rules(name: str) -> str:
    await work(name)
    if acts.get("broken"):
        open("/dev/null")  # noqa: PTH123, SIM115 - what a workflow must not do
    return "ended"


@workflow
async def fail(sku: str) -> str:
    if sku == "declared":
        raise OutOfStock(sku=sku)
    raise ValueError(f"no {sku}")


@subscription(Placed | Shipped, retry=Retry(max_attempts=3, backoff_s=10, jitter=0))
async def on_all(event: Placed | Shipped) -> None:
    await act(f"all {type(event).__name__} {event.order}")


@subscription(Placed, match={"amount": [{"numeric": [">", 100]}]}, concurrency=1, timeout_s=50)
async def on_large(event: Placed) -> None:
    await act(f"large {event.order}")


class Shop(Service):
    do = do
    do_in_thread = do_in_thread
    do_many = do_many
    do_outside = do_outside
    give_up = give_up
    listen = listen
    relay = relay
    wait_long = wait_long
    parent = parent
    parent_that_leaves = parent_that_leaves
    count_down = count_down
    announce = announce
    break_rules = break_rules
    fail = fail
