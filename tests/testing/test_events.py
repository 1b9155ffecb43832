"""Events, subscriptions and dead letters in an environment."""

from __future__ import annotations

from datetime import timedelta

from service_kit.testing import TestEnvironment
from service_kit.testing.environment import START
from tests.testing.orders import (
    OrderPlaced,
    Orders,
    OrderShipped,
    audit,
    process_order,
    thank,
    wait_one_second,
)

Env = TestEnvironment[Orders]


def test_emitted_event_reaches_its_subscription(env: Env) -> None:
    env.emit(OrderShipped(order_id="o-1"))

    assert env.run_until_complete(env.get(wait_one_second, "thank-o-1")) == "o-1"


def test_event_of_a_workflow_starts_the_next_one(env: Env) -> None:
    env.run_until_complete(env.start(process_order, "o-1"))

    assert env.get(wait_one_second, "thank-o-1").status() == "running"


def test_events_are_recorded_in_order_wanted_or_not(env: Env) -> None:
    env.emit(OrderPlaced(order_id="o-1"), OrderShipped(order_id="o-1"))
    env.emit(OrderPlaced(order_id="o-2"))

    assert [event.order_id for event in env.events_of(OrderPlaced)] == ["o-1", "o-2"]
    assert [type(event).__name__ for event in env.events_of(OrderPlaced, OrderShipped)] == [
        "OrderPlaced",
        "OrderShipped",
        "OrderPlaced",
    ]


def test_failing_handler_is_retried_in_virtual_time_and_then_a_dead_letter(env: Env) -> None:
    env.emit(OrderPlaced(order_id="o-1", amount=1_000))
    env.advance(timedelta(seconds=179))
    assert env.dead_letters() == []

    env.tick()

    (letter,) = env.dead_letters(audit)
    assert (letter.event, letter.subscription, letter.attempts) == ("OrderPlaced", "audit", 3)
    assert letter.died_at_s == (START + timedelta(minutes=3)).timestamp()
    assert letter.message == "o-1 is too dear"
    assert env.dead_letters(thank) == []


def test_redriven_dead_letter_is_delivered_again(env: Env) -> None:
    env.emit(OrderPlaced(order_id="o-1", amount=1_000))
    env.advance(timedelta(hours=1))

    assert env.redrive(audit) == 1
    assert env.dead_letters() == []
    env.advance(timedelta(hours=1))
    assert len(env.dead_letters()) == 1


def test_event_that_does_not_match_is_nobody_s(env: Env) -> None:
    env.emit(OrderPlaced(order_id="o-1", amount=1))
    env.advance(timedelta(hours=1))

    assert env.dead_letters() == []
