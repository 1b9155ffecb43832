"""The tests of the framework that this one re-creates, as a user writes them here."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service_kit import TaskFailed, WorkflowFailed
from service_kit.testing import TestEnvironment
from tests.testing.orders import (
    Orders,
    OrderShipped,
    Shipment,
    process_order,
    process_payment,
    remind_daily,
    send_reminder,
    ship_order,
    wait_one_second,
)

Env = TestEnvironment[Orders]


def test_ship_order_should_not_be_called_if_process_payment_throws(env: Env) -> None:
    env.mock(process_payment).raises(RuntimeError("failed to process payment"))

    execution = env.start(process_order, "order-1")
    env.tick(60)  # the payment is tried three times

    assert execution.status() == "failed"
    assert env.calls_of(ship_order) == []
    with pytest.raises(WorkflowFailed, match="failed to process payment"):
        execution.result()


def test_workflow_should_wait_one_second_before_completing(env: Env) -> None:
    execution = env.start(wait_one_second, "input")

    assert execution.status() == "running"
    env.tick()
    assert execution.status() == "succeeded"
    assert execution.result() == "input"


def test_order_is_paid_then_shipped_then_announced(env: Env) -> None:
    shipment = env.run_until_complete(env.start(process_order, "order-1"))

    assert shipment == Shipment(
        order_id="order-1", payment="payment of 1 for order-1", tracking="tracking of order-1"
    )
    assert [call.name for call in (*env.calls_of(process_payment), *env.calls_of(ship_order))] == [
        "process_payment",
        "ship_order",
    ]
    assert env.events_of(OrderShipped) == [OrderShipped(order_id="order-1")]


def test_reminder_is_sent_every_day_for_a_year(env: Env) -> None:
    execution = env.start(remind_daily, "sam@example.com", 365)

    env.advance(timedelta(days=100, hours=1))
    assert len(env.calls_of(send_reminder)) == 100
    assert env.run_until_complete(execution) == 365

    days = [(call.at - env.calls_of(send_reminder)[0].at).days for call in env.calls_of(send_reminder)]
    assert days == list(range(365))


def test_failing_task_is_the_workflow_s_to_handle(env: Env) -> None:
    async def process(order_id: str) -> Shipment:
        try:
            await process_payment(order_id)
        except TaskFailed as error:
            return Shipment(order_id=order_id, cancelled=error.message)
        return Shipment(order_id=order_id)

    env.mock(process_payment).raises(RuntimeError("no money"))
    env.mock(process_order).calls(process)

    assert env.run_until_complete(env.start(process_order, "order-1")).cancelled == "no money"
