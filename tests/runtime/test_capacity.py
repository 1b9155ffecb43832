"""How many attempts run, where, and how a process stops taking them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from service_kit.runtime.assembly import Runtime, RuntimeOptions
from service_kit.runtime.records import ClaimedTask
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import ManualClock, running, settle
from tests.runtime.shop import (
    Shop,
    acts,
    do,
    do_many,
    log,
)

pytestmark = pytest.mark.anyio


async def test_no_more_attempts_run_side_by_side_than_a_task_allows(
    runtime: Runtime, clock: ManualClock
) -> None:
    for number in range(5):
        acts[f"narrow{number}"] = lambda: clock.sleep(10)
    await do_many.start("narrow", 5)
    counts = []
    for _ in range(3):
        await settle()
        counts.append(len(log))
        await clock.advance(10)
    assert counts == [2, 4, 5]


async def test_no_more_attempts_begin_in_a_second_than_a_task_allows(
    runtime: Runtime, clock: ManualClock
) -> None:
    handle = await do_many.start("slow", 6)
    counts = []
    for _ in range(6):
        await clock.advance(0.5)
        counts.append(len(log))
    assert counts == [2, 3, 4, 5, 6, 6]
    assert len(await handle.result()) == 6


async def test_attempts_that_end_while_others_are_claimed_do_not_raise_the_rate(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, claim = [asyncio.Event() for _ in range(6)], runtime.stores.tasks.claim
    for number, end in enumerate(ends):
        acts[f"slow{number}"] = end.wait

    async def claim_slowly(*asked: Any) -> Sequence[ClaimedTask]:
        claimed = await claim(*asked)
        for end in ends[: len(log)]:
            end.set()
        await settle()
        return claimed

    monkeypatch.setattr(runtime.stores.tasks, "claim", claim_slowly)
    await do_many.start("slow", 6)
    counts = []
    for _ in range(6):
        await clock.advance(0.5)
        counts.append(len(log))
    assert counts == [2, 3, 4, 5, 6, 6]


async def test_a_process_runs_no_more_attempts_than_it_has_room_for(clock: ManualClock) -> None:
    stores = memory_stores()
    for number in range(5):
        acts[f"work{number}"] = lambda: clock.sleep(10)
    async with running(Shop, clock, stores, _room_for(2)):
        handle = await do_many.start("work", 5)
        counts = []
        for _ in range(3):
            await settle()
            counts.append(len(log))
            await clock.advance(10)
        assert counts == [2, 4, 5]
        assert len(await handle.result()) == 5


async def test_what_one_process_has_no_room_for_another_one_does(clock: ManualClock) -> None:
    stores = memory_stores()
    for number in range(4):
        acts[f"work{number}"] = lambda: clock.sleep(1000)
    async with running(Shop, clock, stores, _room_for(2)), running(Shop, clock, stores, _room_for(2)):
        await do_many.start("work", 4)
        await clock.advance(2)
        assert len(log) == 4


async def test_an_inline_task_is_run_by_the_process_that_schedules_it_however_full_it_is(
    clock: ManualClock,
) -> None:
    acts["a"] = asyncio.Event().wait
    stores = memory_stores()
    async with running(Shop, clock, stores, _room_for(1)) as runtime:
        await do.start("a")
        handle = await do_many.start("short", 3)
        assert len(await handle.result()) == 3
        await runtime._end_loops()  # nobody else could have claimed them


def _room_for(capacity: int) -> RuntimeOptions:
    return RuntimeOptions(WorkerOptions("one", capacity=capacity))


async def test_a_process_that_drains_begins_nothing_and_ends_what_it_has_begun(clock: ManualClock) -> None:
    stores, gate = memory_stores(), asyncio.Event()
    acts["a"] = gate.wait
    async with running(Shop, clock, stores) as runtime:
        running_one = await do.start("a")
        await settle()
        draining = asyncio.create_task(runtime.drain())
        await settle()
        waiting_one = await do.start("b")
        await clock.advance(100)  # far beyond the lease: claims are kept meanwhile
        assert (log, draining.done()) == (["a"], False)
        gate.set()
        await clock.advance(1)
        assert draining.done()
        assert await running_one.result() == "True"
        assert await waiting_one.status() == "running"
    async with running(Shop, clock, stores):
        await clock.advance(2)
        assert await do.get(waiting_one.id).result() == "b"
