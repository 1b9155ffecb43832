"""Schedules and large, packed payloads while processes die, freeze and lose what the store has answered."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from service_kit import Retry, Service, task, workflow
from service_kit.contract.gather import gather
from service_kit.contract.scheduler import SCHEDULER, scheduler_id
from service_kit.contract.service import contract_of
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import ExecutionQuery, ExecutionRecord
from service_kit.stores.memory.store import memory_stores
from service_kit.stores.packed.codec import Zlib
from service_kit.stores.packed.packer import Packing
from service_kit.stores.packed.store import packed_stores
from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.cluster import Cluster, WallClock
from service_kit.testing.simulation.failpoints import with_failpoints
from service_kit.testing.simulation.faults import FaultyGate
from service_kit.testing.simulation.loop import START_S, SimulatedLoop
from service_kit.testing.simulation.world import World

SEEDS, LONG_SEEDS = range(12), range(12, 1_000)
FAULTS_S = 600.0
CALM_S = 300.0


@task(retry=Retry(max_attempts=1_000, backoff_s=0.1, backoff_max_s=1))
async def note(text: str) -> str:
    return text * 2


@workflow(cron="* * * * *", overlap="allow", catch_up_s=86_400)
async def minutely(text: str = "as large as it has to be") -> str:
    return await note(text)


class Minutely(Service):
    minutely = minutely


class Blind(World):
    """A world that does not look: what is packed tells it nothing."""

    def took(self, point: str, args: tuple[Any, ...], result: Any) -> None:
        pass


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("service_kit.runtime", "asyncio")]
    for logger in loggers:
        logger.disabled = True
    yield
    for logger in loggers:
        logger.disabled = False


class Run:
    """Ten minutes of faults, and five of calm."""

    def __init__(self, seed: int) -> None:
        self.loop = SimulatedLoop()
        self.chances = Chances(seed)
        self.clock = WallClock(self.loop)
        self.stores: Stores = memory_stores()

    def run(self) -> list[ExecutionRecord]:
        """Return the runs that there were, the oldest first."""
        return contextvars.copy_context().run(self._run)

    def _run(self) -> list[ExecutionRecord]:
        try:
            return self.loop.complete(self._main())
        finally:
            self.loop.bury()

    async def _main(self) -> list[ExecutionRecord]:
        gate = FaultyGate(self.loop, self.chances, Blind(self.clock.now_s), lambda _: None)
        faulty = with_failpoints(self.stores, gate)
        packed = packed_stores(faulty, self.clock.now_s, [Zlib(over_bytes=-1)], large_bytes=80)
        declarations = gather(contract_of(Minutely))
        cluster = Cluster(self.loop, packed, declarations, self.chances, self.clock, lambda _: None)
        cluster.spawn()
        cluster.spawn()
        while self.loop.time() < START_S + FAULTS_S:
            await asyncio.sleep(5)
            if (drawn := self.chances.draw("clock")) is not None:
                self.clock.skew_s += 120 * drawn.amount - 20
        self.chances.calm = True
        await asyncio.sleep(CALM_S)
        page = await self.stores.index.list(ExecutionQuery("minutely", limit=10_000))
        return sorted(page.executions, key=lambda record: record.id)


def test_each_time_is_run_once_and_to_its_end_whatever_fails() -> None:
    kinds = check(SEEDS)
    assert kinds["before"] > len(SEEDS)
    assert kinds["clock"]


@pytest.mark.long
def test_each_time_is_run_once_in_a_thousand_runs() -> None:
    assert check(LONG_SEEDS)["death"]


def check(seeds: range) -> Counter[str]:
    """Run seeds, and return how often each kind of fault has happened."""
    kinds: Counter[str] = Counter()
    for seed in seeds:
        run = Run(seed)
        records = run.run()
        kinds.update(name.partition(":")[0] for name in run.chances.happened)
        times = [record.id.removeprefix("minutely@") for record in records]
        assert len(times) >= (FAULTS_S + CALM_S) / 60 - 3, f"seed {seed}: {times}"
        minutes = [int(time[11:13]) * 60 + int(time[14:16]) for time in times]
        assert minutes == list(range(minutes[0], minutes[0] + len(minutes))), f"seed {seed}: {times}"
        unfinished = [record.id for record in records[:-1] if record.status != "succeeded"]
        assert not unfinished, f"seed {seed}: {unfinished}"
    return kinds


def test_large_payloads_that_are_stored_after_what_refers_to_them_are_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep = Packing.keep

    async def planted(self: Packing) -> None:
        later = Packing(self.packer, dict(self.blobs))
        asyncio.create_task(_after(0.5, lambda: keep(later)))  # noqa: RUF006 - the loop keeps it

    monkeypatch.setattr(Packing, "keep", planted)
    with pytest.raises(AssertionError, match="seed "):
        check(SEEDS)


async def _after(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(seconds)
    await act()


def test_a_scheduler_keeps_a_short_history() -> None:
    run = Run(3)
    run.run()
    found = asyncio.run(run.stores.executions.load(scheduler_id("minutely")))
    assert found is not None
    assert found.record.workflow == SCHEDULER
    assert len(found.history) <= 4
