"""A runtime in the hands of a test: real parts, stores in memory, and time that the test moves."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from service_kit.contract.gateway import reset_gateway, set_gateway
from service_kit.contract.gather import gather
from service_kit.contract.service import Service, contract_of
from service_kit.runtime.assembly import Entropy, Runtime, RuntimeOptions
from service_kit.runtime.clock import Alarm
from service_kit.runtime.ports import Stores
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.stores.memory.store import memory_stores

BEGIN_S = 1_000_000.0
ROUNDS = 60
"""Of the loop, until everything that does not wait for time or threads is done."""


class _Alarm:
    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self._now_s = BEGIN_S
        self._alarms: list[tuple[float, int, _Alarm]] = []
        self._count = itertools.count()

    def now_s(self) -> float:
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        alarm = self.call_later(seconds, woken.set)
        try:
            await woken.wait()
        finally:
            alarm.cancel()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Alarm:
        alarm = _Alarm(callback)
        heapq.heappush(self._alarms, (self._now_s + max(seconds, 0), next(self._count), alarm))
        return alarm

    async def advance(self, seconds: float) -> None:
        """Let time pass; whatever becomes due meanwhile happens at its time."""
        await settle()
        end_s = self._now_s + seconds
        while self._alarms and self._alarms[0][0] <= end_s:
            at_s, _, alarm = heapq.heappop(self._alarms)
            if alarm.callback is not None:
                self._now_s = max(at_s, self._now_s)
                alarm.callback()
                await settle()
        self._now_s = end_s
        await settle()

    def jump(self, seconds: float) -> None:
        """Set the wall clock, as an operator does; no time passes."""
        self._now_s += seconds
        self._alarms = [(at_s + seconds, number, alarm) for at_s, number, alarm in self._alarms]


async def settle() -> None:
    """Let everything happen that waits for nothing but its turn."""
    for _ in range(ROUNDS):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that a thread or the store does."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


_owners = itertools.count()


@asynccontextmanager
async def running(
    service: type[Service],
    clock: ManualClock,
    stores: Stores | None = None,
    options: RuntimeOptions | None = None,
) -> AsyncIterator[Runtime]:
    """Run a service's share; what the test calls inside reaches it."""
    number = next(_owners)
    ids = itertools.count()
    chosen = options or RuntimeOptions(WorkerOptions("one"))
    chosen = replace(chosen, worker=replace(chosen.worker, owner=f"process {number}"))
    runtime = Runtime(
        stores or memory_stores(),
        gather(contract_of(service)),
        clock,
        Entropy(lambda: f"id-{number}-{next(ids)}", lambda: 0.0, b"secret of the tests"),
        chosen,
    )
    await runtime.start()
    token = set_gateway(runtime.gateway)
    try:
        yield runtime
    finally:
        reset_gateway(token)
        await runtime.stop()


async def letters_of(runtime: Runtime, subscription: str | None) -> Sequence[Mapping[str, Any]]:
    """Return its first dead letters."""
    found, after = await runtime.management.letters.list(subscription, 10, None)
    assert after is None
    return found
