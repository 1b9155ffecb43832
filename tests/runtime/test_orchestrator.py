"""Executions as their users see them, from the start to the end.

Each behaviour is a short test over one shop of workflows: one list, though long.
"""

from __future__ import annotations

import asyncio

import pytest

from service_kit.errors import (
    ExecutionExists,
    ExecutionNotFound,
    RemoteError,
    TimedOut,
    WorkflowFailed,
    WorkflowTerminated,
)
from service_kit.runtime.assembly import Runtime
from service_kit.runtime.ports import Conflict
from service_kit.runtime.records import ExecutionQuery, TurnCommit
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import ManualClock, running, settle
from tests.runtime.shop import (
    OutOfStock,
    Shop,
    acts,
    break_rules,
    count_down,
    do,
    do_many,
    fail,
    listen,
    log,
    parent,
    parent_that_leaves,
    progress,
    relay,
    wait_long,
    word,
)

pytestmark = pytest.mark.anyio


async def test_an_execution_runs_and_gives_its_result(runtime: Runtime) -> None:
    handle = await do.start("a")
    assert await handle.result() == "a"
    assert await handle.status() == "succeeded"
    assert log == ["a"]


async def test_a_start_is_stored_before_it_is_acknowledged(runtime: Runtime) -> None:
    handle = await do.options(attributes={"customer": "c-1"}).start("a")
    page = await runtime.stores.index.list(ExecutionQuery(attributes={"customer": "c-1"}))
    assert [record.id for record in page.executions] == [handle.id]


async def test_the_same_id_and_input_give_the_running_execution(runtime: Runtime) -> None:
    acts["a"] = asyncio.Event().wait
    first, second = await asyncio.gather(*(do.options(id="o-1").start("a") for _ in range(2)))
    assert first.id == second.id == "o-1"
    await do.options(id="o-1").start("a")
    await settle()
    assert log == ["a"]


async def test_the_same_id_with_another_input_or_workflow_is_refused(runtime: Runtime) -> None:
    await do.options(id="o-1").start("a")
    with pytest.raises(ExecutionExists, match="o-1"):
        await do.options(id="o-1").start("b")
    with pytest.raises(ExecutionExists, match="o-1"):
        await fail.options(id="o-1").start("a")


async def test_a_start_whose_caller_goes_away_goes_on(runtime: Runtime) -> None:
    starting = asyncio.create_task(do.options(id="o-1").start("a"))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert await do.get("o-1").result() == "a"
    assert log == ["a"]


async def test_a_delayed_start_begins_at_its_time(runtime: Runtime, clock: ManualClock) -> None:
    handle = await do.options(start_delay_s=60).start("a")
    await clock.advance(59)
    assert log == []
    await clock.advance(1)
    assert await handle.result() == "a"


async def test_what_a_workflow_raises_reaches_whoever_waits(runtime: Runtime) -> None:
    with pytest.raises(OutOfStock) as declared:
        await (await fail.start("declared")).result()
    assert declared.value.sku == "declared"
    with pytest.raises(WorkflowFailed, match="no butter") as other:
        await (await fail.start("butter")).result()
    assert "ValueError" in other.value.type
    assert 'raise ValueError(f"no {sku}")' in other.value.traceback


async def test_the_definitions_timeout_holds_however_it_was_started(
    runtime: Runtime, clock: ManualClock
) -> None:
    from client_kit.executions import StartOptions

    direct = await wait_long.start(1000)
    by_gateway = wait_long.get(await runtime.gateway.start("wait_long", '{"seconds":1000}', StartOptions()))
    longer = await wait_long.options(timeout_s=2000).start(1000)
    await clock.advance(29)
    assert await direct.status() == "running"
    await clock.advance(1)
    for handle in (direct, by_gateway):
        with pytest.raises(TimedOut, match="30 s"):
            await handle.result()
        assert await handle.status() == "timed_out"
    await clock.advance(1000)
    assert await longer.result() == "waited"


async def test_a_result_is_waited_for_no_longer_than_asked(runtime: Runtime, clock: ManualClock) -> None:
    handle = await wait_long.options(timeout_s=5000).start(1000)
    waiting = asyncio.create_task(handle.result(timeout_s=10))
    await clock.advance(10)
    with pytest.raises(TimeoutError, match="still runs after 10 s"):
        await waiting


async def test_an_unknown_execution_is_told_apart(runtime: Runtime) -> None:
    handle = do.get("nobody")
    for ask in (handle.result, handle.describe, handle.history, handle.cancel):
        with pytest.raises(ExecutionNotFound, match="nobody"):
            await ask()
    with pytest.raises(ExecutionNotFound):
        await handle.signal(word, "x")
    with pytest.raises(ExecutionNotFound):
        await handle.state(progress)


async def test_signals_are_received_in_the_order_in_which_they_were_acknowledged(runtime: Runtime) -> None:
    handle = await listen.start(3)
    for said in ("a", "b", "c"):
        await handle.signal(word, said)
    assert await handle.result() == ["a", "b", "c"]


async def test_a_signal_with_an_id_is_received_once(runtime: Runtime) -> None:
    handle = await listen.start(2)
    for _ in range(3):
        await handle.signal(word, "again", id="s-1")
        await settle()
    await handle.signal(word, "other")
    assert await handle.result() == ["again", "other"]


async def test_a_workflow_signals_another_execution(runtime: Runtime) -> None:
    listener = await listen.start(1)
    await relay.start(listener.id)
    assert await listener.result() == ["from a workflow"]


async def test_a_state_is_shown_while_it_runs_and_afterwards(runtime: Runtime) -> None:
    handle = await listen.start(2)
    assert await handle.state(progress) == 0
    await handle.signal(word, "a")
    await settle()
    assert await handle.state(progress) == 1
    await handle.signal(word, "b")
    await handle.result()
    assert await handle.state(progress) == 1


async def test_cancel_is_cancelled_error_and_terminate_is_the_end(runtime: Runtime) -> None:
    cancelled, terminated = await listen.start(1), await listen.start(1)
    await cancelled.cancel("enough")
    await terminated.terminate("at once")
    await settle()
    assert [await handle.status() for handle in (cancelled, terminated)] == ["cancelled", "terminated"]
    with pytest.raises(WorkflowTerminated, match="at once"):
        await terminated.result()


async def test_a_parent_gets_its_childs_result(runtime: Runtime, clock: ManualClock) -> None:
    handle = await parent.start("cancel")
    await clock.advance(1000)
    assert await handle.result() == "child waited"


async def test_a_child_whose_id_is_taken_fails_in_its_parent(runtime: Runtime) -> None:
    await listen.options(id="taken").start(1)
    handle = await parent.start("cancel", "taken")
    with pytest.raises(ExecutionExists, match="give the child an id of its own") as caught:
        await handle.result()
    told = caught.value.__cause__
    assert isinstance(told, WorkflowFailed)
    assert isinstance(told.__cause__, RemoteError)
    assert "the id 'taken' of child 'wait_long' is another execution's" in str(told.__cause__)


@pytest.mark.parametrize(
    ("close", "status"), [("cancel", "cancelled"), ("terminate", "terminated"), ("abandon", "running")]
)
async def test_what_becomes_of_a_child_when_its_parent_ends(
    runtime: Runtime, clock: ManualClock, close: str, status: str
) -> None:
    handle = await parent_that_leaves.start(close)
    await clock.advance(2)
    assert await handle.result() == "child"
    assert await wait_long.get("child").status() == status
    assert (await wait_long.get("child").describe()).parent == handle.id


async def test_an_execution_that_continues_as_new_goes_on_with_what_it_has_not_heard(
    runtime: Runtime,
) -> None:
    handle = await count_down.start(2)
    for number in range(3):
        await handle.signal(word, "x" * (number + 1), id=f"s-{number}")
    assert await handle.result() == "heard 6"
    assert (await handle.describe()).run == 2


async def test_a_signal_of_an_earlier_run_does_not_come_back(runtime: Runtime) -> None:
    handle = await count_down.start(1)
    for _ in range(3):
        await handle.signal(word, "one", id="s-1")
        await settle()
    assert await handle.status() == "running"
    await handle.signal(word, "other", id="s-2")
    assert await handle.result() == "heard 8"


async def test_the_history_can_be_read(runtime: Runtime) -> None:
    handle = await do.start("a")
    await handle.result()
    kinds = [event["kind"] for event in await handle.history()]
    assert kinds == [
        "TurnStarted",
        "ExecutionStarted",
        "TaskScheduled",
        "TurnStarted",
        "TaskSucceeded",
        "ExecutionSucceeded",
    ]


async def test_a_workflow_that_the_service_does_not_have_is_refused_with_a_cure(runtime: Runtime) -> None:
    from client_kit.executions import StartOptions

    with pytest.raises(LookupError, match=r"workflow 'other' is not part of service '\w+'.*include="):
        await runtime.gateway.start("other", "{}", StartOptions())


async def test_a_broken_execution_is_parked_and_goes_on_when_it_is_mended(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    acts["broken"] = bool
    handle = await break_rules.start("a")
    await settle()
    record = await runtime.stores.executions.read(handle.id)
    assert record is not None
    assert record.paused is not None
    assert "NonDeterminismError" in record.paused
    assert "files (open)" in caplog.text
    assert await do.start("b")  # others go on
    del acts["broken"]
    await runtime.management.pause(handle.id, None)
    assert await handle.result() == "ended"
    assert log == ["a", "b"]  # the answer of the task was kept


async def test_an_execution_that_is_broken_from_its_start_is_stored_and_parked(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: object, input: str) -> str:
        open("/dev/null")  # noqa: PTH123, SIM115
        return input

    with monkeypatch.context() as patch:
        patch.setattr(type(do), "run", broken)
        handle = await do.start("a")
        await settle()
        assert (await handle.describe()).paused
    await runtime.management.pause(handle.id, None)
    assert await handle.result() == "a"


@pytest.mark.parametrize("why", ["its code is gone", "its code is broken", "it is paused"])
async def test_an_execution_that_cannot_go_on_can_be_terminated(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    grandparent = await parent.start("cancel", "middle")
    await clock.advance(1)
    handle = wait_long.get("middle")
    await runtime.management.pause(handle.id, "hold on")
    runtime.orchestrator.forget(handle.id)
    with monkeypatch.context() as patch:
        if why == "its code is gone":
            patch.delitem(runtime.declarations.workflows, "wait_long")
        elif why == "its code is broken":
            patch.setattr(type(wait_long), "run", None)
        await handle.terminate("enough")
        await settle()
        assert await handle.status() == "terminated"
    with pytest.raises(WorkflowTerminated, match="enough"):
        await handle.result()
    with pytest.raises(WorkflowFailed, match="enough"):
        await grandparent.result()


async def test_who_worked_for_an_execution_whose_code_is_gone_is_told_of_its_end(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts["a"] = lambda: clock.sleep(1e6)
    worker, family = await do.start("a"), await parent.start("cancel", "child")
    await settle()
    for handle in (worker, family):
        await runtime.management.pause(handle.id, "hold on")
        monkeypatch.delitem(runtime.declarations.workflows, (await handle.describe()).workflow)
        await handle.terminate("enough")
    await settle()
    assert await wait_long.get("child").status() == "cancelled"
    await clock.advance(2)
    assert all(attempt.cancelled for attempt, _ in runtime.task_worker._running.values())


async def test_a_paused_execution_stands_still_and_loses_nothing(
    runtime: Runtime, clock: ManualClock
) -> None:
    acts["a"] = lambda: clock.sleep(5)
    handle, listener = await do.start("a"), await listen.start(1)
    for execution in (handle, listener):
        await runtime.management.pause(execution.id, "hold on")
    await listener.signal(word, "kept")
    await clock.advance(20)
    assert [await h.status() for h in (handle, listener)] == ["running", "running"]
    waiting = asyncio.create_task(handle.result(timeout_s=10))
    await clock.advance(10)
    with pytest.raises(TimeoutError, match="is paused: hold on; resume it"):
        await waiting
    for execution in (handle, listener):
        await runtime.management.pause(execution.id, None)
    assert await listener.result() == ["kept"]
    assert await handle.result() == "None"
    assert log == ["a"]


async def test_a_store_that_fails_is_tried_again_and_nothing_is_lost_or_doubled(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    executions, failures = runtime.stores.executions, [OSError("disk")] * 3
    commit = executions.commit

    async def failing(turn: TurnCommit) -> None:
        if failures:
            raise failures.pop()
        await commit(turn)

    monkeypatch.setattr(executions, "commit", failing)
    handle = await do.start("a")
    waiting = asyncio.create_task(handle.result())
    await clock.advance(60)
    assert await waiting == "a"
    assert failures == []
    assert log == ["a"]


async def test_a_lost_reply_to_a_commit_doubles_nothing(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    executions, losses = runtime.stores.executions, [OSError("connection")] * 2
    commit = executions.commit

    async def losing(turn: TurnCommit) -> None:
        await commit(turn)
        if losses:
            raise losses.pop()

    monkeypatch.setattr(executions, "commit", losing)
    handle = await do.start("a")
    await clock.advance(60)
    assert await handle.result() == "a"
    assert log == ["a"]
    history = [event["kind"] for event in await handle.history()]
    assert history.count("TaskSucceeded") == 1


async def test_two_processes_on_one_store_record_everything_once(clock: ManualClock) -> None:
    stores = memory_stores()
    async with running(Shop, clock, stores) as one, running(Shop, clock, stores) as two:
        for number in range(20):
            handle = await do_many.options(id=f"o-{number}").start("work", 5)
            # Both are told of everything, all the time.
            for runtime in (one, two):
                runtime.orchestrator.wake(handle.id)
        for number in range(20):
            for runtime in (one, two):
                runtime.orchestrator.wake(f"o-{number}")
            await clock.advance(5)
            assert len(await do_many.get(f"o-{number}").result()) == 5
    assert len(log) == 100


async def test_conflicts_without_end_do_not_spin(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    async def refuse(turn: TurnCommit) -> None:
        tries.append(turn.turn)
        raise Conflict("always")

    handle = await listen.start(1)
    with monkeypatch.context() as patch:
        patch.setattr(runtime.stores.executions, "commit", refuse)
        await handle.signal(word, "a")
        await clock.advance(5)
        assert 3 < len(tries) < 20
    await clock.advance(10)
    assert await handle.result() == ["a"]


async def test_nothing_is_kept_of_executions_that_have_ended(runtime: Runtime) -> None:
    for _ in range(20):
        await (await do.start("a")).result()
    orchestrator = runtime.orchestrator
    assert (len(orchestrator.warm._warm), orchestrator.busy, runtime.task_worker.busy) == (0, False, False)
    assert len(runtime._timers) == 0
    assert runtime.task_worker._promised == 0


@pytest.mark.parametrize("warm_max", [0, 1])
async def test_executions_that_leave_memory_are_replayed(clock: ManualClock, warm_max: int) -> None:
    from service_kit.runtime.assembly import RuntimeOptions
    from service_kit.runtime.task_worker import WorkerOptions

    options = RuntimeOptions(WorkerOptions("one"), warm_max=warm_max)
    async with running(Shop, clock, options=options) as runtime:
        handles = [await listen.start(3) for _ in range(4)]
        for said in ("a", "b", "c"):
            for handle in handles:
                await handle.signal(word, said)
                await settle()
                assert len(runtime.orchestrator.warm._warm) <= warm_max
        assert [await handle.result() for handle in handles] == [["a", "b", "c"]] * 4
