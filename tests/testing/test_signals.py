"""Signals, cancellation and states, from a test."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service_kit import ExecutionExists, ExecutionNotFound, WorkflowCancelled, WorkflowTerminated
from service_kit.testing import TestEnvironment
from tests.testing.orders import (
    Orders,
    approve,
    approved,
    cancellable,
    cancelled,
    process_order,
    process_payment,
    progress,
    wait_one_second,
)

Env = TestEnvironment[Orders]


def test_signal_before_the_wait_is_kept(env: Env) -> None:
    execution = env.start(approve, "o-1")
    env.signal(execution, approved, True)
    env.advance(timedelta(minutes=59))
    assert execution.status() == "running"

    assert env.run_until_complete(execution) == "approved"


def test_signal_after_the_wait_began_ends_it_at_once(env: Env) -> None:
    execution = env.start(approve, "o-1")
    env.advance(timedelta(hours=2))
    execution.signal(approved, False)

    assert execution.result() == "refused"


def test_signal_that_comes_too_late_is_not_waited_for(env: Env) -> None:
    execution = env.start(approve, "o-1")
    env.advance(timedelta(days=2))

    assert execution.result() == "nobody cared"


def test_signal_reaches_an_execution_by_its_id(env: Env) -> None:
    execution = env.start(cancellable.options(id="c-1"), "o-1")
    env.signal("c-1", cancelled, "first")

    assert execution.result() == "first"
    with pytest.raises(ExecutionNotFound):
        env.signal("c-2", cancelled, "nobody is there")


def test_an_id_of_another_workflow_is_not_found(env: Env) -> None:
    env.start(cancellable.options(id="c-1"), "o-1")
    with pytest.raises(ExecutionNotFound, match="'c-1' is one of workflow 'cancellable'"):
        env.get(approve, "c-1")
    with pytest.raises(ExecutionNotFound, match="'c-1' is one of workflow 'cancellable'"):
        env.run(approve.get("c-1").signal(approved, True))


def test_one_signal_id_is_delivered_once(env: Env) -> None:
    execution = env.start(approve, "o-1")
    execution.signal(approved, True, id="s-1")
    execution.signal(approved, False, id="s-1")

    assert env.run_until_complete(execution) == "approved"


def test_cancelled_execution_raises_cancellation(env: Env) -> None:
    execution = env.start(cancellable, "o-1")
    execution.cancel("changed my mind")

    assert execution.status() == "cancelled"
    with pytest.raises(WorkflowCancelled, match="changed my mind"):
        env.run_until_complete(execution)


def test_terminated_execution_raises_termination(env: Env) -> None:
    execution = env.start(cancellable, "o-1")
    execution.terminate()

    with pytest.raises(WorkflowTerminated):
        execution.result()


def test_state_is_what_the_execution_last_showed(env: Env) -> None:
    env.mock(process_payment).times_out()
    execution = env.start(process_order, "o-1")

    assert execution.state(progress) == "paying"
    env.mock(process_payment).restore()
    env.run_until_complete(execution)
    assert execution.state(progress) == "shipping"
    assert env.start(wait_one_second, "a").state(progress) is None


def test_execution_tells_its_id_its_history_and_when_it_ended(env: Env) -> None:
    execution = env.start(wait_one_second, "a")
    env.run_until_complete(execution)

    assert execution.id == "wait_one_second-1"
    assert [event["kind"] for event in execution.history()] == [
        "TurnStarted",
        "ExecutionStarted",
        "TimerStarted",
        "TurnStarted",
        "TimerFired",
        "ExecutionSucceeded",
    ]
    assert execution.describe().ended_at_s == execution.describe().started_at_s + 1
    assert "wait_one_second-1" in repr(execution)


def test_same_id_and_input_is_the_same_execution(env: Env) -> None:
    first = env.start(wait_one_second.options(id="w-1"), "a")
    again = env.start(wait_one_second.options(id="w-1"), "a")

    assert first.id == again.id
    with pytest.raises(ExecutionExists):
        env.start(wait_one_second.options(id="w-1"), "b")
