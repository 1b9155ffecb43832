"""What an environment says when what a test waits for cannot come."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service_kit import NonDeterminismError
from service_kit.testing import NeverEnds, TestEnvironment
from tests.testing.orders import (
    Orders,
    ask,
    cancellable,
    cancelled,
    moody,
    parent,
    process_order,
    process_payment,
    restless,
    ship_order,
    surprising,
)

Env = TestEnvironment[Orders]


def test_waiting_for_a_signal_that_nobody_sends_fails_and_names_the_line(env: Env) -> None:
    execution = env.start(cancellable.options(id="c-1"), "o-1")

    with pytest.raises(NeverEnds) as raised:
        env.run_until_complete(execution)
    assert str(raised.value).startswith(
        "nothing is left that could let it go on:\nexecution 'c-1' of 'cancellable' waits at "
    )
    assert "orders.py" in str(raised.value)
    assert "in cancellable" in str(raised.value)
    env.signal(execution, cancelled, "bye")
    assert execution.result() == "bye"


def test_waiting_for_a_child_tells_what_the_child_waits_for(env: Env) -> None:
    with pytest.raises(NeverEnds, match=r"'parent' waits at .*\n  execution '.*' of 'cancellable' waits at"):
        env.run_until_complete(env.start(parent, "o-1"))


def test_waiting_for_a_task_that_hangs_names_the_task(env: Env) -> None:
    async def hang(order_id: str) -> str:
        await asyncio.Event().wait()
        return order_id

    env.mock(ship_order).calls(hang)

    with pytest.raises(NeverEnds, match="task 'ship_order' is running, and has not come to its end"):
        env.run_until_complete(env.start(process_order, "o-1"))


def test_waiting_for_a_task_that_somebody_completes_says_so(env: Env) -> None:
    with pytest.raises(NeverEnds, match=r"task 'ask_a_person' .* by its token"):
        env.run_until_complete(env.start(ask, "why?"))


def test_waiting_for_a_task_that_keeps_failing_shows_its_last_error(env: Env) -> None:
    env.mock(process_payment).raises_once(KeyError("card")).raises_once(ValueError("no\nmoney"))

    with pytest.raises(NeverEnds, match="it goes on after") as raised:
        env.run_until_complete(env.start(process_order, "o-1"), within=timedelta(seconds=15))
    assert str(raised.value).endswith(
        "\n  task 'process_payment' waits for its next attempt, or for somebody to complete it by its token; "
        "2 attempts have failed, the last with ValueError: no money"
    )


def test_task_that_hangs_in_its_second_attempt_shows_why_the_first_one_failed(env: Env) -> None:
    async def hang(order_id: str, amount: int = 1) -> str:
        await asyncio.Event().wait()
        return order_id

    env.mock(process_payment).raises_once(KeyError("card")).calls_once(hang)

    with pytest.raises(NeverEnds, match=r"its end; 1 attempt has failed, the last with KeyError: 'card'$"):
        env.run_until_complete(env.start(process_order, "o-1"), within=timedelta(seconds=15))


def test_call_that_is_never_answered_tells_which_executions_wait(env: Env) -> None:
    env.start(cancellable.options(id="c-1"), "o-1")

    with pytest.raises(NeverEnds, match="'c-1' of 'cancellable' waits"):
        env.run(asyncio.Event().wait())


def test_workflow_that_differs_between_replays_fails_the_test_with_both_sides(env: Env) -> None:
    with pytest.raises(NonDeterminismError, match="another call") as raised:
        env.start(moody, "o-1")
    assert "TaskScheduled #1 'process_payment'" in raised.value.recorded
    assert "TaskScheduled #1 'process_payment'" in raised.value.made
    assert raised.value.__notes__ == ["execution 'moody-1' is paused"]
    assert env.get(moody, "moody-1").describe().paused


def test_workflow_of_one_turn_is_replayed_at_its_end(env: Env) -> None:
    with pytest.raises(NonDeterminismError, match="ended otherwise"):
        env.start(surprising, "o-1")


def test_unfinished_execution_is_replayed_at_the_end_of_the_test() -> None:
    environment = TestEnvironment(Orders)
    with pytest.raises(NonDeterminismError, match="another call"), environment:
        environment.start(restless)
        environment.tick()


def test_failing_test_is_not_hidden_by_the_check_at_its_end() -> None:
    with pytest.raises(ZeroDivisionError), TestEnvironment(Orders) as env:
        env.start(restless)
        env.tick()
        raise ZeroDivisionError


def test_mock_that_uses_the_environment_is_told_not_to(env: Env) -> None:
    def meddle(order_id: str) -> str:
        env.tick()
        return order_id

    env.mock(ship_order).calls(meddle)
    with pytest.raises(Exception, match="call it from the test"):
        env.run_until_complete(env.start(process_order, "o-1"))


def test_execution_that_is_paused_or_not_begun_or_over_says_so(env: Env) -> None:
    with pytest.raises(NonDeterminismError):
        env.start(moody, "o-1")

    with pytest.raises(NeverEnds, match="'moody-1' of 'moody' is paused: NonDeterminismError"):
        env.run_until_complete(env.get(moody, "moody-1"))
    with pytest.raises(NeverEnds, match="'later' of 'cancellable' has not begun yet"):
        env.run_until_complete(
            env.start(cancellable.options(id="later", start_delay_s=3600), "o-1"), within=timedelta(minutes=1)
        )


def test_everything_that_cannot_be_replayed_is_told() -> None:
    environment = TestEnvironment(Orders)
    with pytest.raises(NonDeterminismError) as raised, environment:
        environment.start(restless)
        environment.start(restless)
        environment.tick()
    assert "and: NonDeterminismError" in "".join(raised.value.__notes__)


def test_mock_says_whose_it_is(env: Env) -> None:
    assert repr(env.mock(ship_order)) == "<Mock of 'ship_order'>"
