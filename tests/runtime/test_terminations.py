"""The end of executions whose code is gone: whoever still works for them is told."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from service_kit import Service, workflow
from service_kit.runtime.assembly import Runtime
from service_kit.stores.memory.executions import MemoryExecutions
from tests.runtime.running import ManualClock, running, settle
from tests.runtime.shop import acts, log, parent, wait_long, work

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
