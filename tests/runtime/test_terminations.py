"""The end of executions whose code is gone: whoever still works for them is told."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from service_kit import Service, workflow
from service_kit.engine.arrivals import TerminateRequested
from service_kit.errors import WorkflowFailed
from service_kit.runtime.assembly import Runtime
from service_kit.runtime.dispatcher import stored
from service_kit.stores.memory.executions import MemoryExecutions
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import ManualClock, running, settle
from tests.runtime.shop import Shop, acts, log, parent, parent_that_leaves, wait_long, word, work

pytestmark = pytest.mark.anyio


async def _terminate_without_code(runtime: Runtime, handle: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await runtime.management.pause(handle.id, "hold on")
    runtime.orchestrator.forget(handle.id)
    monkeypatch.delitem(runtime.declarations.workflows, (await handle.describe()).workflow)
    await handle.terminate("enough")
    await settle()
    assert await handle.status() == "terminated"


@pytest.mark.parametrize(
    ("close", "status"), [("cancel", "cancelled"), ("terminate", "terminated"), ("abandon", "running")]
)
async def test_children_are_told_as_their_parent_wanted(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, close: str, status: str
) -> None:
    handle = await parent.start(close, "child")
    await settle()
    await _terminate_without_code(runtime, handle, monkeypatch)
    assert await wait_long.get("child").status() == status


@workflow
async def both(name: str) -> str:
    await work(name)
    try:
        await wait_long.options(id="first")(0.0)
        await wait_long.options(id="gone", timeout_s=1)(5.0)
    except TimeoutError:
        await asyncio.gather(work("b"), wait_long.options(id="open")(1000.0))
    return name


class Families(Service):
    both = both
    wait_long = wait_long


async def test_only_those_who_still_work_are_told(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts["b"] = lambda: clock.sleep(1e6)
    async with running(Families, clock) as runtime:
        handle = await both.start("a")
        await clock.advance(2)
        assert log == ["a", "b"]
        await _terminate_without_code(runtime, handle, monkeypatch)
        ends = [await wait_long.get(id).status() for id in ("first", "gone", "open")]
        assert ends == ["succeeded", "timed_out", "cancelled"]
        (attempt,) = [attempt for attempt, _ in runtime.task_worker._running.values()]
        assert attempt.cancelled


async def test_an_execution_whose_history_cannot_be_read_ends_nevertheless(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    handle = await parent.start("cancel", "child")
    await settle()
    store = runtime.stores.executions
    assert isinstance(store, MemoryExecutions)
    store._kept[handle.id].history[0] = "damaged"
    with caplog.at_level(logging.ERROR):
        await _terminate_without_code(runtime, handle, monkeypatch)
    assert f"the history of execution '{handle.id}' cannot be read" in caplog.text
    assert await wait_long.get("child").status() == "running"


@pytest.mark.parametrize("way", ["cancel", "terminate"])
async def test_what_has_not_begun_ends_at_once_and_never_begins(
    runtime: Runtime, clock: ManualClock, way: str
) -> None:
    handle = await wait_long.options(start_delay_s=60).start(5.0)
    await handle.signal(word, "waits with it")
    await settle()
    assert await handle.status() == "running"
    await getattr(handle, way)("enough")
    await settle()
    status = {"cancel": "cancelled", "terminate": "terminated"}[way]
    assert await handle.status() == status
    with pytest.raises(WorkflowFailed, match="enough"):
        await handle.result()
    await clock.advance(100)
    assert await handle.status() == status
    kinds = [event["kind"] for event in await handle.history()]
    assert kinds[-1] == f"Execution{status.capitalize()}"
    assert "ExecutionStarted" not in kinds


async def test_a_child_that_has_not_begun_ends_with_its_parent(runtime: Runtime, clock: ManualClock) -> None:
    handle = await parent_that_leaves.start("cancel", 1000.0)
    await clock.advance(2)
    assert await handle.status() == "succeeded"
    assert await wait_long.get("child").status() == "cancelled"


async def test_a_parent_is_told_of_a_child_that_was_ended_before_it_began(runtime: Runtime) -> None:
    handle = await parent.start("cancel", "child", 1000.0)
    await settle()
    await wait_long.get("child").terminate("enough")
    with pytest.raises(WorkflowFailed, match="enough"):
        await handle.result()


async def test_an_end_before_the_begin_is_found_by_whoever_comes_next(clock: ManualClock) -> None:
    stores = memory_stores()
    async with running(Shop, clock, stores) as first:
        handle = await wait_long.options(start_delay_s=60).start(5.0)
        await first.orchestrator.close()
        await stores.executions.deliver(handle.id, stored(TerminateRequested("enough")))
    async with running(Shop, clock, stores):
        await clock.advance(2)
        assert await wait_long.get(handle.id).status() == "terminated"
