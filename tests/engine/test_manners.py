"""What the loop keeps from a workflow, and what it does for one behind its back."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service_kit.engine.arrivals import CancelRequested
from service_kit.engine.calls import TaskScheduled
from service_kit.errors import NonDeterminismError, TurnTooLong
from tests.engine.conftest import Begin
from tests.engine.driving import Execution, task


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
        second = asyncio.create_task(asyncio.sleep(0))
        third = asyncio.create_task(asyncio.sleep(0), name="mine")
        await asyncio.gather(first, second, third)
        main = asyncio.current_task()
        assert main is not None
        return [each.get_name() for each in (main, first, second, third)]

    assert begin(names).result == begin(names).result == ["example", "Task-2", "Task-3", "mine"]


def test_all_tasks_shows_those_of_this_execution_only(begin: Begin) -> None:
    async def count() -> int:
        asyncio.get_running_loop().create_task(task("side"))
        return len(asyncio.all_tasks())

    begin(count)
    assert begin(count).result == 2


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


def test_nothing_runs_after_an_error_in_a_callback(begin: Begin) -> None:
    async def goes_on() -> None:
        def explode() -> None:
            raise ValueError("nobody awaits me")

        asyncio.get_running_loop().call_soon(explode)
        await asyncio.sleep(0)
        await task("after")

    run = begin(goes_on)
    assert run.failure.message == "nobody awaits me"
    assert run.calls(TaskScheduled) == []


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


def test_error_that_nobody_looked_at_is_logged_with_it_and_fails_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def careless() -> str:
        await task("a")
        return "done"

    run = Execution(careless, cold=False)
    run.start()
    error = ValueError("unseen")
    with caplog.at_level(logging.ERROR, logger="service_kit.workflow"):
        loop = run.instance._machine.loop
        loop.call_exception_handler({"message": "Task exception was never retrieved", "exception": error})
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [error]
    run.succeed("a")
    assert run.result == "done"


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
    swallowed: list[Exception] = []

    async def reaches() -> None:
        try:
            await use(asyncio.get_running_loop())
        except Exception as error:  # noqa: BLE001 - even so the turn must fail
            swallowed.append(error)
        await task("a")

    with pytest.raises(NonDeterminismError, match="a workflow cannot use") as caught:
        Execution(reaches, cold=False).start()
    assert "test_manners.py" in caught.value.where
    assert name


def test_task_factory_of_its_own_is_refused() -> None:
    async def factory() -> None:
        asyncio.get_running_loop().set_task_factory(
            lambda loop, coro, **options: asyncio.Task(coro, loop=loop)
        )

    with pytest.raises(NonDeterminismError, match="set_task_factory"):
        Execution(factory, cold=False).start()


def test_no_task_factory_is_none_of_its_own(begin: Begin) -> None:
    async def plain() -> str:
        asyncio.get_running_loop().set_task_factory(None)
        return str(await asyncio.create_task(task("a")))

    run = begin(plain)
    run.succeed("a", "done")
    assert run.result == "done"


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

    with pytest.raises(TurnTooLong, match=r"1000 steps .*test_manners\.py:\d+ in .*spins"):
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
