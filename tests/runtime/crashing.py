"""A process that starts orders on one file and is killed; every line that it prints is an acknowledgement.

python -m tests.runtime.crashing <folder> <life> <first order> <count> <lease in seconds>
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from client_kit.executions import ExecutionHandle
from service_kit import Retry, Service, Signal, idempotency_key, task, workflow
from service_kit.hosts.local.host import LocalHost, LocalOptions

FOLDER, LIFE = Path(sys.argv[1] if len(sys.argv) > 1 else "."), sys.argv[2] if len(sys.argv) > 2 else ""
AT_A_TIME = 200

word = Signal("word", str)


@task(retry=Retry(max_attempts=None, backoff_s=0.01))
async def step(name: str, order: int) -> str:
    _log("begun", idempotency_key())
    await asyncio.sleep((order % 7) / 1000)
    return f"{name}{order}"


@task(retry=Retry(max_attempts=None, backoff_s=0.01))
async def hold(order: int) -> str:
    """Wait for a sign in the first life; answer at once in any other."""
    _log("begun", idempotency_key())
    while LIFE == "old" and not (FOLDER / "go").exists():
        await asyncio.sleep(0.01)
    return LIFE


@workflow
async def ship(order: int) -> str:
    return await step("shipped", order)


@workflow
async def process(order: int) -> str:
    first = await step("a", order)
    both = await asyncio.gather(step("b", order), step("c", order))
    await asyncio.sleep(0.02)
    heard = await word.receive()
    return " ".join([first, *both, heard, await ship(order)])


@workflow
async def process_held(order: int) -> str:
    return f"{await hold(order)} {await step('z', order)}"


class Orders(Service):
    process = process
    process_held = process_held
    ship = ship
    word = word


def result_of(order: int) -> str:
    """Return what an order ends with, whatever happens to its process."""
    return f"a{order} b{order} c{order} heard{order} shipped{order}"


def _log(what: str, key: str) -> None:
    with (FOLDER / "log").open("a") as file:
        file.write(f"{LIFE} {what} {key}\n")


def _say(*words: object) -> None:
    print(*words, flush=True)


async def _place(order: int, turn: asyncio.Semaphore) -> None:
    async with turn:
        handle = await process.options(id=f"o-{order}").start(order)
        _say("started", order)
        await _signal(handle, order)


async def _signal(handle: ExecutionHandle[str], order: int) -> None:
    await handle.signal(word, f"heard{order}", id="the signal")
    _say("signalled", order)


async def _main(first: int, count: int, lease_s: float) -> None:
    async with LocalHost(Orders, FOLDER / "orders.db", LocalOptions(lease_s=lease_s)):
        if LIFE in ("old", "new"):
            handle = await process_held.options(id="held").start(1)
            _say("result", await handle.result())
            return
        turn = asyncio.Semaphore(AT_A_TIME)
        await asyncio.gather(*(_place(order, turn) for order in range(first, first + count)))
        _say("placed")
        for line in sys.stdin:  # the orders that were acknowledged in all lives, and how far
            number, _, acknowledged = line.strip().partition(" ")
            handle = process.get(f"o-{number}")
            if acknowledged == "started":
                await _signal(handle, int(number))
            _say("result", number, await handle.result())


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])))
