"""Deliveries to subscriptions in an environment: recorded as calls of tasks are, and open to mocks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from service_kit import (
    Event,
    Retry,
    Service,
    Signal,
    duration,
    subscription,
    task,
    workflow,
)
from service_kit.testing import TestEnvironment
from service_kit.testing.environment import START

handled: list[str] = []
stopped = Signal("stopped", str)


class Opened(Event):
    account: str


class Closed(Event):
    account: str
    reason: str = "none"


class Forgotten(Event):
    account: str


@subscription(Opened | Closed, retry=Retry(max_attempts=2, backoff_s=60))
async def keep_books(event: Opened | Closed) -> str:
    handled.append(event.account)
    if isinstance(event, Closed) and event.reason == "fraud":
        raise PermissionError(event.account)
    return f"booked {event.account}"


@subscription(Closed, match={"reason": ["moved"]}, timeout_s=10, retry=Retry(max_attempts=1))
async def say_goodbye(event: Closed) -> None:
    await duration(seconds=5 if event.account != "slow" else 11)


@task
async def check(account: str) -> str:
    if account == "bad":
        raise LookupError(account)
    return f"{account} is fine"


@task(timeout_s=10, retry=Retry(max_attempts=1))
async def hang(account: str) -> str:
    await duration(hours=1)
    return account


@workflow
async def open_account(account: str) -> str:
    answer = await check(account)
    await Opened(account=account).emit()
    return answer


@workflow
async def wait(account: str) -> str:
    return await stopped.receive()


@workflow
async def wait_for_both(account: str) -> str:
    try:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(stopped.receive())
            group.create_task(stopped.receive())
    except BaseException as error:
        raise RuntimeError(account) from error
    return first.result()


@workflow
async def hang_up(account: str) -> str:
    return await hang(account)


class Accounts(Service):
    open_account = open_account
    hang_up = hang_up
    wait = wait


Env = TestEnvironment[Accounts]


@pytest.fixture
def env() -> Iterator[Env]:
    handled.clear()
    with TestEnvironment(Accounts) as env:
        yield env


def test_each_delivery_is_recorded_with_its_event_and_what_it_returned(env: Env) -> None:
    env.emit(Opened(account="a-1"), Closed(account="a-1"))

    opened, closed = env.calls_of(keep_books)
    assert (opened.kind, opened.name, opened.attempt, opened.at) == ("subscription", "keep_books", 1, START)
    assert (opened.event, closed.event) == (Opened(account="a-1"), Closed(account="a-1"))
    assert (opened.ended, opened.returned, opened.raised) == (True, "booked a-1", None)
    assert opened.event_id != closed.event_id


def test_each_attempt_is_recorded_with_what_it_raised(env: Env) -> None:
    env.emit(Closed(account="a-1", reason="fraud"))
    env.advance(timedelta(hours=1))

    first, second = env.calls_of(keep_books)
    assert [(call.attempt, call.at - START) for call in (first, second)] == [
        (1, timedelta(0)),
        (2, timedelta(minutes=1)),
    ]
    assert repr(first.raised) == repr(second.raised) == "PermissionError('a-1')"
    assert first.event_id == second.event_id
    assert len(env.dead_letters(keep_books)) == 1


def test_equal_events_are_told_apart_by_their_ids(env: Env) -> None:
    env.emit(Opened(account="a-1"), Opened(account="a-1"))

    one, other = env.calls_of(keep_books)
    assert one.event == other.event
    assert one.event_id != other.event_id


def test_subscriptions_of_one_event_have_its_id_in_common(env: Env) -> None:
    env.emit(Closed(account="a-1", reason="moved"))

    (booked,), (said,) = env.calls_of(keep_books), env.calls_of(say_goodbye)
    assert booked.event_id == said.event_id


def test_subscription_is_not_called_with_what_does_not_match_or_is_not_its_event(env: Env) -> None:
    env.emit(Closed(account="a-1"), Forgotten(account="a-1"))

    assert env.calls_of(say_goodbye) == []
    assert [call.event for call in env.calls_of(keep_books)] == [Closed(account="a-1")]


def test_delivery_that_is_running_has_not_ended_yet(env: Env) -> None:
    env.emit(Closed(account="a-1", reason="moved"))
    assert [call.ended for call in env.calls_of(say_goodbye)] == [False]

    env.tick(5)
    assert [(call.ended, call.raised) for call in env.calls_of(say_goodbye)] == [(True, None)]


def test_delivery_that_was_cut_off_says_so(env: Env) -> None:
    env.emit(Closed(account="slow", reason="moved"))
    env.tick(10)

    (call,) = env.calls_of(say_goodbye)
    assert isinstance(call.raised, asyncio.CancelledError)
    assert env.dead_letters(say_goodbye)[0].error.endswith("TimedOut")


def test_redriven_event_is_a_delivery_of_its_own(env: Env) -> None:
    env.mock(keep_books).raises_once(OSError).raises_once(OSError)
    env.emit(Opened(account="a-1"))
    env.advance(timedelta(hours=1))

    assert env.redrive(keep_books) == 1
    env.tick()

    assert [(call.attempt, call.returned) for call in env.calls_of(keep_books)] == [
        (1, None),
        (2, None),
        (1, "booked a-1"),
    ]


def test_reset_forgets_deliveries_and_mocks_of_subscriptions(env: Env) -> None:
    env.mock(keep_books).returns("mocked")
    env.emit(Opened(account="a-1"))
    assert len(env.calls_of(keep_books)) == 1

    env.reset()

    assert env.calls_of(keep_books) == []
    env.emit(Opened(account="a-1"))
    assert [call.returned for call in env.calls_of(keep_books)] == ["booked a-1"]


def test_mocked_subscription_is_recorded_and_does_not_run(env: Env) -> None:
    env.mock(keep_books).returns(None)
    env.emit(Opened(account="a-1"))

    assert handled == []
    assert [call.event for call in env.calls_of(keep_books)] == [Opened(account="a-1")]


def test_mocked_subscription_that_raises_once_is_retried(env: Env) -> None:
    env.mock(keep_books).raises_once(ConnectionError("down"))
    env.emit(Opened(account="a-1"))
    env.advance(timedelta(minutes=1))

    assert [type(call.raised) for call in env.calls_of(keep_books)] == [ConnectionError, type(None)]
    assert handled == ["a-1"]


def test_mocked_subscription_calls_another_function_with_the_event(env: Env) -> None:
    seen: list[Opened | Closed] = []
    env.mock(keep_books).calls(seen.append)
    env.emit(Opened(account="a-1"))

    assert seen == [Opened(account="a-1")]


def test_mocked_subscription_times_out_after_its_own_time(env: Env) -> None:
    env.mock(say_goodbye).times_out()
    env.emit(Closed(account="a-1", reason="moved"))
    env.tick(9)
    assert env.dead_letters() == []

    env.tick()
    assert env.dead_letters(say_goodbye)[0].message == "subscription 'say_goodbye' did not end within 10 s"


def test_calls_of_tasks_and_workflows_say_how_they_ended_too(env: Env) -> None:
    env.mock(check).raises_once(ConnectionError)
    env.run_until_complete(env.start(open_account, "a-1"))

    first, second = env.calls_of(check)
    assert (type(first.raised), second.raised, second.returned) == (ConnectionError, None, "a-1 is fine")
    (run,) = env.calls_of(open_account)
    assert (run.ended, run.returned) == (True, "a-1 is fine")


def test_calls_that_failed_or_go_on_say_so(env: Env) -> None:
    env.start(open_account, "bad")
    env.start(hang_up, "a-1")
    waiting = env.start(wait, "a-2")
    (goes_on,) = env.calls_of(wait)
    env.advance(timedelta(hours=1))

    assert [type(call.raised) for call in env.calls_of(check)] == [LookupError] * 3
    (cut_off,) = env.calls_of(hang)
    assert isinstance(cut_off.raised, asyncio.CancelledError)
    assert not goes_on.ended
    waiting.cancel()
    (cancelled,) = env.calls_of(wait)
    assert isinstance(cancelled.raised, asyncio.CancelledError)


def test_workflow_that_leaves_memory_has_not_ended_whatever_its_cleanup_raises(env: Env) -> None:
    run = env.start(wait_for_both, "a-1")
    env.signal(run, stopped, "one")
    assert [(call.ended, call.raised) for call in env.calls_of(wait_for_both)] == [(False, None)]

    env.signal(run, stopped, "two")
    assert [(call.ended, call.returned) for call in env.calls_of(wait_for_both)] == [(True, "one")]


def test_terminated_workflow_has_neither_returned_nor_raised(env: Env) -> None:
    env.start(wait, "a-1").terminate()

    assert [(call.ended, call.raised) for call in env.calls_of(wait)] == [(False, None)]
