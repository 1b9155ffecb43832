"""Tasks as their users see them: retries, timeouts, heartbeats, cancellation, limits, lost attempts."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from client_kit.executions import ExecutionHandle
from service_kit import Retry, heartbeat, heartbeat_details, idempotency_key
from service_kit.errors import TimedOut, WorkflowFailed
from service_kit.runtime.assembly import Runtime, RuntimeOptions
from service_kit.runtime.ports import Stores
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import ManualClock, running, settle, until
from tests.runtime.shop import (
    OutOfStock,
    Shop,
    acts,
    chosen,
    do,
    do_in_thread,
    do_many,
    give_up,
    log,
    work,
)

pytestmark = pytest.mark.anyio


def _raises(error: BaseException) -> Any:
    def act() -> None:
        raise error

    return act


async def _cause(handle: ExecutionHandle[Any]) -> str:
    with pytest.raises((WorkflowFailed, TimedOut)) as failed:
        await handle.result()
    return str(failed.value)


async def test_outside_of_workflows_a_task_is_the_plain_function() -> None:
    acts["a"] = lambda: "plain"
    assert await do_in_thread.function.__globals__["short"]("a") == "plain"


async def test_a_failed_attempt_is_tried_again_with_growing_waits(
    runtime: Runtime, clock: ManualClock
) -> None:
    acts["a 1"] = acts["a 2"] = _raises(ValueError("not yet"))
    handle = await do.start("a")
    await clock.advance(9)
    assert log == ["a 1"]
    await clock.advance(1)
    assert log == ["a 1", "a 2"]
    await clock.advance(19)
    assert log == ["a 1", "a 2"]
    await clock.advance(1)
    assert await handle.result() == "a 3"


async def test_after_the_last_attempt_the_workflow_gets_the_error(
    runtime: Runtime, clock: ManualClock
) -> None:
    acts["a"] = _raises(ValueError("never"))
    handle = await do.start("a")
    await clock.advance(100)
    assert "never" in await _cause(handle)
    assert log == ["a"] * 3


async def test_a_declared_error_comes_as_its_own_class(runtime: Runtime, clock: ManualClock) -> None:
    acts["a"] = _raises(OutOfStock(sku="s-1"))
    chosen["retry"] = Retry(max_attempts=1)
    with pytest.raises(OutOfStock) as error:
        await (await do.start("a")).result()
    assert error.value.sku == "s-1"


async def test_a_non_retryable_error_fails_at_once(runtime: Runtime) -> None:
    acts["a"] = _raises(KeyError("k"))
    chosen["retry"] = Retry(max_attempts=9, non_retryable=(LookupError,))
    assert "KeyError" in await _cause(await do.start("a"))
    assert log == ["a"]


async def test_an_attempt_that_takes_too_long_is_a_failed_one(runtime: Runtime, clock: ManualClock) -> None:
    acts["a 1"] = asyncio.Event().wait
    chosen["timeout_s"] = 7
    handle = await do.start("a")
    await clock.advance(16)
    assert log == ["a 1"]
    await clock.advance(1)
    assert await handle.result() == "a 2"


async def test_a_timeout_of_the_last_attempt_is_timed_out(runtime: Runtime, clock: ManualClock) -> None:
    acts["a"] = asyncio.Event().wait
    chosen.update(timeout_s=7, retry=Retry(max_attempts=1))
    handle = await do.start("a")
    await clock.advance(7)
    assert await _cause(handle) == "task 'work' did not end within 7 s"


async def test_a_timeout_that_the_task_raises_itself_keeps_its_words(runtime: Runtime) -> None:
    acts["a"] = _raises(TimeoutError("the bank did not answer"))
    chosen.update(timeout_s=7, retry=Retry(max_attempts=1))
    assert "the bank did not answer" in await _cause(await do.start("a"))


async def test_all_attempts_together_have_a_limit(runtime: Runtime, clock: ManualClock) -> None:
    acts["a"] = _raises(ValueError("not yet"))
    chosen.update(schedule_to_close_s=45, retry=Retry(max_attempts=None, backoff_s=10, jitter=0))
    handle = await do.start("a")
    await clock.advance(29)
    assert log == ["a"] * 2
    await clock.advance(1)
    # The next attempt would begin after the limit, so this error is the answer.
    assert "not yet" in await _cause(handle)
    assert log == ["a"] * 3


async def test_an_attempt_ends_with_the_limit_of_all(runtime: Runtime, clock: ManualClock) -> None:
    acts["a"] = asyncio.Event().wait
    chosen["schedule_to_close_s"] = 45
    handle = await do.start("a")
    await clock.advance(45)
    assert "did not end within 45 s" in await _cause(handle)


async def test_a_silent_attempt_is_taken_for_dead(runtime: Runtime, clock: ManualClock) -> None:
    acts["a 1"] = asyncio.Event().wait
    chosen["heartbeat_timeout_s"] = 8
    handle = await do.start("a")
    await clock.advance(18)
    assert await handle.result() == "a 2"


async def test_an_attempt_that_gives_heartbeats_goes_on(runtime: Runtime, clock: ManualClock) -> None:
    async def beat() -> str:
        for _ in range(20):
            heartbeat()
            await clock.sleep(5)
        return "done"

    acts["a 1"] = beat
    chosen["heartbeat_timeout_s"] = 8
    handle = await do.start("a")
    await clock.advance(100)
    assert await handle.result() == "done"
    assert log == ["a 1"]


async def test_the_next_attempt_reads_the_last_heartbeats_details(
    runtime: Runtime, clock: ManualClock
) -> None:
    async def first() -> None:
        assert heartbeat_details(int) is None
        heartbeat(41)
        heartbeat(42)
        heartbeat()
        raise ValueError("boom")

    acts["a 1"], acts["a 2"] = first, lambda: heartbeat_details(int)
    handle = await do.start("a")
    await clock.advance(10)
    assert await handle.result() == "42"


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


async def test_the_idempotency_key_is_one_for_all_attempts_and_of_this_call_only(
    runtime: Runtime, clock: ManualClock
) -> None:
    keys: list[str] = []

    def note() -> None:
        keys.append(idempotency_key())
        if len(keys) == 1:
            raise ValueError("again")

    acts["a"] = acts["b"] = note
    for name in ("a", "b"):
        await do.start(name)
        await clock.advance(10)
    assert keys[0] == keys[1] != keys[2]


async def test_a_task_that_nobody_waits_for_hears_of_it_at_its_heartbeat(
    runtime: Runtime, clock: ManualClock
) -> None:
    heard: list[str] = []

    async def beat() -> None:
        try:
            while True:
                heartbeat()
                await clock.sleep(2)
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    acts["a"] = beat
    handle = await give_up.start("a")
    await clock.advance(4)
    assert heard == []
    await clock.advance(4)
    assert (heard, log) == (["cancelled"], ["a", "gave up"])
    await clock.advance(1000)
    assert await handle.result() == "late"
    assert await runtime.stores.tasks.next_available_s(["work"]) is None
    assert log == ["a", "gave up"]


async def test_a_task_in_another_process_hears_of_its_cancellation_too(clock: ManualClock) -> None:
    stores = memory_stores()
    heard = asyncio.Event()

    async def beat() -> None:
        try:
            while True:
                heartbeat("here")
                await clock.sleep(1)
        except asyncio.CancelledError:
            heard.set()
            raise

    acts["a"] = beat
    async with running(Shop, clock, stores):
        handle = await do.start("a")
        await settle()
        async with running(Shop, clock, stores):
            await handle.terminate("enough")  # by a process that does not run the task
            await clock.advance(5)
            assert heard.is_set()


async def test_the_answer_of_a_task_that_nobody_waits_for_is_dropped(
    runtime: Runtime, clock: ManualClock
) -> None:
    acts["a"] = lambda: clock.sleep(60)
    handle = await give_up.start("a")
    await clock.advance(100)
    kinds = [event["kind"] for event in await handle.history()]
    assert "TaskSucceeded" not in kinds
    assert await runtime.stores.tasks.next_available_s(["work"]) is None


async def test_a_task_that_waits_for_its_retry_is_cancelled_at_once(
    runtime: Runtime, clock: ManualClock
) -> None:
    acts["a"] = _raises(ValueError("again"))
    await give_up.start("a")
    await clock.advance(200)
    assert log == ["a", "gave up"]


async def test_a_cancelled_error_of_the_tasks_own_is_a_failure(runtime: Runtime) -> None:
    acts["a"] = _raises(asyncio.CancelledError())
    chosen["retry"] = Retry(max_attempts=1)
    assert "nobody cancelled it" in await _cause(await do.start("a"))


async def test_a_sync_task_runs_in_a_thread(runtime: Runtime) -> None:
    acts["a"] = lambda: threading.current_thread().name
    handle = await do_in_thread.start("a")
    waiting = asyncio.create_task(handle.result())
    await until(waiting.done)
    assert waiting.result() != threading.main_thread().name


async def test_a_thread_that_goes_on_after_its_timeout_hears_of_it(
    runtime: Runtime, clock: ManualClock
) -> None:
    begun, timed_out, heard = threading.Event(), threading.Event(), list[str]()

    def work_on() -> None:
        heartbeat()
        begun.set()
        timed_out.wait(30)
        try:
            heartbeat()
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    acts["a"] = work_on
    handle = await do_in_thread.start("a")
    await until(begun.is_set)
    await clock.advance(5)
    assert "did not end within 5 s" in await _cause(handle)
    timed_out.set()
    await until(lambda: heard)


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


async def test_a_task_that_is_gone_from_the_service_fails_where_it_is_called(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(runtime.declarations.tasks, "work")
    cause = await _cause(await do.start("a"))
    assert "task 'work' is not part of service" in cause
    assert "include=" in cause


async def test_an_input_that_does_not_fit_fails_at_once_with_the_reason(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(work.calls), "encode_arguments", lambda self, arguments: '{"name": 7}')
    handle = await do.options(id="o-1").start("a")
    monkeypatch.undo()
    await clock.advance(1)
    cause = await runtime.gateway.outcome(handle.id, 0)
    assert cause is not None
    assert "ValidationError" in cause
    assert log == []


async def test_a_store_that_does_not_take_a_retry_leaves_the_task_to_be_claimed_again(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> bool:
        raise OSError("disk")

    acts["a 1"] = _raises(ValueError("not yet"))
    with monkeypatch.context() as patch:
        patch.setattr(runtime.stores.tasks, "retry", refuse)
        handle = await do.start("a")
        await clock.advance(5)
    await clock.advance(40)
    assert await handle.result() == "a 2"


async def test_a_lost_hint_costs_time_only(clock: ManualClock) -> None:
    stores: Stores = memory_stores()
    async with running(Shop, clock, stores) as runtime:
        runtime.task_worker.closing = True  # so that the task is left to whoever looks
        runtime._task_hint.give = lambda: None  # type: ignore[method-assign]  # the fault that is meant
        handle = await do.start("a")
        await settle()
        runtime.task_worker.closing = False
        await clock.advance(2)
        assert await handle.result() == "a"
