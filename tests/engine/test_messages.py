"""What a mismatch says: both sides, and where the code stands."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service_kit.engine.arrivals import CancelRequested, ExecutionStarted
from service_kit.engine.calls import CancelSent, PatchMarked
from service_kit.engine.context import require_workflow
from service_kit.engine.history import HistoryEvent, TurnStarted
from service_kit.engine.instance import replay
from service_kit.engine.ledger import describe
from service_kit.engine.options import ChildOptions
from service_kit.errors import NonDeterminismError
from tests.engine.driving import BEGIN_S, Execution, code_of, history_of, replay_error, task


async def _ends(value: object) -> object:
    await task("a")
    return value


def test_ending_is_named_with_a_digest_of_its_value_and_no_number() -> None:
    async def before() -> object:
        return await _ends(1)

    async def after() -> object:
        return await _ends(2)

    error = replay_error(after, history_of(before, ("a", None)))
    for side in (error.recorded, error.made):
        kind, _, digest = side.partition(" (arguments ")
        assert kind == "ExecutionSucceeded"
        assert len(digest) == 17


def test_call_without_arguments_is_named_without_them() -> None:
    assert describe(CancelSent(3, "o-1", "why")) == "CancelSent #3 'o-1'"
    assert describe(PatchMarked("new-prices")) == "PatchMarked 'new-prices'"
    assert describe(None) == "nothing"


def test_call_that_an_arrival_makes_for_the_code_is_shown_where_that_waits() -> None:
    left_alone = ChildOptions(parent_close="abandon")

    async def before() -> None:
        require_workflow("the test").start_child("w", "1", options=left_alone)
        await asyncio.Event().wait()

    async def after() -> None:
        await require_workflow("the test").start_child("w", "1", options=left_alone).result

    run = Execution(before, cold=False)
    run.start()
    run.arrive(CancelRequested("why"))
    error = replay_error(after, run.history)
    here = after.__code__.co_firstlineno + 1
    assert error.where == f"{__file__}:{here} in {after.__qualname__}, where the workflow waits"


def test_every_task_that_waits_is_named_with_its_line() -> None:
    async def forgets() -> None:
        loop = asyncio.get_running_loop()
        both = loop.create_task(_waits_one()), loop.create_task(_returns())
        await _waits_two()
        del both

    async def remembers() -> None:
        require_workflow("the test").schedule_task("a", "1")
        await asyncio.Event().wait()

    lines = replay_error(forgets, history_of(remembers)).where.split("; ")
    assert [line.rpartition(" in ")[2] for line in lines] == ["_waits_two", "_waits_one"]


def test_history_that_stands_still_where_the_code_ends_is_shown() -> None:
    async def ends() -> None:
        pass

    history: list[HistoryEvent] = [
        TurnStarted(BEGIN_S, (1,)),
        ExecutionStarted("x", "example", "null", "seed"),
    ]
    assert replay_error(ends, history).recorded == "it goes on"


def test_history_that_goes_on_after_its_end_is_refused() -> None:
    async def ends() -> None:
        pass

    error = replay_error(ends, [*history_of(ends), CancelRequested("too late")])
    assert error.recorded == "CancelRequested(reason='too late')"
    assert error.made == "does not wait for it"


def test_surplus_call_is_shown_with_its_own_line() -> None:
    async def more() -> None:
        require_workflow("the test").set_state("s", "1")
        await asyncio.sleep(5)

    async def less() -> None:
        require_workflow("the test").set_state("s", "1")
        await asyncio.Event().wait()

    with pytest.raises(NonDeterminismError) as caught:
        replay(code_of(more), history_of(less))
    assert caught.value.recorded == "no call here"
    assert "test_messages.py" in caught.value.where


async def _waits_one() -> None:
    await asyncio.Event().wait()


async def _waits_two() -> None:
    await asyncio.Event().wait()


async def _returns() -> None:
    pass


@pytest.mark.parametrize(("recorded", "made"), [("a", "b"), ("b", "a")])
def test_call_of_another_name_is_noticed_whichever_comes_first_in_the_alphabet(
    recorded: str, made: str
) -> None:
    error = replay_error(lambda: task(made), history_of(lambda: task(recorded)))
    assert "made another call than its history holds" in str(error)
    assert (f"'{recorded}'" in error.recorded, f"'{made}'" in error.made) == (True, True)


@pytest.mark.parametrize(("recorded", "made"), [(KeyError, ValueError), (ValueError, KeyError)])
def test_error_of_another_class_is_noticed_whichever_comes_first_in_the_alphabet(
    recorded: type[Exception], made: type[Exception]
) -> None:
    async def raises(kind: type[Exception]) -> None:
        raise kind

    error = replay_error(lambda: raises(made), history_of(lambda: raises(recorded)))
    assert "the workflow ended otherwise than its history says" in str(error)


def test_call_on_top_is_told_from_one_that_was_changed() -> None:
    async def before() -> None:
        await asyncio.Event().wait()

    error = replay_error(lambda: task("a"), history_of(before))
    assert "made a call that is not in its history" in str(error)
    assert error.recorded == "no call here"


def _library(source: str) -> Any:
    """Return the function `go` of another package, which was installed."""
    scope: dict[str, Any] = {"__name__": "fetching.core"}
    exec(compile(source, "/usr/lib/site-packages/fetching/core.py", "exec"), scope)
    return scope["go"]


def test_what_a_package_does_for_a_workflow_is_shown_at_the_workflows_own_line() -> None:
    go = _library("def go():\n    open('/nowhere')")

    async def reads() -> None:
        go()

    with pytest.raises(NonDeterminismError) as caught:
        Execution(reads, cold=False).start()
    here = reads.__code__.co_firstlineno + 1
    own = f"{__file__}:{here} in {reads.__qualname__}"
    assert caught.value.where == f"{own}, by /usr/lib/site-packages/fetching/core.py:2 in go"


def test_what_a_package_does_in_a_task_of_its_own_is_shown_with_the_line_that_waits_for_it() -> None:
    opens = "async def opens():\n    open('/nowhere')"
    go = _library(f"{opens}\nimport asyncio\nasync def go():\n    await asyncio.create_task(opens())")

    async def reads() -> None:
        await go()

    with pytest.raises(NonDeterminismError) as caught:
        Execution(reads, cold=False).start()
    here = reads.__code__.co_firstlineno + 1
    innermost, _, waits = caught.value.where.partition(", for which the workflow waits at ")
    assert innermost == "/usr/lib/site-packages/fetching/core.py:2 in opens"
    assert waits.partition("; ")[0] == f"{__file__}:{here} in {reads.__qualname__}"
