"""Tasks whose time is over while they wait: for room, for a process, or for somebody outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from service_kit import Retry, Service, complete_later, task, task_token, workflow
from service_kit.contract.gather import Declarations, gather
from service_kit.contract.service import ServiceContract
from service_kit.engine.arrivals import ExecutionStarted, TaskRaised, TaskSucceeded
from service_kit.engine.failure import Failure
from service_kit.engine.turn import Turn, Waiting
from service_kit.errors import TimedOut
from service_kit.runtime.assembly import Runtime, RuntimeOptions
from service_kit.runtime.overdue import GRACE_S, withdrawn
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import CancelTask, TaskKey
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import BEGIN_S, ManualClock, running, settle

pytestmark = pytest.mark.anyio

LOOK_S = 2 * RuntimeOptions(WorkerOptions("any")).reconcile_s + 1
"""Until a process finds what is due of executions that others have begun."""

begun: list[str] = []
tokens: list[str] = []
acts: dict[str, Callable[[], Awaitable[object]]] = {}


@task(concurrency=1, schedule_to_close_s=60, retry=Retry(max_attempts=1))
async def brew(cup: str) -> str:
    begun.append(cup)
    if cup in acts:
        await acts[cup]()
    return cup


@task(schedule_to_close_s=60)
async def ask() -> str:
    tokens.append(task_token())
    return complete_later()


@task(schedule_to_close_s=10_000)
async def wash() -> None:
    pass


async def wash_all(cups: int) -> None:
    for _ in range(cups):
        await wash()


@workflow
async def wash_while_asking(cups: int) -> None:
    await asyncio.gather(ask(), wash_all(cups))


@workflow
async def occupy() -> str:
    return await brew.options(schedule_to_close_s=10_000)("the machine")


@workflow
async def order(cup: str, seconds: float | None = None) -> str:
    chosen = brew if seconds is None else brew.options(schedule_to_close_s=seconds)
    try:
        return await chosen(cup)
    except TimedOut as error:
        return str(error)


@workflow
async def ask_twice() -> list[str]:
    return list(await asyncio.gather(ask(), ask.options(schedule_to_close_s=10_000)()))


@workflow
async def wait_for_answer() -> str:
    try:
        return await ask()
    except TimedOut as error:
        return str(error)


class Bar(Service):
    wash_while_asking = wash_while_asking
    occupy = occupy
    order = order
    ask_twice = ask_twice
    wait_for_answer = wait_for_answer


@pytest.fixture(autouse=True)
def _nothing_has_happened() -> None:
    begun.clear()
    tokens.clear()
    acts.clear()


@pytest.fixture
def stores() -> Stores:
    return memory_stores()


@pytest.fixture
async def runtime(clock: ManualClock, stores: Stores) -> AsyncIterator[Runtime]:
    acts["the machine"] = lambda: clock.sleep(1_000)
    async with running(Bar, clock, stores) as opened:
        yield opened


async def test_a_task_that_waits_for_room_ends_in_its_time(
    runtime: Runtime, clock: ManualClock, stores: Stores
) -> None:
    await occupy.start()
    await settle()
    waiting = await order.start("latte")
    sooner = await order.start("mocha", 30)
    await clock.advance(30 + GRACE_S)
    assert await sooner.result() == "task 'brew' did not end within 30 s of its call"
    await clock.advance(28)
    assert await waiting.status() == "running"  # whoever might run it is given time to say so
    await clock.advance(GRACE_S)
    assert await waiting.result() == "task 'brew' did not end within 60 s of its call"
    await clock.advance(2_000)
    assert begun == ["the machine"]
    assert await stores.tasks.next_available_s(["brew"]) is None


async def test_a_task_that_nobody_runs_ends_in_its_time_after_a_crash(
    clock: ManualClock, stores: Stores
) -> None:
    async with running(Bar, clock, stores) as first:
        first.task_worker.closing = True
        await order.options(id="o").start("latte")
        await clock.advance(10)
    await clock.advance(10)
    async with running(Bar, clock, stores) as second:
        second.task_worker.closing = True
        await clock.advance(39 + GRACE_S)
        assert await order.get("o").status() == "running"
        await clock.advance(LOOK_S)
        assert await order.get("o").status() == "succeeded"
        assert await order.get("o").result() == "task 'brew' did not end within 60 s of its call"


async def test_the_end_that_a_call_gave_is_kept_by_a_process_that_does_not_have_the_task(
    clock: ManualClock, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Bar, clock, stores) as first:
        first.task_worker.closing = True
        await order.options(id="o").start("latte", 30)

    def without_tasks(contract: ServiceContract) -> Declarations:
        return replace(gather(contract), tasks={})

    monkeypatch.setattr("tests.runtime.running.gather", without_tasks)
    async with running(Bar, clock, stores):
        await clock.advance(30 + LOOK_S)
        assert await order.get("o").status() == "succeeded"
        assert await order.get("o").result() == "task 'brew' did not end within 30 s of its call"


async def test_an_attempt_that_is_running_is_ended_by_its_worker(
    runtime: Runtime, clock: ManualClock
) -> None:
    acts["latte"] = asyncio.Event().wait
    handle = await order.start("latte")
    await clock.advance(60)
    assert await handle.result() == "task 'brew' did not end within 60 s"


async def test_a_task_that_was_answered_wakes_nobody(
    runtime: Runtime, clock: ManualClock, stores: Stores
) -> None:
    handle = await order.start("latte")
    await settle()
    assert await handle.result() == "latte"
    assert await stores.index.next_wake_s() is None
    assert len(await handle.history()) == 6


async def test_an_answer_from_outside_that_comes_too_late_is_refused(
    runtime: Runtime, clock: ManualClock
) -> None:
    runtime.task_worker.options = replace(runtime.task_worker.options, capacity=1)
    waiting = await wait_for_answer.start()
    await settle()
    await occupy.start()
    await clock.advance(60 + GRACE_S)
    assert await waiting.result() == "task 'ask' did not end within 60 s of its call"
    assert await runtime.completion.succeed(tokens[0], '"yes"') is False


async def test_an_answer_that_the_store_has_counts_although_this_process_was_not_told(
    runtime: Runtime, clock: ManualClock, stores: Stores
) -> None:
    handle = await ask_twice.start()
    await settle()
    clock.jump(60 + GRACE_S)
    assert await stores.tasks.settle(TaskKey(handle.id, 0, 1), None, TaskSucceeded(1, '"yes"'))
    assert await runtime.completion.succeed(tokens[1], '"no"')
    await clock.advance(LOOK_S)
    assert await handle.result() == ["yes", "no"]


async def test_a_definition_that_gives_more_time_counts_for_what_waits(
    clock: ManualClock, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Bar, clock, stores) as first:
        first.task_worker.closing = True
        await order.options(id="o").start("latte")
        await settle()
    monkeypatch.setitem(brew.definition, "schedule_to_close_s", 100)
    async with running(Bar, clock, stores) as second:
        second.task_worker.closing = True
        await clock.advance(60 + LOOK_S)
        assert await order.get("o").status() == "running"
        assert await stores.index.next_wake_s() == BEGIN_S + 100 + GRACE_S  # it is not woken again and again
        await clock.advance(40)
        assert await order.get("o").status() == "succeeded"
        assert await order.get("o").result() == "task 'brew' did not end within 100 s of its call"


async def test_a_fork_gives_what_it_begins_again_its_whole_time(runtime: Runtime, clock: ManualClock) -> None:
    await occupy.start()
    await settle()
    await order.options(id="o").start("latte")
    await clock.advance(50)
    await runtime.management.fork("o", 1, "again")
    runtime.orchestrator.forget("again")
    await clock.advance(12)
    assert await order.get("o").status() == "succeeded"
    await clock.advance(47)
    assert await order.get("again").status() == "running"
    await clock.advance(3)
    assert await order.get("again").status() == "succeeded"


async def test_what_was_answered_takes_no_room_beside_a_task_that_is_over_sooner(
    runtime: Runtime, clock: ManualClock
) -> None:
    handle = await wash_while_asking.start(200)
    for _ in range(5):
        await settle()
    warm = runtime.orchestrator.warm.take(handle.id)
    assert warm is not None
    assert sum(event["kind"] == "TaskSucceeded" for event in await handle.history()) == 200
    assert len(warm.ends) < 100
    assert warm.ends.next_s(warm.instance) == BEGIN_S + 60 + GRACE_S
    runtime.orchestrator.warm.put(warm)


def test_a_task_whose_worker_says_the_same_in_the_same_turn_is_not_ended_twice() -> None:
    told, own = (TaskRaised(1, Failure("service_kit.errors:TimedOut", "late", "timeout")) for _ in range(2))
    other = replace(own, task=2)
    turn = Turn((told, other), (), Waiting(None))
    assert withdrawn([own, other], turn, ExecutionStarted("o", "order", "", "")) == [
        CancelTask(TaskKey("o", 0, 2))
    ]
