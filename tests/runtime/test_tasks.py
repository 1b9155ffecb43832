"""Tasks as their users see them: retries, timeouts, heartbeats, cancellation, limits, lost attempts.

One list of short tests, though long.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest

from client_kit.executions import ExecutionHandle
from service_kit import Retry, heartbeat, heartbeat_details, idempotency_key
from service_kit.errors import TimedOut, WorkflowFailed
from service_kit.runtime.assembly import Runtime
from service_kit.runtime.ports import Stores
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import ManualClock, running, settle, until
from tests.runtime.shop import (
    OutOfStock,
    Shop,
    acts,
    chosen,
    do,
    do_in_thread,
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


class _OutOfTheTree(BaseException):
    """What no `except Exception` catches."""


_EXITS = [SystemExit("bye"), KeyboardInterrupt("bye"), GeneratorExit("bye"), _OutOfTheTree("bye")]


@pytest.mark.parametrize("error", _EXITS, ids=lambda error: type(error).__name__)
async def test_a_task_that_raises_what_ends_processes_has_failed_and_is_tried_again(
    runtime: Runtime, clock: ManualClock, error: BaseException
) -> None:
    acts["a"] = _raises(error)
    chosen["retry"] = Retry(max_attempts=2, backoff_s=1, jitter=0)
    handle, other = await do.start("a"), await do.start("b")
    await clock.advance(1)
    said = await _cause(handle)
    assert type(error).__name__ in said
    assert "bye" in said
    assert log.count("a") == 2
    assert await other.result() == "b"


async def test_a_sync_task_that_exits_has_failed(runtime: Runtime) -> None:
    acts["a"] = lambda: sys.exit("bye")
    handle = await do_in_thread.start("a")
    assert "SystemExit: bye" in await _cause(handle)


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
