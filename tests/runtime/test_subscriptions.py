"""Events and their subscriptions: filters, retries, dead letters, redrives."""

from __future__ import annotations

import asyncio
import json

import pytest

from service_kit import Retry, emit_all
from service_kit.runtime.assembly import Runtime
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import ManualClock, letters_of, running, settle
from tests.runtime.shop import Placed, Shipped, Shop, acts, announce, log, on_all

pytestmark = pytest.mark.anyio


def _fail() -> None:
    raise ValueError("the handler is broken")


async def test_each_subscription_gets_the_events_that_it_wants(runtime: Runtime) -> None:
    await emit_all(Placed(order="1", amount=50), Placed(order="2", amount=150), Shipped(order="3"))
    await settle()
    assert sorted(log) == ["all Placed 1", "all Placed 2", "all Shipped 3", "large 2"]


async def test_events_of_a_workflow_are_delivered_once(runtime: Runtime) -> None:
    handle = await announce.start("o-1")
    await handle.result()
    runtime.orchestrator.wake(handle.id)
    await settle()
    assert sorted(log) == ["all Placed o-1", "all Shipped o-1", "large o-1"]


async def test_a_handler_that_raises_is_tried_again_with_growing_waits(
    runtime: Runtime, clock: ManualClock
) -> None:
    acts["all Shipped 1"] = _fail
    await Shipped(order="1").emit()
    await clock.advance(9)
    assert len(log) == 1
    await clock.advance(1)
    assert len(log) == 2
    acts.clear()
    await clock.advance(20)
    assert len(log) == 3
    assert await letters_of(runtime, None) == []


async def test_a_handler_that_always_raises_ends_in_dead_letters_with_its_traceback_and_a_redrive_mends_it(
    runtime: Runtime, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    acts["all Shipped 1"] = _fail
    await Shipped(order="1").emit()
    await clock.advance(100)
    assert log == ["all Shipped 1"] * 3
    (letter,) = await letters_of(runtime, "on_all")
    assert (letter["event"], letter["payload"], letter["attempts"]) == ("Shipped", {"order": "1"}, 3)
    assert "in _fail" in json.dumps(letter)
    assert "the handler is broken" in caplog.text
    acts.clear()
    assert await runtime.management.letters.redrive("on_all", letter["event_id"]) == 1
    await clock.advance(100)
    assert log == ["all Shipped 1"] * 4
    assert await letters_of(runtime, None) == []


async def test_a_handler_that_takes_too_long_is_tried_again(runtime: Runtime, clock: ManualClock) -> None:
    acts["large 1"] = asyncio.Event().wait
    await Placed(order="1", amount=500).emit()
    await clock.advance(49)
    assert log.count("large 1") == 1
    acts.clear()
    await clock.advance(3)
    assert log.count("large 1") == 2


async def test_no_more_handlers_run_side_by_side_than_a_subscription_allows(
    runtime: Runtime, clock: ManualClock
) -> None:
    for order in "123":
        acts[f"large {order}"] = lambda: clock.sleep(10)
        await Placed(order=order, amount=500).emit()
    counts = []
    for _ in range(3):
        await settle()
        counts.append(sum(entry.startswith("large") for entry in log))
        await clock.advance(10)
    assert counts == [1, 2, 3]


async def test_a_handler_that_cancels_itself_has_failed(runtime: Runtime, clock: ManualClock) -> None:
    def cancel() -> None:
        raise asyncio.CancelledError

    acts["all Shipped 1"] = cancel
    await Shipped(order="1").emit()
    await clock.advance(100)
    (letter,) = await letters_of(runtime, None)
    assert "nobody cancelled it" in json.dumps(letter)


@pytest.mark.parametrize(
    "error", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException], ids=lambda error: error.__name__
)
async def test_a_handler_that_raises_what_ends_processes_is_tried_again_and_ends_in_dead_letters(
    runtime: Runtime, clock: ManualClock, error: type[BaseException]
) -> None:
    def leave() -> None:
        raise error("bye")

    acts["all Shipped 1"] = leave
    await Shipped(order="1").emit()
    await clock.advance(100)
    assert log == ["all Shipped 1"] * 3
    (letter,) = await letters_of(runtime, None)
    assert f"builtins:{error.__name__}" in json.dumps(letter)


async def test_a_handler_whose_process_dies_each_time_ends_in_dead_letters(clock: ManualClock) -> None:
    stores = memory_stores()
    acts["all Shipped 1"] = asyncio.Event().wait
    for _ in range(3):
        async with running(Shop, clock, stores) as dying:
            if not log:
                await Shipped(order="1").emit()
            await clock.advance(0.5)
            await dying.subscription_worker.close()
        clock.jump(60)
    async with running(Shop, clock, stores) as runtime:
        await clock.advance(1)
        (letter,) = await letters_of(runtime, None)
    assert log == ["all Shipped 1"] * 3
    assert "was lost" in json.dumps(letter)


async def test_a_clock_that_jumps_ahead_neither_ends_a_handler_nor_begins_it_twice(
    runtime: Runtime, clock: ManualClock
) -> None:
    handled = asyncio.Event()
    acts["all Shipped 1"] = handled.wait
    await Shipped(order="1").emit()
    await settle()
    for _ in range(3):  # as often as it may be tried
        clock.jump(3600)
        await clock.advance(2)
    handled.set()
    await clock.advance(100)
    assert log == ["all Shipped 1"]
    assert await letters_of(runtime, None) == []
    assert await runtime.stores.schedule.next_delivery_s(["on_all"]) is None


async def test_what_is_to_be_tried_again_at_once_begins_anew_although_events_are_claimed_just_then(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail_after_an_event() -> None:
        await Shipped(order="2").emit()
        _fail()

    monkeypatch.setitem(on_all.definition, "retry", Retry(max_attempts=3, backoff_s=0))
    acts["all Shipped 1"] = fail_after_an_event
    await Shipped(order="1").emit()
    await clock.advance(1)
    assert sorted(log) == ["all Shipped 1"] * 3 + ["all Shipped 2"] * 3


async def test_a_store_that_does_not_take_the_end_of_a_delivery_leaves_it_to_be_claimed_again(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(*_: object) -> bool:
        raise OSError("disk")

    with monkeypatch.context() as patch:
        patch.setattr(runtime.stores.deliveries, "done", refuse)
        await Shipped(order="1").emit()
        await clock.advance(5)
    assert "is left to be claimed again" in caplog.text
    await clock.advance(60)
    assert log == ["all Shipped 1"] * 2
    assert await runtime.stores.schedule.next_delivery_s(["on_all"]) is None


async def test_an_event_is_stored_before_it_is_acknowledged(clock: ManualClock) -> None:
    stores = memory_stores()
    async with running(Shop, clock, stores) as runtime:
        await runtime._end_loops()
        await Shipped(order="1").emit()
    assert log == []
    async with running(Shop, clock, stores):
        await clock.advance(1)
    assert log == ["all Shipped 1"]
