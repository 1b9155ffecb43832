"""asyncio's own tools work in workflows, and in the same order every time."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from service_kit.engine import completion
from service_kit.engine.calls import TaskCancelRequested, TaskScheduled
from service_kit.errors import NonDeterminismError
from tests.engine.conftest import Begin
from tests.engine.driving import Execution, task


def test_gather_runs_tasks_side_by_side(begin: Begin) -> None:
    async def both() -> list[int]:
        return list(await asyncio.gather(task("a"), task("b")))

    run = begin(both)
    assert [call.name for call in run.calls(TaskScheduled)] == ["a", "b"]
    run.succeed("b", 2)
    run.succeed("a", 1)
    assert run.result == [1, 2]


def test_wait_gives_the_first_that_is_done(begin: Begin) -> None:
    async def race() -> list[object]:
        racers = [asyncio.create_task(task(name), name=name) for name in ("a", "b", "c")]
        done, pending = await asyncio.wait(racers, return_when=asyncio.FIRST_COMPLETED)
        for racer in pending:
            racer.cancel()
        return [[racer.get_name() for racer in done], [racer.get_name() for racer in pending]]

    run = begin(race)
    run.succeed("b")
    assert run.result == [["b"], ["a", "c"]]


def test_sets_of_tasks_iterate_in_the_order_of_creation(begin: Begin) -> None:
    async def many() -> list[str]:
        tasks = [asyncio.create_task(asyncio.sleep(0), name=str(number)) for number in range(50)]
        done, _ = await asyncio.wait(tasks)
        return [one.get_name() for one in done]

    assert begin(many).result == [str(number) for number in range(50)]


def test_sets_of_gathers_iterate_in_the_order_of_creation(begin: Begin) -> None:
    async def one(number: int) -> int:
        return number

    async def many() -> list[Any]:
        gathers: list[asyncio.Future[Any]] = [asyncio.gather(one(number)) for number in range(50)]
        gathers.append(asyncio.gather(asyncio.gather(one(50))))
        done, _ = await asyncio.wait(gathers)
        return [gathered.result()[0] for gathered in done]

    assert begin(many).result == [*range(50), [50]]


def test_gathers_outside_of_workflows_hash_as_ever() -> None:
    async def hashes_as_ever() -> bool:
        gathered = asyncio.gather(asyncio.sleep(0))
        await asyncio.wait([gathered])
        return hash(gathered) == object.__hash__(gathered)

    assert asyncio.run(hashes_as_ever())


def test_as_completed_gives_results_as_they_come(begin: Begin) -> None:
    async def collect() -> list[Any]:
        return [await one for one in asyncio.as_completed([task("a"), task("b"), task("c")])]

    run = begin(collect)
    for name in ("c", "a", "b"):
        run.succeed(name, name)
    assert run.result == ["c", "a", "b"]


def test_as_completed_outside_of_workflows_is_as_ever() -> None:
    async def double(number: int) -> int:
        return 2 * number

    async def collect() -> list[int]:
        return [await one for one in asyncio.as_completed([double(number) for number in range(3)])]

    assert sorted(asyncio.run(collect())) == [0, 2, 4]


def test_as_completed_bound_by_name_before_is_refused_with_coroutines() -> None:
    early = completion._original

    async def collect(ready: bool) -> list[Any]:
        calls: list[Any] = [task("a"), task("b")]
        try:
            return [
                await one for one in early([asyncio.create_task(call) for call in calls] if ready else calls)
            ]
        finally:
            for call in calls:
                call.close()

    run = Execution(collect, cold=False)
    run.start(True)
    run.succeed("b", "b")
    run.succeed("a", "a")
    assert run.result == ["b", "a"]
    with pytest.raises(NonDeterminismError, match="or give it tasks"):
        Execution(collect, cold=False).start(False)


def test_task_group_cancels_the_others_when_one_fails(begin: Begin) -> None:
    async def group() -> list[str]:
        seen: list[str] = []

        async def fails() -> None:
            await asyncio.sleep(1)
            raise ValueError("no")

        async def is_cancelled(name: str) -> None:
            try:
                await task(name)
            except asyncio.CancelledError:
                seen.append(name)
                raise

        try:
            async with asyncio.TaskGroup() as tasks:
                for name in ("a", "b", "c", "d"):
                    tasks.create_task(is_cancelled(name))
                tasks.create_task(fails())
        except* ValueError as errors:
            seen.append(str(errors.exceptions[0]))
        return seen

    run = begin(group)
    run.pass_time(1)
    assert run.result == ["a", "b", "c", "d", "no"]
    assert [call.name for call in run.calls(TaskCancelRequested)] == ["a", "b", "c", "d"]


def test_shield_keeps_a_task_from_being_cancelled(begin: Begin) -> None:
    async def shielded() -> int:
        inner = asyncio.create_task(task("precious"))
        try:
            async with asyncio.timeout(1):
                await asyncio.shield(inner)
        except TimeoutError:
            pass
        value: int = await inner
        return value

    run = begin(shielded)
    run.pass_time(1)
    assert run.calls(TaskCancelRequested) == []
    run.succeed("precious", 5)
    assert run.result == 5


def test_queue_event_condition_and_semaphore_work(begin: Begin) -> None:
    async def orchestra() -> list[object]:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        ready, condition, limit = asyncio.Event(), asyncio.Condition(), asyncio.Semaphore(2)
        seen: list[object] = []

        async def produce() -> None:
            await ready.wait()
            for number in range(3):
                await queue.put(number)

        async def consume() -> None:
            seen.extend([await queue.get() for _ in range(3)])
            async with condition:
                condition.notify_all()

        async def limited(name: str) -> None:
            async with limit:
                seen.append(await task(name))

        async def last() -> None:
            async with condition:
                await condition.wait()
                seen.append("notified")

        async with asyncio.TaskGroup() as group:
            for work in (last(), produce(), consume(), limited("x"), limited("y"), limited("z")):
                group.create_task(work)
            ready.set()
        return seen

    run = begin(orchestra)
    assert [call.name for call in run.calls(TaskScheduled)] == ["x", "y"]
    run.succeed("y", "y")
    assert [call.name for call in run.calls(TaskScheduled)] == ["x", "y", "z"]
    run.succeed("z", "z")
    run.succeed("x", "x")
    assert run.result == [0, 1, 2, "notified", "y", "z", "x"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_eager_tasks_begin_at_once(begin: Begin) -> None:
    async def eager() -> list[str]:
        loop = asyncio.get_running_loop()
        assert loop.get_task_factory() is None
        loop.set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009 - see the mark above
        seen: list[str] = []

        async def speak() -> None:
            seen.append("inside")
            await task("a")

        speaker = asyncio.create_task(speak())
        seen.append("outside")
        await speaker
        loop.set_task_factory(None)
        return seen

    run = begin(eager)
    run.succeed("a")
    assert run.result == ["inside", "outside"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
def test_single_task_can_begin_eagerly(begin: Begin) -> None:
    async def eager() -> list[str]:
        seen: list[str] = []

        async def speak() -> None:
            seen.append("inside")

        loop: Any = asyncio.get_running_loop()
        speaker = loop.create_task(speak(), eager_start=True)
        seen.append("outside")
        await speaker
        return seen

    assert begin(eager).result == ["inside", "outside"]
