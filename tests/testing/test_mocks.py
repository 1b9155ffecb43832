"""Mocks of tasks and workflows, and what the environment recorded of their calls."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic_core import PydanticSerializationError

from service_kit import TimedOut, WorkflowFailed, complete_later, task, task_token, workflow
from service_kit.testing import TestEnvironment
from service_kit.testing.environment import START
from tests.testing.orders import (
    Orders,
    OutOfStock,
    Shipment,
    ask,
    ask_a_person,
    cancellable,
    count_stock,
    parent,
    process_order,
    process_payment,
    ship_order,
    take_stock,
    tokens,
    wait_one_second,
)

Env = TestEnvironment[Orders]


def test_mocked_task_returns_the_value_without_running(env: Env) -> None:
    env.mock(process_payment).returns("p-1")

    assert env.run_until_complete(env.start(process_order, "o-1")).payment == "p-1"


def test_value_of_another_type_is_refused_where_it_is_given(env: Env) -> None:
    with pytest.raises(PydanticSerializationError):
        env.mock(process_payment).returns(3)  # type: ignore[arg-type]  # what this test is about


def test_once_answers_come_in_order_before_the_lasting_one(env: Env) -> None:
    env.mock(ship_order).returns_once("first").returns("always").returns_once("second")

    shipped = [env.run_until_complete(env.start(process_order, f"o-{n}")).tracking for n in range(4)]

    assert shipped == ["first", "second", "always", "always"]


def test_real_code_runs_after_once_answers(env: Env) -> None:
    env.mock(ship_order).returns_once("mocked")

    shipped = [env.run_until_complete(env.start(process_order, f"o-{n}")).tracking for n in range(2)]

    assert shipped == ["mocked", "tracking of o-1"]


def test_error_once_is_retried_after_the_policy_s_backoff_without_jitter(env: Env) -> None:
    env.mock(process_payment).raises_once(ConnectionError("down")).raises_once(ConnectionError)

    shipment = env.run_until_complete(env.start(process_order, "o-1"))

    assert shipment.payment == "payment of 1 for o-1"
    calls = env.calls_of(process_payment)
    assert [(call.attempt, call.at - START) for call in calls] == [
        (1, timedelta(0)),
        (2, timedelta(seconds=10)),
        (3, timedelta(seconds=30)),
    ]


def test_declared_error_comes_back_as_its_own_class(env: Env) -> None:
    env.mock(ship_order).raises(OutOfStock(sku="sku-1"))
    execution = env.start(process_order, "o-1")

    with pytest.raises(OutOfStock) as raised:
        env.run_until_complete(execution)
    assert raised.value.sku == "sku-1"


def test_mock_times_out_after_the_task_s_own_timeout(env: Env) -> None:
    env.mock(process_payment).times_out_once()

    env.run_until_complete(env.start(process_order, "o-1"))

    second = env.calls_of(process_payment)[1]
    assert second.at - START == timedelta(seconds=30 + 10)


def test_mock_times_out_by_missing_heartbeats(env: Env) -> None:
    env.mock(count_stock).times_out()
    execution = env.start(take_stock, 3)

    with pytest.raises(TimedOut, match="no heartbeat for 30 s"):
        env.run_until_complete(execution)
    assert env.now - START == timedelta(seconds=30 + 5 + 30)


def test_mock_of_a_task_without_limits_times_out_at_once(env: Env) -> None:
    env.mock(ship_order).times_out()

    with pytest.raises(TimedOut, match="says its mock"):
        env.run_until_complete(env.start(process_order, "o-1"))
    assert env.now == START


def test_mock_calls_a_function_sync_or_async_with_the_arguments(env: Env) -> None:
    def pay(order_id: str, amount: int = 1) -> str:
        return f"{order_id} for {amount}"

    async def ship(order_id: str) -> str:
        return order_id.upper()

    env.mock(process_payment).calls(pay)
    env.mock(ship_order).calls_once(ship)

    shipment = env.run_until_complete(env.start(process_order, "o-1"))

    assert shipment == Shipment(order_id="o-1", payment="o-1 for 1", tracking="O-1")


def test_restored_task_runs_its_own_code_again(env: Env) -> None:
    mock = env.mock(process_payment).returns("mocked")
    mock.restore()

    assert env.run_until_complete(env.start(process_order, "o-1")).payment == "payment of 1 for o-1"


def test_mocked_child_returns_without_running(env: Env) -> None:
    env.mock(cancellable).returns("hello")

    assert env.run_until_complete(env.start(parent, "o-1")) == "child says hello"
    (call,) = env.calls_of(cancellable)
    assert (call.kind, call.arguments) == ("workflow", {"order_id": "o-1"})


def test_mocked_child_raises_and_times_out(env: Env) -> None:
    env.mock(cancellable).raises_once(OutOfStock(sku="sku-1")).times_out_once()

    assert env.run_until_complete(env.start(parent, "o-1")) == "out of sku-1"
    assert "child was late" in env.run_until_complete(env.start(parent, "o-2"))


def test_mocked_workflow_takes_as_long_as_its_own_timeout(env: Env) -> None:
    env.mock(wait_one_second).times_out()
    execution = env.start(wait_one_second.options(timeout_s=60), "o-1")
    env.tick(59)

    assert execution.status() == "running"
    env.tick(1)
    assert execution.status() == "timed_out"


def test_mock_that_is_to_raise_what_is_no_error_is_refused_where_it_is_given(env: Env) -> None:
    with pytest.raises(TypeError, match=r"<Mock of 'ship_order'> is to raise 'down', which is no error"):
        env.mock(ship_order).raises("down")  # type: ignore[arg-type]  # that is what is tested


def test_mock_of_a_workflow_may_be_a_workflow(env: Env) -> None:
    async def shipped_at_once(order_id: str) -> str:
        return await ship_order(order_id) + await wait_one_second("!")

    env.mock(cancellable).calls(shipped_at_once)

    assert env.run_until_complete(env.start(parent, "o-1")) == "child says tracking of o-1!"


def test_running_execution_keeps_the_mock_that_it_began_with(env: Env) -> None:
    execution = env.start(wait_one_second, "real")
    env.mock(wait_one_second).returns("mocked")
    env.tick()

    assert execution.result() == "real"
    assert env.start(wait_one_second, "real").result() == "mocked"


def test_recorded_calls_have_all_arguments_and_their_execution(env: Env) -> None:
    env.run_until_complete(env.start(process_order.options(id="mine"), "o-1"))

    (call,) = env.calls_of(process_payment)
    assert call.arguments == {"order_id": "o-1", "amount": 1}
    assert (call.kind, call.name, call.execution, call.attempt, call.at) == (
        "task",
        "process_payment",
        "mine",
        1,
        START,
    )


def test_workflow_is_recorded_once_however_often_it_is_replayed(env: Env) -> None:
    env.run_until_complete(env.start(process_order, "o-1"))

    assert len(env.calls_of(process_order)) == 1


def test_task_that_is_completed_later_waits_for_its_token(env: Env) -> None:
    tokens.clear()
    execution = env.start(ask, "why?")
    env.advance(timedelta(days=7))

    assert execution.status() == "running"
    assert [call.arguments for call in env.calls_of(ask_a_person)] == [{"question": "why?"}]
    with pytest.raises(ValueError, match="valid string"):
        env.complete_task(tokens[0], 42)
    with pytest.raises(ValueError, match="no task token"):
        env.complete_task("made up", "because")
    assert env.complete_task(tokens[0], "because")
    assert execution.result() == "because"
    assert not env.complete_task(tokens[0], "nobody waits any more")


def test_task_is_failed_by_its_token(env: Env) -> None:
    tokens.clear()
    execution = env.start(ask, "why?")

    assert env.fail_task(tokens[0], "nobody knows")
    with pytest.raises(WorkflowFailed, match="nobody knows"):
        execution.result()


def test_mock_may_leave_a_task_to_be_completed_later(env: Env) -> None:
    given: list[str] = []

    def later(order_id: str) -> str:
        given.append(task_token())
        return complete_later()

    env.mock(ship_order).calls(later)
    execution = env.start(process_order, "o-1")
    env.complete_task(given[0], "t-1")

    assert execution.result().tracking == "t-1"


def test_mock_of_what_the_service_does_not_have_is_refused(env: Env) -> None:
    @task
    async def stranger(a: int) -> int:
        return a

    @workflow
    async def other(a: int) -> int:
        return a

    with pytest.raises(LookupError, match="task 'stranger' is not part of service 'orders'"):
        env.mock(stranger)
    with pytest.raises(LookupError, match="workflow 'other' is not part of service 'orders'"):
        env.mock(other)


def test_unexpected_error_of_a_mock_reads_as_the_task_s(env: Env) -> None:
    def broken(order_id: str) -> str:
        raise KeyError(order_id)

    env.mock(ship_order).calls(broken)

    with pytest.raises(WorkflowFailed, match="KeyError: 'o-1'"):
        env.run_until_complete(env.start(process_order, "o-1"))


def test_two_environments_know_nothing_of_each_other() -> None:
    with TestEnvironment(Orders) as first, TestEnvironment(Orders) as second:
        first.mock(wait_one_second).returns("mocked")
        assert first.run_until_complete(first.start(wait_one_second, "a")) == "mocked"
        assert second.run_until_complete(second.start(wait_one_second, "a")) == "a"
        assert second.now - first.now == timedelta(seconds=1)
