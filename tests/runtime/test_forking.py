"""Forks: the first turns are shared, what was outstanding is begun again, and the original is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service_kit import ExecutionExists, ExecutionNotFound, Retry, Service, Signal, State, task, workflow
from service_kit.engine.wire import decode_events
from service_kit.runtime.assembly import Runtime
from tests.runtime.running import ManualClock, running, settle

pytestmark = pytest.mark.anyio

ran: list[str] = []
answers: dict[str, Any] = {}
word = Signal("word", str)
progress = State("progress", int)
stage = State("stage", str)


@task(retry=Retry(max_attempts=1))
async def step(name: str) -> str:
    ran.append(name)
    answer = answers.get(name, name)
    if isinstance(answer, Exception):
        raise answer
    if answer is ...:
        await asyncio.Event().wait()
    return str(answer)


@workflow
async def child(name: str) -> str:
    return f"{name} {await word.receive()}"


@workflow(timeout_s=100)
async def order(name: str, child_id: str | None = None) -> str:
    first = await step("first")
    progress.set(1)
    helper = await child.options(id=child_id).start(name)
    await asyncio.sleep(10)
    second = await step("second")
    await helper.signal(word, "done")
    return f"{first} {second} {await helper.result()}"


@workflow
async def knows_itself() -> str:
    await step(workflow.execution_id())
    return await word.receive()


@workflow
async def shows(run: int) -> str:
    if not run:
        progress.set(7)
        stage.set("begins")
        await shows.continue_as_new(1)
    stage.set("waits")
    heard = await word.receive()
    progress.set(8)
    return f"{heard} {await word.receive()}"


@workflow
async def again(left: int) -> str:
    await step("again")
    if left:
        await again.continue_as_new(left - 1)
    return await word.receive()


@workflow
async def twice(number: int) -> str:
    received = await word.receive()
    progress.set(number + 1)
    await asyncio.sleep(1)
    if number == 0:
        await twice.continue_as_new(1)
    return received


class Shop(Service):
    twice = twice
    order = order
    knows_itself = knows_itself
    again = again
    shows = shows


@pytest.fixture
async def runtime(clock: ManualClock) -> AsyncIterator[Runtime]:
    ran.clear()
    answers.clear()
    async with running(Shop, clock) as opened:
        yield opened


async def fork(runtime: Runtime, id: str, turn: int, new_id: str) -> None:
    await runtime.management.fork(id, turn, new_id)
    await settle()


async def kinds(runtime: Runtime, id: str) -> list[str]:
    return [event["kind"] for event in await runtime.gateway.history(id)]


async def test_a_failed_execution_goes_another_way_from_before_its_failure(
    runtime: Runtime, clock: ManualClock
) -> None:
    answers["second"] = ValueError("no")
    failed = await order.options(id="o", attributes={"sku": "lamp"}).start("lamp")
    await clock.advance(30)
    assert (await failed.describe()).status == "failed"
    before = await failed.history()

    answers["second"] = "2nd"
    turns = (await kinds(runtime, "o")).count("TurnStarted")
    await fork(runtime, "o", turns - 1, "again")  # `second` is outstanding there
    assert ran == ["first", "second", "second"]
    forked = order.get("again")
    assert await forked.result() == "first 2nd lamp done"
    assert (await forked.describe()).attributes == {"sku": "lamp"}
    assert await forked.state(progress) == 1
    assert await failed.history() == before
    assert {
        record.id for record in (await runtime.management.list_executions("child", None, {}, 9, None))[0]
    } == {
        "o:0:3",
        "again:0:3",
    }


async def test_timers_keep_their_times_and_the_timeout_goes_on(runtime: Runtime, clock: ManualClock) -> None:
    answers["second"] = ...
    original = await order.options(id="o").start("lamp")
    await clock.advance(5)
    await fork(runtime, "o", 2, "early")  # five seconds before the timer
    assert ran == ["first"]
    await clock.advance(4)
    assert ran == ["first"]
    await clock.advance(1)
    assert ran == ["first", "second", "second"]
    await clock.advance(91)
    assert (await original.describe()).status == "timed_out"
    assert (await order.get("early").describe()).status == "running"  # five seconds later
    await clock.advance(10)
    assert (await order.get("early").describe()).status == "timed_out"


async def test_the_timeout_of_what_continued_goes_on_in_the_fork(
    runtime: Runtime, clock: ManualClock
) -> None:
    original = await twice.options(id="t", timeout_s=100).start(0)
    await clock.advance(49)
    await original.signal(word, "go on")
    await clock.advance(21)
    assert (await original.describe()).run == 1
    await fork(runtime, "t", 1, "late")  # twenty seconds after the turn
    await clock.advance(30)
    assert await original.status() == "timed_out"
    await clock.advance(19)
    assert await twice.get("late").status() == "running"
    await clock.advance(1)
    assert await twice.get("late").status() == "timed_out"


async def test_a_fork_survives_its_process_and_can_be_forked(clock: ManualClock) -> None:
    from service_kit.stores.memory.store import memory_stores

    ran.clear()
    answers.clear()
    stores = memory_stores()
    async with running(Shop, clock, stores) as first:
        await order.options(id="o").start("lamp")
        await clock.advance(5)
        await fork(first, "o", 2, "one")
    async with running(Shop, clock, stores) as second:
        await fork(second, "one", 2, "two")
        await clock.advance(30)
        for each in ("o", "one", "two"):
            assert await order.get(each).result() == "first second lamp done"
    found = await stores.executions.load("two")
    assert found is not None
    assert [len(decode_events(turn)) > 0 for turn in found.history].count(True) == len(found.history)


async def test_what_cannot_be_forked_says_why(runtime: Runtime, clock: ManualClock) -> None:
    await order.options(id="o").start("lamp", "my-child")
    await clock.advance(1)
    with pytest.raises(ExecutionNotFound):
        await runtime.management.fork("x", 1, "y")
    for turn in (0, 3):
        with pytest.raises(ValueError, match=f"'o' has turns 1 to 2 to fork from; {turn} is none of them"):
            await runtime.management.fork("o", turn, "y")
    with pytest.raises(ExecutionExists):
        await runtime.management.fork("o", 1, "o")
    with pytest.raises(ValueError, match="its child 'my-child' was given an id of its own"):
        await runtime.management.fork("o", 2, "y")
    await fork(runtime, "o", 1, "y")  # its first task is outstanding there
    assert ran == ["first", "first"]

    await knows_itself.options(id="k").start()
    await settle()
    with pytest.raises(
        ValueError, match="'k' cannot be forked here: its code does not do the same under another id"
    ):
        await runtime.management.fork("k", 2, "z")


async def test_of_an_ended_execution_the_last_turn_cannot_be_kept(runtime: Runtime) -> None:
    run = await knows_itself.options(id="k").start()
    await settle()
    await run.terminate()
    await settle()
    with pytest.raises(
        ValueError, match="has turns 1 to 2 to fork from, and one more, which ends it; 3 is none"
    ):
        await runtime.management.fork("k", 3, "z")


async def test_the_present_run_of_one_that_continued_as_new_is_forked(runtime: Runtime) -> None:
    await again.options(id="a").start(2)
    await settle()
    assert ran == ["again"] * 3
    await fork(runtime, "a", 2, "b")
    assert (await again.get("b").describe()).run == 0
    await again.get("b").signal(word, "hello")
    assert await again.get("b").result() == "hello"
    assert ran == ["again"] * 3


async def test_a_fork_shows_what_earlier_runs_have_shown(runtime: Runtime) -> None:
    await shows.options(id="a").start(0)
    await settle()
    await fork(runtime, "a", 1, "b")
    assert [await shows.get("b").state(shown) for shown in (progress, stage)] == [7, "waits"]
    await shows.get("a").signal(word, "hello")
    await settle()
    await fork(runtime, "a", 1, "c")
    # What it was before the run has set it is not known any more.
    assert [await shows.get("c").state(shown) for shown in (progress, stage)] == [None, "waits"]


async def test_a_signal_that_a_fork_has_by_its_first_turns_is_not_received_again_in_its_next_run(
    runtime: Runtime, clock: ManualClock
) -> None:
    await twice.options(id="a").start(0)
    await runtime.gateway.signal("a", "word", '"x"', "s-1")
    await settle()
    await fork(runtime, "a", 2, "b")
    assert await twice.get("b").state(progress) == 1
    await clock.advance(2)
    for id in ("s-1", "s-2"):
        await runtime.gateway.signal("b", "word", f'"{id}"', id)
    await clock.advance(2)
    assert await twice.get("b").result() == "s-2"


async def test_a_fork_that_is_refused_gives_back_the_claims_of_its_tasks(runtime: Runtime) -> None:
    answers["first"] = ...
    await order.options(id="o").start("lamp")
    await settle()
    room = runtime.task_worker.room
    with pytest.raises(ExecutionExists):
        await runtime.management.fork("o", 1, "o")
    assert runtime.task_worker.room == room
