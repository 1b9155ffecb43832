"""asyncio's own tools work in workflows, and in the same order every time."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service_kit.engine import completion
from service_kit.engine.arrivals import CancelRequested, TimerFired
from service_kit.engine.calls import TaskCancelRequested, TaskScheduled, TimerCancelled, TimerStarted
from service_kit.engine.turn import Waiting
from service_kit.errors import NonDeterminismError, TurnTooLong
from tests.engine.conftest import Begin
from tests.engine.driving import BEGIN_S, Execution, task


def test_sleep_waits_for_a_durable_timer(begin: Begin) -> None:
    async def nap() -> str:
        await asyncio.sleep(10)
        return "rested"

    run = begin(nap)
    assert run.calls(TimerStarted) == [TimerStarted(1, BEGIN_S + 10)]
    assert run.turn.outcome == Waiting(BEGIN_S + 10)
    assert run.pass_time(9.5).events == ()
    run.pass_time(0.5)
    assert run.result == "rested"
    assert run.calls(TimerCancelled) == []


def test_sleep_zero_lets_others_run_and_records_nothing(begin: Begin) -> None:
    async def polite() -> list[str]:
        said: list[str] = []

        async def say(word: str) -> None:
            for _ in range(2):
                said.append(word)
                await asyncio.sleep(0)

        await asyncio.gather(say("a"), say("b"))
        return said

    run = begin(polite)
    assert run.result == ["a", "b", "a", "b"]
    assert run.calls(TimerStarted) == []


def test_gather_runs_tasks_side_by_side(begin: Begin) -> None:
    async def both() -> list[int]:
        return list(await asyncio.gather(task("a"), task("b")))

    run = begin(both)
    assert [call.name for call in run.calls(TaskScheduled)] == ["a", "b"]
    run.succeed("b", 2)
    run.succeed("a", 1)
    assert run.result == [1, 2]


def test_timeout_cancels_what_it_covers_and_tells_the_task(begin: Begin) -> None:
    async def impatient() -> str:
        try:
            async with asyncio.timeout(5):
                await task("slow")
        except TimeoutError:
            return "gave up"
        return "done"

    run = begin(impatient)
    run.pass_time(5)
    assert run.result == "gave up"
    assert run.calls(TaskCancelRequested) == [TaskCancelRequested(3, 2, "slow")]


def test_timeout_that_is_not_needed_cancels_its_timer(begin: Begin) -> None:
    async def patient() -> int:
        async with asyncio.timeout(5):
            value: int = await task("quick")
        await asyncio.sleep(60)
        return value

    run = begin(patient)
    run.succeed("quick", 7)
    assert run.calls(TimerCancelled) == [TimerCancelled(3, 1)]
    assert run.turn.outcome == Waiting(BEGIN_S + 60)
    run.pass_time(60)
    assert run.result == 7


def test_timeout_at_uses_the_time_of_the_history(begin: Begin) -> None:
    async def until() -> float:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(loop.time() + 3):
                await asyncio.sleep(100)
        except TimeoutError:
            pass
        return loop.time()

    run = begin(until)
    run.pass_time(4.25)
    assert run.result == BEGIN_S + 4.25


def test_timeout_of_zero_needs_no_timer(begin: Begin) -> None:
    async def now_or_never() -> str:
        try:
            async with asyncio.timeout(0):
                await task("slow")
        except TimeoutError:
            return "never"
        return "now"

    run = begin(now_or_never)
    assert run.result == "never"
    assert run.calls(TimerStarted) == []


def test_wait_for_raises_timeout_error(begin: Begin) -> None:
    async def waiting() -> str:
        try:
            await asyncio.wait_for(task("slow"), 2)
        except TimeoutError:
            return "late"
        return "in time"

    late = begin(waiting)
    late.pass_time(2)
    assert late.result == "late"
    in_time = begin(waiting)
    in_time.succeed("slow")
    assert in_time.result == "in time"


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


def test_timers_that_are_due_together_fire_in_the_order_of_time(begin: Begin) -> None:
    async def clocks() -> list[int]:
        order: list[int] = []

        async def after(seconds: int) -> None:
            await asyncio.sleep(seconds)
            order.append(seconds)

        await asyncio.gather(after(30), after(10), after(20), after(10))
        return order

    run = begin(clocks)
    run.pass_time(100)
    assert run.result == [10, 10, 20, 30]


def test_timer_may_be_said_to_have_fired_a_shade_early(begin: Begin) -> None:
    async def nap() -> float:
        await asyncio.sleep(10)
        return asyncio.get_running_loop().time()

    run = begin(nap)
    run.arrive(TimerFired(1), after_s=9.9)
    assert run.result == BEGIN_S + 10


def test_timer_that_never_fires_is_not_recorded(begin: Begin) -> None:
    async def forever() -> None:
        await asyncio.sleep(float("inf"))

    run = begin(forever)
    assert run.turn.outcome == Waiting(None)
    assert run.calls(TimerStarted) == []


def test_timer_at_no_number_is_an_error(begin: Begin) -> None:
    async def nonsense() -> None:
        asyncio.get_running_loop().call_later(float("nan"), print)

    assert begin(nonsense).failure.type == "builtins:ValueError"


def test_time_does_not_run_backwards(begin: Begin) -> None:
    async def clock() -> list[float]:
        loop = asyncio.get_running_loop()
        times = [loop.time()]
        await task("a")
        return [*times, loop.time()]

    run = begin(clock)
    run.now_s -= 50
    run.succeed("a")
    assert run.result == [BEGIN_S, BEGIN_S]


def test_many_timeouts_that_are_never_needed_leave_no_rubbish() -> None:
    async def busy() -> None:
        for _ in range(1_000):
            async with asyncio.timeout(86_400):
                await asyncio.sleep(0)
        await task("last")

    run = Execution(busy, cold=False)
    run.start()
    assert len(run.instance._machine.loop.timers._heap) < 100


def test_background_task_outlives_the_statement_that_made_it(begin: Begin) -> None:
    async def background() -> str:
        for number in range(100):
            asyncio.get_running_loop().create_task(task(f"side-{number}"))
        await task("main")
        return "done"

    run = begin(background)
    run.succeed("main")
    assert run.result == "done"
    assert len(run.calls(TaskScheduled)) == 101


def test_background_task_begins_even_if_the_workflow_returns_at_once(begin: Begin) -> None:
    async def leaves() -> str:
        asyncio.get_running_loop().create_task(task("mail"))
        return "bye"

    run = begin(leaves)
    assert run.result == "bye"
    assert [call.name for call in run.calls(TaskScheduled)] == ["mail"]


def test_tasks_are_named_by_their_order(begin: Begin) -> None:
    async def names() -> list[str]:
        first = asyncio.create_task(asyncio.sleep(0))
        second = asyncio.create_task(asyncio.sleep(0), name="mine")
        await asyncio.gather(first, second)
        main = asyncio.current_task()
        assert main is not None
        return [main.get_name(), first.get_name(), second.get_name()]

    assert begin(names).result == begin(names).result == ["example", "Task-2", "mine"]


def test_all_tasks_shows_those_of_this_execution_only(begin: Begin) -> None:
    async def count() -> int:
        asyncio.get_running_loop().create_task(task("side"))
        return len(asyncio.all_tasks())

    begin(count)
    assert begin(count).result == 2


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


def test_workflow_runs_while_another_loop_runs_on_the_same_thread(begin: Begin) -> None:
    async def nested() -> list[int]:
        await asyncio.sleep(1)
        return list(await asyncio.gather(task("a"), task("b")))

    async def host() -> Execution:
        here = asyncio.get_running_loop()
        run = begin(nested)
        await asyncio.sleep(0)
        run.pass_time(1)
        run.succeed("a", 1)
        run.succeed("b", 2)
        assert asyncio.get_running_loop() is here
        return run

    assert asyncio.run(host()).result == [1, 2]


def test_context_variables_of_the_host_do_not_reach_the_workflow(begin: Begin) -> None:
    colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")
    colour.set("red")

    async def look() -> list[str]:
        async def inner() -> str:
            return colour.get()

        before = colour.get()
        colour.set("blue")
        return [before, await asyncio.create_task(inner())]

    assert begin(look).result == ["none", "blue"]


def test_abandoned_generator_is_never_cleaned_up_behind_the_workflow(begin: Begin) -> None:
    async def careless() -> str:
        async def numbers() -> AsyncIterator[int]:
            try:
                for number in range(10):
                    await task(f"n{number}")
                    yield number
            finally:
                await task("cleanup")

        async for _ in numbers():
            break
        await task("after")
        return "done"

    run = begin(careless)
    run.succeed("n0")
    run.succeed("after")
    assert run.result == "done"
    assert [call.name for call in run.calls(TaskScheduled)] == ["n0", "after"]


def test_error_in_a_callback_fails_the_execution(begin: Begin) -> None:
    async def careless() -> None:
        def explode() -> None:
            raise ValueError("nobody awaits me")

        asyncio.get_running_loop().call_soon(explode)
        await task("a")

    run = begin(careless)
    assert (run.failure.type, run.failure.message) == ("builtins:ValueError", "nobody awaits me")


def test_exit_is_a_failure_of_the_workflow_and_not_of_its_host(begin: Begin) -> None:
    async def leaves() -> None:
        await task("a")
        sys.exit(3)

    run = begin(leaves)
    run.succeed("a")
    assert run.failure.type == "builtins:SystemExit"


def test_cancelled_callback_does_not_run(begin: Begin) -> None:
    async def calls() -> list[str]:
        seen: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_soon(seen.append, "cancelled").cancel()
        loop.call_later(0, seen.append, "kept")
        loop.call_later(0, seen.append, "cancelled too").cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return seen

    assert begin(calls).result == ["kept"]


def test_error_that_nobody_looked_at_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def careless() -> None:
        async def fails() -> None:
            raise ValueError("unseen")

        asyncio.get_running_loop().create_task(fails())
        await task("a")
        await task("b")

    with caplog.at_level(logging.ERROR, logger="service_kit.workflow"):
        run = Execution(careless, cold=False)
        run.start()
        loop = run.instance._machine.loop
        loop.default_exception_handler({"message": "Task exception was never retrieved"})
        run.instance.discard()
        loop.call_exception_handler({"message": "Task exception was never retrieved"})
    assert [record.message for record in caplog.records] == ["Task exception was never retrieved"]


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("to_thread", lambda loop: asyncio.to_thread(print)),
        ("run_in_executor", lambda loop: loop.run_in_executor(None, print)),
        ("open_connection", lambda loop: asyncio.open_connection("localhost", 1)),
        ("create_subprocess_exec", lambda loop: asyncio.create_subprocess_exec("true")),
        ("getaddrinfo", lambda loop: loop.getaddrinfo("localhost", 1)),
    ],
)
def test_what_reaches_outside_fails_at_once(name: str, use: Any) -> None:
    async def reaches() -> None:
        with contextlib.suppress(Exception):  # even so the turn must fail
            await use(asyncio.get_running_loop())
        await task("a")

    with pytest.raises(NonDeterminismError, match="a workflow cannot use") as caught:
        Execution(reaches, cold=False).start()
    assert "test_loop.py" in caught.value.where
    assert name


def test_task_factory_of_its_own_is_refused() -> None:
    async def factory() -> None:
        asyncio.get_running_loop().set_task_factory(
            lambda loop, coro, **options: asyncio.Task(coro, loop=loop)
        )

    with pytest.raises(NonDeterminismError, match="set_task_factory"):
        Execution(factory, cold=False).start()


def test_loop_has_the_rest_of_a_loops_manners(begin: Begin) -> None:
    async def manners() -> list[object]:
        loop = asyncio.get_running_loop()
        return [loop.is_running(), loop.is_closed(), loop.get_debug(), loop.get_exception_handler()]

    assert begin(manners).result == [True, False, False, None]


def test_workflow_that_never_waits_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_kit.engine.loop.STEPS_MAX", 1_000)

    async def spins() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(TurnTooLong, match=r"1000 steps .*test_loop\.py:\d+ in .*spins"):
        Execution(spins, cold=False).start()


def test_cancelling_a_cancelled_execution_again_leaves_its_cleanup_alone(begin: Begin) -> None:
    async def careful() -> str:
        try:
            await task("work")
        finally:
            await task("cleanup")
        return "unreachable"

    run = begin(careful)
    run.arrive(CancelRequested("stop"))
    assert run.arrive(CancelRequested("stop!")).events == ()
    run.succeed("cleanup")
    assert type(run.turn.outcome).__name__ == "ExecutionCancelled"
