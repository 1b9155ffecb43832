"""Signal handlers: each sees every signal once."""

from __future__ import annotations

import asyncio

import pytest

from tests.engine.conftest import Begin
from tests.engine.driving import on, receive, task


def test_every_handler_sees_each_signal_once_until_it_is_disposed(begin: Begin) -> None:
    async def listens() -> list[object]:
        seen: list[object] = []
        dispose = on(lambda payload: seen.append(["first", payload]))
        on(lambda payload: seen.append(["second", payload]))
        await task("a")
        dispose()
        dispose()
        await task("b")
        return seen

    run = begin(listens)
    run.signal("word", 1, id="1")
    run.succeed("a")
    run.signal("word", 2, id="2")
    run.succeed("b")
    assert run.result == [["first", "1"], ["second", "1"], ["second", "2"]]


def test_handler_that_comes_late_gets_what_was_kept(begin: Begin) -> None:
    async def late() -> list[object]:
        seen: list[object] = []
        await task("a")
        on(seen.append)
        await task("b")
        return seen

    run = begin(late)
    run.signal("word", 1, id="1")
    run.signal("word", 2, id="2")
    run.succeed("a")
    run.succeed("b")
    assert run.result == ["1", "2"]


def test_handler_that_ends_leaves_the_rest_of_what_was_kept_to_who_waits_for_it(begin: Begin) -> None:
    async def once() -> list[object]:
        seen: list[object] = []

        def handle(payload: str) -> None:
            seen.append(payload)
            dispose()

        await task("a")
        dispose = on(handle)
        seen.extend([await receive(), await receive()])
        return seen

    run = begin(once)
    for number in (1, 2, 3):
        run.signal("word", number, id=str(number))
    run.succeed("a")
    assert run.result == ["1", 2, 3]


def test_handler_that_another_one_ends_is_not_called_any_more(begin: Begin) -> None:
    async def two() -> list[object]:
        seen: list[object] = []

        def ends_the_other(payload: str) -> None:
            seen.append(["first", payload])
            dispose()

        on(ends_the_other)
        dispose = on(lambda payload: seen.append(["second", payload]))
        await task("a")
        return seen

    run = begin(two)
    run.signal("word", 1, id="1")
    run.succeed("a")
    assert run.result == [["first", "1"]]


def test_what_a_handler_leaves_is_the_next_handlers_if_nobody_waits(begin: Begin) -> None:
    async def hands_on() -> list[object]:
        seen: list[object] = []

        def first(payload: str) -> None:
            seen.append(["first", payload])
            dispose()

        await task("a")
        dispose = on(first)
        on(lambda payload: seen.append(["second", payload]))
        await task("b")
        return seen

    run = begin(hands_on)
    for number in (1, 2, 3):
        run.signal("word", number, id=str(number))
    run.succeed("a")
    run.signal("word", 4, id="4")
    run.succeed("b")
    assert run.result == [["first", "1"], ["second", "2"], ["second", "3"], ["second", "4"]]


@pytest.mark.parametrize("when", ["before", "after"])
def test_handler_that_ends_in_its_first_call_sees_one_signal_whenever_they_came(
    begin: Begin, when: str
) -> None:
    async def once() -> list[object]:
        seen: list[object] = []

        def handle(payload: str) -> None:
            seen.append(payload)
            dispose()

        if when == "before":
            await task("a")
        dispose = on(handle)
        await task("b")
        return [*seen, await receive(), await receive()]

    run = begin(once)
    for number in (1, 2, 3):
        run.signal("word", number, id=str(number))
    if when == "before":
        run.succeed("a")
    run.succeed("b")
    assert run.result == ["1", 2, 3]


def test_receiver_and_handler_both_see_a_signal(begin: Begin) -> None:
    async def both() -> list[object]:
        seen: list[object] = []
        on(seen.append)
        seen.append(await receive())
        return seen

    run = begin(both)
    run.signal("word", 1, id="1")
    assert run.result == ["1", 1]


def test_handler_takes_the_signal_where_nobody_waits(begin: Begin) -> None:
    async def handled() -> object:
        on(lambda payload: None)
        await task("a")
        return await receive("word", 1)

    run = begin(handled)
    run.signal("word", 1, id="1")
    run.succeed("a")
    run.pass_time(1)
    assert run.failure.kind == "timeout"


def test_handler_may_run_tasks(begin: Begin) -> None:
    async def listens() -> list[object]:
        seen: list[object] = []

        async def handle(payload: str) -> None:
            seen.append(await task(f"handle {payload}"))

        on(handle)
        await task("a")
        return seen

    run = begin(listens)
    run.signal("word", 1, id="1")
    run.succeed("handle 1", "handled")
    run.succeed("a")
    assert run.result == ["handled"]


@pytest.mark.parametrize("is_async", [False, True])
def test_handler_that_raises_fails_the_execution(begin: Begin, is_async: bool) -> None:
    async def listens() -> None:
        async def explode_later(payload: str) -> None:
            await task("a")
            raise ValueError(payload)

        def explode(payload: str) -> None:
            raise ValueError(payload)

        on(explode_later if is_async else explode)
        await task("b")

    run = begin(listens)
    run.signal("word", 1, id="1")
    if is_async:
        run.succeed("a")
    assert (run.failure.type, run.failure.message) == ("builtins:ValueError", "1")


def test_handler_that_is_cancelled_is_no_failure(begin: Begin) -> None:
    async def listens() -> str:
        async def handle(payload: str) -> None:
            current = asyncio.current_task()
            assert current is not None
            current.cancel()
            await task("a")

        on(handle)
        await task("b")
        return "fine"

    run = begin(listens)
    run.signal("word", 1, id="1")
    run.succeed("b")
    assert run.result == "fine"
