"""The examples of the framework that this one re-creates, each with the test that its page promises."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service_kit import (
    Event,
    Retry,
    Service,
    Signal,
    TaskFailed,
    condition,
    duration,
    heartbeat,
    subscription,
    task,
    workflow,
)
from service_kit.testing import EnvironmentFactory, TestEnvironment

order_cancelled = Signal("order_cancelled", str)
email_changed = Signal("email_changed", str)


class OrderCreated(Event):
    order_id: str


class PaymentProcessed(Event):
    order_id: str


class OrderShipped(Event):
    order_id: str


@subscription(OrderCreated)
async def when_created_pay(event: OrderCreated) -> None:
    await PaymentProcessed(order_id=event.order_id).emit()


@subscription(PaymentProcessed)
async def when_paid_ship(event: PaymentProcessed) -> None:
    await OrderShipped(order_id=event.order_id).emit()


@task
async def send_email(address: str) -> None: ...


@task
async def price_of(sku: str) -> int:
    return len(sku)


@task(heartbeat_timeout_s=30, retry=Retry(max_attempts=1))
async def read_user(user_id: str, pause_s: int) -> str:
    for _ in range(3):
        heartbeat()
        await asyncio.sleep(pause_s)
    return f"user {user_id}"


@workflow
async def email_daily(address: str) -> None:
    def move(new_address: str) -> None:
        nonlocal address
        address = new_address

    email_changed.on(move)
    while True:
        await duration(days=1)
        await send_email(address)


@workflow
async def total(left: str, right: str) -> int:
    return sum(await asyncio.gather(price_of(left), price_of(right)))


@workflow
async def grace(order_id: str) -> str:
    """Give the customer five minutes."""
    try:
        async with asyncio.timeout(5 * 60):
            return f"cancelled: {await order_cancelled.receive()}"
    except TimeoutError:
        return f"{order_id} goes on"


@workflow
async def quorum(needed: int) -> str:
    voices: list[str] = []
    order_cancelled.on(voices.append)
    try:
        await condition(lambda: len(voices) >= needed, timeout_s=3600)
    except TimeoutError:
        return f"only {len(voices)}"
    return " and ".join(voices)


@workflow
async def both(order_id: str) -> list[str]:
    """Begin two children, and wait for them."""
    return list(await asyncio.gather(grace(f"{order_id}-a"), grace.options(id="second")(f"{order_id}-b")))


@workflow
async def find_user(pause_s: int) -> str:
    try:
        return await read_user("7", pause_s)
    except TimeoutError:
        return "the user's page is silent"
    except TaskFailed as error:
        return error.message


class Examples(Service):
    email_daily = email_daily
    total = total
    grace = grace
    quorum = quorum
    both = both
    find_user = find_user


Env = TestEnvironment[Examples]


@pytest.fixture
def env(service_env: EnvironmentFactory) -> Env:
    return service_env(Examples)


def test_choreography_hands_an_order_on_from_event_to_event(env: Env) -> None:
    env.emit(OrderCreated(order_id="o-1"))

    assert env.events_of(PaymentProcessed) == [PaymentProcessed(order_id="o-1")]
    assert env.events_of(OrderShipped) == [OrderShipped(order_id="o-1")]


def test_an_email_is_sent_every_day_to_the_address_of_that_day(env: Env) -> None:
    execution = env.start(email_daily, "sam@example.com")
    env.advance(timedelta(days=2))
    execution.signal(email_changed, "sam@example.org")
    env.advance(timedelta(days=363))

    addresses = [call.arguments["address"] for call in env.calls_of(send_email)]
    assert addresses == ["sam@example.com"] * 2 + ["sam@example.org"] * 363
    assert execution.status() == "running"


def test_tasks_run_in_parallel_and_all_of_them_are_waited_for(env: Env) -> None:
    env.mock(price_of).returns(20)

    assert env.run_until_complete(env.start(total, "lamp", "chair")) == 40


def test_the_customer_wins_the_race_against_five_minutes(env: Env) -> None:
    quick, slow = env.start(grace, "quick"), env.start(grace, "slow")
    env.tick(5 * 60 - 1)
    quick.signal(order_cancelled, "too dear")

    assert quick.result() == "cancelled: too dear"
    assert slow.status() == "running"
    env.tick()
    assert slow.result() == "slow goes on"


def test_a_workflow_waits_until_its_condition_holds_or_its_time_is_over(env: Env) -> None:
    heard, unheard = env.start(quorum, 2), env.start(quorum, 2)
    for voice in ("ann", "bob"):
        assert heard.status() == "running"
        heard.signal(order_cancelled, voice)
    unheard.signal(order_cancelled, "eve")
    env.advance(timedelta(hours=1))

    assert heard.result() == "ann and bob"
    assert unheard.result() == "only 1"


def test_a_parent_waits_for_its_children(env: Env) -> None:
    family = env.start(both, "o-1")
    env.get(grace, "second").signal(order_cancelled, "enough")

    assert env.run_until_complete(family) == ["o-1-a goes on", "cancelled: enough"]


@pytest.mark.parametrize(("pause_s", "result"), [(29, "user 7"), (40, "the user's page is silent")])
def test_a_task_has_to_give_a_heartbeat_every_30_seconds(env: Env, pause_s: int, result: str) -> None:
    assert env.run_until_complete(env.start(find_user, pause_s)) == result
