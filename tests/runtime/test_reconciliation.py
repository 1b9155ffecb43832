"""What a process finds that nobody has told it of."""

from __future__ import annotations

import asyncio

import pytest

from service_kit.engine.arrivals import ExecutionStarted, SignalReceived
from service_kit.runtime.assembly import Runtime, RuntimeOptions
from service_kit.runtime.dispatcher import input_digest, stored
from service_kit.runtime.ports import Stores, Unstorable
from service_kit.runtime.records import NewExecution, TurnCommit
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import BEGIN_S, ManualClock, running, settle
from tests.runtime.shop import Shop, acts, do, listen, log, parent, wait_long, word

pytestmark = pytest.mark.anyio


async def _start_silently(stores: Stores, id: str, begin_at_s: float = BEGIN_S) -> None:
    """Store an execution as a process does that dies right after it."""
    payload = '{"name":"a"}'
    first = ExecutionStarted(id, "do", payload, seed="s")
    await stores.executions.create(NewExecution(first, input_digest("do", payload), BEGIN_S, begin_at_s))


async def test_what_an_earlier_process_has_left_goes_on_at_once(clock: ManualClock) -> None:
    stores = memory_stores()
    await _start_silently(stores, "o-1")
    async with running(Shop, clock, stores):
        assert await do.get("o-1").result() == "a"


async def test_a_lost_wake_up_costs_time_only(clock: ManualClock) -> None:
    stores = memory_stores()
    async with running(Shop, clock, stores):
        await settle()
        await _start_silently(stores, "o-1")
        listener = await listen.start(1)
        await stores.executions.deliver(listener.id, stored(SignalReceived("s-1", "word", '"lost"')))
        await clock.advance(3)
        assert await do.get("o-1").result() == "a"
        assert await listener.result() == ["lost"]


async def test_what_another_process_is_about_to_do_is_left_to_it(clock: ManualClock) -> None:
    stores, loads = memory_stores(), list[str]()
    load = stores.executions.load

    async def counted(id: str, known: object = None) -> object:
        loads.append(id)
        return await load(id, known)  # type: ignore[arg-type]  # passed on as it came

    async with running(Shop, clock, stores):
        await settle()
        stores.executions.load = counted  # type: ignore[method-assign, assignment]  # the store watches
        await _start_silently(stores, "o-1")
        await clock.advance(1)  # one look sees it, and the next one would wake it
        assert loads == []
        await clock.advance(1)
        assert loads == ["o-1"]


async def test_timers_of_a_dead_process_go_off_in_another(clock: ManualClock) -> None:
    stores = memory_stores()
    async with running(Shop, clock, stores):
        handle = await wait_long.options(timeout_s=5000).start(100)
        delayed = await do.options(start_delay_s=100).start("a")
    async with running(Shop, clock, stores):
        await clock.advance(102)
        assert await wait_long.get(handle.id).result() == "waited"
        assert await do.get(delayed.id).result() == "a"


async def test_a_result_that_another_process_has_brought_about_is_told(clock: ManualClock) -> None:
    stores = memory_stores()
    async with running(Shop, clock, stores):
        handle = await listen.start(1)
        waiting = asyncio.create_task(handle.result())
        await settle()
        async with running(Shop, clock, stores):
            await listen.get(handle.id).signal(word, "from the other one")
            await clock.advance(2)
        assert await waiting == ["from the other one"]


async def test_a_clock_that_jumps_ahead_wakes_what_is_due_by_it(clock: ManualClock) -> None:
    async with running(Shop, clock):
        handle = await wait_long.options(timeout_s=50_000).start(3600)
        await settle()
        clock.jump(4000)
        await clock.advance(3)
        assert await handle.result() == "waited"


async def test_a_clock_that_jumps_back_loses_nothing(clock: ManualClock) -> None:
    async with running(Shop, clock):
        handle = await wait_long.options(timeout_s=5000).start(10)
        acts["a"] = lambda: clock.sleep(5)
        other = await do.start("a")
        await settle()
        clock.jump(-3600)
        await clock.advance(5)
        assert await other.result() == "None"
        await clock.advance(3700)
        assert await handle.result() == "waited"
        assert log == ["a"]


async def test_an_execution_whose_turn_cannot_be_stored_is_parked(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(turn: TurnCommit) -> None:
        raise Unstorable("it cannot be stored: it is too big")

    handle = await listen.start(1)
    with monkeypatch.context() as patch:
        patch.setattr(runtime.stores.executions, "commit", refuse)
        await handle.signal(word, "a")
        await settle()
    record = await runtime.stores.executions.read(handle.id)
    assert record is not None
    assert record.paused == "Unstorable: it cannot be stored: it is too big"
    await runtime.management.pause(handle.id, None)
    assert await handle.result() == ["a"]


async def test_ended_executions_are_forgotten_if_the_host_says_so(clock: ManualClock) -> None:
    options = RuntimeOptions(WorkerOptions("one"), keep_ended_s=100)
    async with running(Shop, clock, options=options) as runtime:
        handle = await do.start("a")
        await handle.result()
        await clock.advance(95)
        assert await runtime.stores.executions.read(handle.id) is not None
        await clock.advance(100)
        assert await runtime.stores.executions.read(handle.id) is None


async def test_a_loop_that_fails_is_told_of_and_goes_on(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stores, failures = memory_stores(), [OSError("disk")] * 2
    due = stores.index.due

    async def failing(now_s: float, limit: int) -> object:
        if failures:
            raise failures.pop()
        return await due(now_s, limit)

    monkeypatch.setattr(stores.index, "due", failing)
    await _start_silently(stores, "o-1")
    async with running(Shop, clock, stores):
        await clock.advance(3)
        assert await do.get("o-1").result() == "a"
    assert "_reconcile failed; it will be tried again" in caplog.text


async def test_a_parents_child_goes_on_after_both_have_left_memory(clock: ManualClock) -> None:
    stores = memory_stores()
    async with running(Shop, clock, stores):
        handle = await parent.start("cancel")
        await settle()
    async with running(Shop, clock, stores):
        await clock.advance(1003)
        assert await parent.get(handle.id).result() == "child waited"
