"""Children by their handles: waiting for one is only waiting, a call is the parent's own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from service_kit import ExecutionExists, WorkflowCancelled, WorkflowFailed
from service_kit.testing import EnvironmentFactory, Replayer, TestEnvironment
from service_kit.testing.environment import START
from tests.testing import families
from tests.testing.families import Families, listen, slow

Env = TestEnvironment[Families]
HISTORIES = Path(__file__).parent / "histories_of_families"


@pytest.fixture
def env(service_env: EnvironmentFactory) -> Env:
    return service_env(Families)


def test_histories_of_plain_waits_replay() -> None:
    assert Replayer(Families).replay_directory(HISTORIES) == 2


@pytest.mark.parametrize("timeout_s", [0, 5])
def test_wait_for_a_child_has_an_end_and_leaves_it_running(env: Env, timeout_s: float) -> None:
    parent = env.start(families.wait_a_little, timeout_s)
    env.advance(timedelta(seconds=99))
    assert env.get(slow, "child").status() == "running"

    assert env.run_until_complete(parent) == [
        "TimeoutError",
        f"execution 'child' of 'slow' still runs after {timeout_s:.1f} s",
        "slept 100 s",
    ]
    assert env.now - START == timedelta(seconds=100)


def test_wait_that_was_long_enough_leaves_no_timer_behind(env: Env) -> None:
    parent = env.start(families.wait_a_little, 500)

    assert env.run_until_complete(parent) == ["slept 100 s"]
    kinds = [event["kind"] for event in parent.history()]
    assert (kinds.count("TimerStarted"), kinds.count("TimerCancelled")) == (1, 1)


def test_timeout_around_the_wait_for_a_child_leaves_it_running(env: Env) -> None:
    parent = env.start(families.wait_in_a_timeout)

    assert env.run_until_complete(parent) == ["gave up", "slept 100 s"]


def test_timeout_around_the_call_of_a_child_cancels_it(env: Env) -> None:
    parent = env.start(families.call_in_a_timeout)
    env.advance(timedelta(seconds=5))
    assert env.get(slow, "child").status() == "cancelled"

    assert env.run_until_complete(parent) == "gave up"


def test_task_that_gives_up_waiting_leaves_another_one_waiting(env: Env) -> None:
    parent = env.start(families.wait_in_two_tasks)

    assert env.run_until_complete(parent) == ["CancelledError", "slept 100 s"]


def test_child_that_fails_when_nobody_waits_any_more_fails_nobody(env: Env) -> None:
    parent = env.start(families.ignore_a_failure)

    assert env.run_until_complete(parent) == "whatever became of it"


@pytest.mark.parametrize(
    ("close", "status"), [("cancel", "cancelled"), ("terminate", "terminated"), ("abandon", "running")]
)
def test_policy_decides_about_the_child_that_a_cancelled_parent_waits_for(
    env: Env, close: families.Close, status: str
) -> None:
    parent = env.start(families.wait_with_policy, close)
    env.advance(timedelta(seconds=5))
    parent.cancel("enough")

    assert env.get(slow, "child").status() == status
    with pytest.raises(WorkflowCancelled, match="enough"):
        parent.result()


def test_signal_from_a_workflow_with_an_id_is_delivered_once(env: Env) -> None:
    listener = env.start(listen)
    env.run_until_complete(env.start(families.speak, listener.id))

    assert listener.result() == ["once", "twice", "twice"]


def test_signal_from_a_workflow_is_not_delivered_under_an_id_that_another_sender_has_used(env: Env) -> None:
    listener = env.start(listen)
    listener.signal(families.word, "once", id="w-1")
    env.run_until_complete(env.start(families.speak, listener.id))

    assert listener.result() == ["once", "twice", "twice"]


TAKEN = "the id 'child' of child 'slow' is another execution's; give the child an id of its own"


def test_child_whose_id_is_taken_says_what_it_needs(env: Env) -> None:
    taken = env.start(slow.options(id="child"), 10)

    assert env.run_until_complete(env.start(families.start_with_id, "child")) == TAKEN
    assert taken.status() == "running"


def test_parent_that_fails_by_a_taken_id_says_so_to_its_own_caller(env: Env) -> None:
    env.start(slow.options(id="child"), 100)

    with pytest.raises(ExecutionExists, match="give the child an id of its own") as raised:
        env.run_until_complete(env.start(families.wait_with_policy, "cancel"))
    assert raised.value.id == "child"


def test_child_that_is_started_twice_is_refused_once(env: Env) -> None:
    parent = env.start(families.start_twice)

    assert env.run_until_complete(parent) == [TAKEN, "slept 10 s"]


def test_child_is_found_by_its_id_while_it_runs_and_when_it_has_ended(env: Env) -> None:
    assert env.run_until_complete(env.start(families.find_own_child)) == ["slept 10 s"] * 2


def test_wait_for_an_execution_of_somebody_else_says_what_to_do(env: Env) -> None:
    env.start(slow.options(id="other"), 10)

    with pytest.raises(
        WorkflowFailed,
        match=r"'find_anybody' cannot wait for execution 'other', which its present run did not begin",
    ):
        env.run_until_complete(env.start(families.find_anybody, "other"))
