"""Sync tasks: each attempt in a thread of the worker's own, for which it waits before it begins."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from service_kit import Retry, Service, command, idempotency_key, task, workflow
from service_kit.errors import TimedOut, WorkflowFailed
from service_kit.runtime.assembly import Runtime, RuntimeOptions
from service_kit.runtime.ports import Stores
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import ManualClock, running, settle, until

pytestmark = pytest.mark.anyio

begun: list[str] = []
goes_on: dict[str, threading.Event] = {}
"""What the task of this name waits for."""
does: dict[str, Callable[[], object]] = {}


def _work(name: str) -> str:
    begun.append(name)
    if name in goes_on:
        goes_on[name].wait(30)
    return str(does[name]() if name in does else name)


@task(retry=Retry(max_attempts=1), timeout_s=5)
def queued(name: str) -> str:
    return _work(name)


@task(retry=Retry(max_attempts=1), timeout_s=5, inline=True)
def inline(name: str) -> str:
    return _work(name)


@workflow
async def do(name: str, is_inline: bool = False) -> str:
    return await (inline if is_inline else queued)(name)


@command
def look() -> str:
    return "seen"


class Workshop(Service):
    do = do
    look = look


@pytest.fixture(autouse=True)
def _all_threads_end() -> Iterator[None]:
    yield
    for each in goes_on.values():
        each.set()
    for kept in (begun, goes_on, does):
        kept.clear()


def _options(threads: int) -> RuntimeOptions:
    return RuntimeOptions(WorkerOptions("one", threads=threads))


@pytest.fixture
async def alone(clock: ManualClock) -> AsyncIterator[Runtime]:
    """A worker with one thread."""
    async with running(Workshop, clock, options=_options(1)) as opened:
        yield opened


async def test_sync_tasks_do_not_take_the_threads_of_anything_else(clock: ManualClock) -> None:
    async with running(Workshop, clock, options=_options(40)):  # asyncio has 32 at most
        for number in range(40):
            goes_on[f"{number}"] = threading.Event()
        runs = [await do.start(f"{number}") for number in range(40)]
        await until(lambda: len(begun) == 40)
        async with asyncio.timeout(10):
            assert await look() == "seen"
        for each in goes_on.values():
            each.set()
        assert await runs[39].result() == "39"


@pytest.mark.parametrize("is_inline", [False, True])
async def test_an_attempt_that_waits_for_a_thread_has_not_begun(
    alone: Runtime, clock: ManualClock, is_inline: bool
) -> None:
    goes_on.update(a=threading.Event(), b=threading.Event())
    first, second = await do.start("a", is_inline), await do.start("b", is_inline)
    await until(lambda: begun == ["a"])
    await clock.advance(4)
    goes_on["a"].set()
    await until(lambda: begun == ["a", "b"])
    await clock.advance(4)
    goes_on["b"].set()
    assert [await first.result(), await second.result()] == ["a", "b"]


async def test_what_a_worker_has_no_thread_for_is_left_to_others(clock: ManualClock) -> None:
    stores: Stores = memory_stores()
    goes_on.update(a=threading.Event())
    async with (
        running(Workshop, clock, stores, _options(1)),
        running(Workshop, clock, stores, _options(1)),
    ):
        await do.start("a")
        await do.start("b")
        await until(lambda: "a" in begun)
        await clock.advance(2)  # the other one looks
        await until(lambda: "b" in begun)
        goes_on["a"].set()


async def test_a_function_that_goes_on_after_its_timeout_keeps_its_thread(
    alone: Runtime, clock: ManualClock
) -> None:
    goes_on.update(a=threading.Event())
    first, second = await do.start("a"), await do.start("b")
    await until(lambda: begun == ["a"])
    await clock.advance(5)
    with pytest.raises(TimedOut, match="did not end within 5 s"):
        await first.result()
    await clock.advance(100)
    assert begun == ["a"]
    goes_on["a"].set()
    assert await second.result() == "b"


async def test_a_sync_task_knows_its_attempt_in_its_thread(alone: Runtime) -> None:
    does["a"] = lambda: f"{idempotency_key()} in {threading.current_thread().name}"
    result = await (await do.options(id="o-1").start("a")).result()
    assert result.startswith("o-1:")
    assert "in service_kit task" in result


async def test_a_sync_task_may_call_another_one_while_no_thread_is_free(alone: Runtime) -> None:
    does["a"] = lambda: asyncio.run(_plain())
    assert await (await do.start("a")).result() == "plain"


async def _plain() -> str:
    return await queued("plain")


@pytest.mark.parametrize("error", [StopIteration, SystemExit])
async def test_a_sync_task_may_raise_whatever_it_likes(alone: Runtime, error: type[BaseException]) -> None:
    def leave() -> None:
        raise error

    does["a"] = leave
    with pytest.raises(WorkflowFailed, match=error.__name__):
        await (await do.start("a")).result()
    assert await (await do.start("b")).result() == "b"
    await settle()
    assert alone.task_worker.room == WorkerOptions("one").capacity
