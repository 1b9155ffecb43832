"""Claims on tasks: processes that die, stop, wake up late or lose touch with the store."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from client_kit.executions import ExecutionHandle
from service_kit import Retry, heartbeat, heartbeat_details
from service_kit.errors import TimedOut, WorkflowFailed
from service_kit.runtime.assembly import Runtime
from service_kit.runtime.records import Claim
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import ManualClock, running, settle
from tests.runtime.shop import (
    Shop,
    acts,
    chosen,
    do,
    log,
)

pytestmark = pytest.mark.anyio


async def _cause(handle: ExecutionHandle[Any]) -> str:
    with pytest.raises((WorkflowFailed, TimedOut)) as failed:
        await handle.result()
    return str(failed.value)


async def test_details_survive_the_death_of_the_process(clock: ManualClock) -> None:
    async def first() -> None:
        heartbeat(42)
        await asyncio.Event().wait()

    acts["a 1"], acts["a 2"] = first, lambda: heartbeat_details(int)
    stores = memory_stores()
    async with running(Shop, clock, stores) as dying:
        handle = await do.start("a")
        await clock.advance(2)
        await _die(dying)
    async with running(Shop, clock, stores):
        await clock.advance(40)
        assert await do.get(handle.id).result() == "42"


async def _die(runtime: Runtime) -> None:
    """Stop as by SIGKILL: nothing is said to the store any more."""
    for loop in runtime._loops.values():
        loop.cancel()
    for _, runner in runtime.task_worker._running.values():
        runner.cancel()
    await settle()
    runtime.task_worker._running.clear()


async def test_an_attempt_whose_process_died_is_counted_and_tried_again(clock: ManualClock) -> None:
    acts["a 1"] = asyncio.Event().wait
    stores = memory_stores()
    async with running(Shop, clock, stores) as dying:
        handle = await do.start("a")
        await settle()
        await _die(dying)
    async with running(Shop, clock, stores):
        await clock.advance(29)
        assert log == ["a 1"]
        await clock.advance(2)
        assert await do.get(handle.id).result() == "a 2"


async def test_a_task_of_one_attempt_is_not_run_again_after_its_process_died(clock: ManualClock) -> None:
    acts["a"] = asyncio.Event().wait
    chosen["retry"] = Retry(max_attempts=1)
    stores = memory_stores()
    async with running(Shop, clock, stores) as dying:
        handle = await do.start("a")
        await settle()
        await _die(dying)
    async with running(Shop, clock, stores):
        await clock.advance(32)
        assert "was lost" in await _cause(do.get(handle.id))
    assert log == ["a"]


async def test_a_host_that_stops_hands_its_attempts_on_at_once(clock: ManualClock) -> None:
    acts["a 1"] = asyncio.Event().wait
    stores = memory_stores()
    async with running(Shop, clock, stores):
        handle = await do.start("a")
        await settle()
    async with running(Shop, clock, stores):
        await clock.advance(2)
        assert await do.get(handle.id).result() == "a 2"


async def test_claims_are_kept_as_long_as_an_attempt_runs(clock: ManualClock) -> None:
    stores = memory_stores()
    acts["a 1"] = lambda: clock.sleep(500)
    async with running(Shop, clock, stores), running(Shop, clock, stores):
        handle = await do.start("a")
        await clock.advance(501)
        assert await handle.result() == "None"
    assert log == ["a 1"]


async def test_an_old_process_that_wakes_up_after_another_took_over_records_nothing(
    clock: ManualClock,
) -> None:
    stores, gate = memory_stores(), asyncio.Event()
    acts["a 1"], acts["a 2"] = gate.wait, lambda: clock.sleep(100)
    async with running(Shop, clock, stores) as old:
        handle = await do.start("a")
        await settle()
        await old._end_loops()  # it hangs, and gives no sign of life
        async with running(Shop, clock, stores):
            await clock.advance(32)
            assert log == ["a 1", "a 2"]
            gate.set()  # the old attempt ends after all
            handle = do.get(handle.id)
            await clock.advance(5)
            assert await handle.status() == "running"
            await clock.advance(100)
            assert await handle.result() == "None"  # the answer of the second attempt
    succeeded = [event for event in await handle.history() if event["kind"] == "TaskSucceeded"]
    assert [event["value"] for event in succeeded] == ['"None"']


async def test_a_clock_that_jumps_ahead_ends_no_attempt(runtime: Runtime, clock: ManualClock) -> None:
    ended = asyncio.Event()
    acts["a"], chosen["retry"] = ended.wait, Retry(max_attempts=1)
    handle = await do.start("a")
    await settle()
    clock.jump(3600)
    await clock.advance(5)
    ended.set()
    await clock.advance(1)
    assert await handle.result() == "True"
    assert log == ["a"]


async def test_a_clock_that_jumps_ahead_while_an_answer_is_told_does_not_lose_it(
    runtime: Runtime, clock: ManualClock
) -> None:
    taken, report = asyncio.Event(), runtime.task_worker.report

    async def report_slowly(*told: Any) -> None:
        await taken.wait()
        await report(*told)

    runtime.task_worker.report = report_slowly
    chosen["retry"] = Retry(max_attempts=1)
    handle = await do.start("a")
    await settle()
    clock.jump(3600)
    await clock.advance(5)
    taken.set()
    await clock.advance(1)
    assert (log, await handle.status()) == (["a"], "succeeded")


@pytest.mark.parametrize("taken", [False, True], ids=["nobody has taken it", "somebody has taken it"])
async def test_a_clock_that_jumps_ahead_while_a_task_is_scheduled_lets_it_begin_if_it_is_still_here(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    executions, tasks = runtime.stores.executions, runtime.stores.tasks
    create = executions.create

    async def create_slowly(*asked: Any) -> Any:
        created = await create(*asked)
        clock.jump(3600)
        if taken:
            other = Claim("somebody else", clock.now_s() + 30)
            assert len(await tasks.claim(["work"], other, clock.now_s(), 1)) == 1
        return created

    monkeypatch.setattr(executions, "create", create_slowly)
    chosen["retry"] = Retry(max_attempts=1)
    handle = await do.start("a")
    await clock.advance(5)
    assert (log, await handle.status()) == (([], "running") if taken else (["a"], "succeeded"))


async def test_a_store_that_takes_no_heartbeats_almost_as_long_as_a_claim_lasts_ends_no_attempt(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(beats: object) -> None:
        raise OSError("the disk is away")

    ended = asyncio.Event()
    acts["a"], chosen["retry"] = ended.wait, Retry(max_attempts=1)
    handle = await do.start("a")
    await settle()
    with monkeypatch.context() as patch:
        patch.setattr(runtime.stores.tasks, "heartbeat", refuse)
        await clock.advance(runtime.task_worker.options.lease_s - 1)
    await clock.advance(5)
    ended.set()
    await clock.advance(1)
    assert (log, await handle.status()) == (["a"], "succeeded")


async def test_a_task_that_comes_back_to_its_process_waits_for_the_attempt_that_is_still_ending(
    clock: ManualClock,
) -> None:
    stores, ending = memory_stores(), asyncio.Event()

    async def end_in_its_own_time() -> None:
        while not ending.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await ending.wait()

    acts["a 1"], chosen["retry"] = end_in_its_own_time, Retry(max_attempts=10)
    async with running(Shop, clock, stores) as runtime:
        handle = await do.start("a")
        await settle()
        await runtime._end_loops()
        worker = runtime.task_worker
        for _ in range(2):  # it hangs; somebody else takes the task over, and dies; it goes on
            clock.jump(3600)
            await stores.tasks.claim(["work"], Claim("somebody else", clock.now_s() + 30), clock.now_s(), 1)
            clock.jump(3600)
            await worker.claim_some()
            await settle()
        begun = list(log)
        ending.set()
        await clock.advance(1)
        assert (begun, await handle.status()) == (["a 1"], "succeeded")
        assert (log, worker.busy, worker.room) == (["a 1", "a 5"], False, worker.options.capacity)


async def test_an_attempt_that_has_lost_its_claim_is_stopped(clock: ManualClock) -> None:
    stores, stopped = memory_stores(), list[str]()

    async def first() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append("first")

    acts["a 1"] = first
    async with running(Shop, clock, stores) as old:
        await do.start("a")
        await settle()
        keeper = old._loops.pop("_keep_claims")
        keeper.cancel()
        async with running(Shop, clock, stores):
            await clock.advance(32)
            await old.task_worker.keep_claims()
            await settle()
    assert stopped == ["first"]


async def test_a_store_that_takes_no_heartbeats_ends_attempts_before_others_begin_them(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[float] = []

    async def first() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(clock.now_s())

    async def refuse(beats: object) -> None:
        raise OSError("disk")

    acts["a 1"] = first
    begin_s = clock.now_s()
    await do.start("a")
    await settle()
    with monkeypatch.context() as patch:
        patch.setattr(runtime.stores.tasks, "heartbeat", refuse)
        await clock.advance(40)
    assert [at_s - begin_s <= 32 for at_s in ended] == [True]
