"""The order pipeline over minutes, days and years, in virtual time."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from plugins.orders.batches import send_invoices
from plugins.orders.choreography import OrderCreated, OrderShipped, PaymentProcessed, ship_order_after_payment
from plugins.orders.doubles import FakeMail
from plugins.orders.model import CardDeclined, Item, Order, OrderCancelled, Progress
from plugins.orders.orchestration import (
    approved,
    mark_cancelled,
    process_order,
    process_payment,
    progress,
    refund_payment,
    ship_order,
)
from plugins.orders.reminders import remind_daily, send_reminder
from plugins.orders.service import Orders, orders_of
from service_kit import WorkflowFailed
from service_kit.testing import TestEnvironment
from tests.plugins.orders_bench import World, asked, world_in

LAMP = Order(id="o-1", sku="lamp", total_cents=4_900)
SOFAS = Order(id="o-1", sku="sofa", quantity=2, total_cents=178_000)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return world_in(tmp_path)


@pytest.fixture
def env(world: World) -> Iterator[TestEnvironment[Orders]]:
    with TestEnvironment(orders_of(world.shop)) as env:
        yield env


def test_ship_order_is_not_called_if_process_payment_raises(env: TestEnvironment[Orders]) -> None:
    env.mock(mark_cancelled).returns(None)
    env.mock(process_payment).raises(RuntimeError("failed to process payment"))

    execution = env.start(process_order, LAMP)
    env.advance(timedelta(minutes=1))

    assert execution.status() == "failed"
    with pytest.raises(WorkflowFailed, match="failed to process payment"):
        execution.result()
    assert env.calls_of(ship_order) == []
    assert len(env.calls_of(process_payment)) == 5, "it is tried so often"
    assert len(env.calls_of(refund_payment)) == 1, "who knows what its attempts have done"


def test_what_the_bank_refuses_for_good_is_asked_once(env: TestEnvironment[Orders]) -> None:
    env.mock(mark_cancelled).returns(None)
    env.mock(process_payment).raises(CardDeclined(order_id="o-1"))

    execution = env.start(process_order, LAMP)

    with pytest.raises(CardDeclined):
        execution.result()
    assert len(env.calls_of(process_payment)) == 1


def test_a_bank_that_is_away_for_seven_seconds_stops_nothing(
    env: TestEnvironment[Orders], world: World
) -> None:
    env.run(world.payments.script.plan("unreachable", "unreachable", "unreachable", "unreachable"))
    order = env.run(env.client.place_order("lamp"))

    env.run_until_complete(env.get(process_order, order.id))

    assert env.run(world.payments.charged()) == {order.id: 4_900}
    assert env.run(asked(world.payments.script)) == [f"charge {order.id}"] * 5


def test_an_order_that_nobody_approves_is_called_off_after_three_days(
    env: TestEnvironment[Orders], world: World
) -> None:
    order = env.run(env.client.place_order("sofa", 2))
    execution = env.get(process_order, order.id)

    env.advance(timedelta(days=2, hours=23))
    assert execution.status() == "running"
    assert execution.state(progress) == Progress(step="awaiting approval")

    env.advance(timedelta(hours=1))
    with pytest.raises(OrderCancelled, match="nobody approved it in time"):
        execution.result()
    assert env.run(env.client.get_order(order.id)).status == "cancelled"
    assert {article.sku: article.left for article in env.run(env.client.list_articles())}["sofa"] == 3
    assert env.run(asked(world.payments.script)) == []


def test_an_order_that_is_approved_at_the_last_moment_goes_on(env: TestEnvironment[Orders]) -> None:
    order = env.run(env.client.place_order("sofa", 2))
    execution = env.get(process_order, order.id)
    env.advance(timedelta(days=2, hours=23, minutes=59))

    execution.signal(approved, "ann")

    assert env.run_until_complete(execution).approved_by == "ann"


def test_a_customer_has_five_minutes_to_change_his_mind(env: TestEnvironment[Orders], world: World) -> None:
    order = env.run(env.client.place_order("lamp"))
    env.tick(299)
    assert env.run(world.shipping.parcels()) == {}
    env.tick(1)
    assert env.run(world.shipping.parcels()) == {order.id: f"track-{order.id}"}


def test_a_reminder_is_sent_every_day_until_it_is_cancelled(
    env: TestEnvironment[Orders], world: World
) -> None:
    execution = env.start(remind_daily, "ann@example.com")

    env.advance(timedelta(hours=23, minutes=59))
    assert env.run(world.mail.sent()) == []
    env.advance(timedelta(minutes=1))
    assert env.run(world.mail.sent()) == ["ann@example.com: You have goods in your basket"]

    env.advance(timedelta(days=364))
    assert len(env.run(world.mail.sent())) == 365
    moments = [call.at for call in env.calls_of(send_reminder)]
    assert {later - earlier for earlier, later in itertools.pairwise(moments)} == {timedelta(days=1)}
    assert execution.describe().run == 12, "the history begins anew each month"
    assert len(execution.history()) < 100

    execution.cancel("she asked us to")
    env.advance(timedelta(days=30))
    assert execution.status() == "cancelled"
    assert len(env.run(world.mail.sent())) == 365


def test_a_reminder_whose_answer_is_lost_is_sent_once(env: TestEnvironment[Orders], world: World) -> None:
    env.run(world.mail.script.plan("answer lost", "answer lost"))
    env.start(remind_daily, "ann@example.com")
    env.advance(timedelta(days=2, minutes=1))
    assert len(env.run(world.mail.sent())) == 2
    assert len(env.run(asked(world.mail.script))) == 4


class SilentMail(FakeMail):
    """A mail server that falls silent once, after the first mail."""

    silent = False

    async def send(self, key: str, to: str, text: str) -> None:
        if not self.silent and await self.sent():
            self.silent = True
            await asyncio.Event().wait()
        await super().send(key, to, text)


def test_invoices_go_on_where_an_attempt_fell_silent(tmp_path: Path) -> None:
    world = world_in(tmp_path, SilentMail())
    with TestEnvironment(orders_of(world.shop)) as env:
        placed = env.run(env.client.place_orders([Item(sku="lamp", grace_s=0)] * 3))
        env.advance(timedelta(minutes=1))

        first, second = env.calls_of(send_invoices)
        assert second.at - first.at >= timedelta(seconds=30), "its silence is noticed"
        sent = [f"send invoice-{order.id}" for order in placed]
        assert env.run(asked(world.mail.script)) == sent, "the first invoice is not sent again"
        assert len(env.run(world.mail.sent())) == 3


def test_choreography_hands_an_order_on_from_event_to_event(env: TestEnvironment[Orders]) -> None:
    order = env.run(env.client.place_order("lamp", pipeline="choreography"))

    assert env.events_of(OrderCreated, PaymentProcessed, OrderShipped) == [
        OrderCreated(order_id=order.id),
        PaymentProcessed(order_id=order.id, payment_id=f"pay-{order.id}"),
        OrderShipped(order_id=order.id, tracking_id=f"track-{order.id}"),
    ]
    assert env.run(env.client.get_order(order.id)).status == "shipped"


def test_a_handler_that_always_raises_ends_in_dead_letters_until_it_is_mended(
    env: TestEnvironment[Orders], world: World
) -> None:
    env.run(
        world.shipping.script.plan("unreachable", "unreachable", "unreachable", "unreachable", "unreachable")
    )
    order = env.run(env.client.place_order("lamp", pipeline="choreography"))
    env.advance(timedelta(minutes=1))

    (letter,) = env.dead_letters()
    assert (letter.subscription, letter.attempts) == ("ship_order_after_payment", 5)
    assert "ConnectionError: no answer" in letter.traceback
    assert "in ship_order_after_payment" in letter.traceback
    assert env.run(env.client.get_order(order.id)).status == "placed"

    assert env.redrive(ship_order_after_payment) == 1
    assert env.run(env.client.get_order(order.id)).status == "shipped"
    assert env.dead_letters() == []
