"""Virtual time: what makes it pass, how far, and who follows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service_kit.testing import EnvironmentFactory, NeverEnds, TestEnvironment
from service_kit.testing.environment import START
from tests.testing.orders import (
    Orders,
    approve,
    approved,
    count_sheep,
    count_stock,
    label,
    process_order,
    process_payment,
    remind_daily,
    take_stock,
    wait_one_second,
)

Env = TestEnvironment[Orders]


def test_environment_begins_at_a_fixed_moment_or_where_it_is_told_to(
    env: Env, service_env: EnvironmentFactory
) -> None:
    new_year = datetime(2031, 1, 1, tzinfo=UTC)

    assert env.now == datetime(2025, 1, 1, tzinfo=UTC)
    assert service_env(Orders, start=new_year).now == new_year
    with pytest.raises(ValueError, match="has no time zone"):
        TestEnvironment(Orders, start=datetime(2031, 1, 1))  # noqa: DTZ001 - what this test is about
    with pytest.raises(ValueError, match="has no time zone"):
        env.advance_to(datetime(2031, 1, 1))  # noqa: DTZ001 - what this test is about


def test_time_passes_only_when_it_is_told_to(env: Env) -> None:
    execution = env.start(wait_one_second, "a")

    env.tick(0.5)
    assert (execution.status(), env.now - START) == ("running", timedelta(seconds=0.5))
    env.advance(timedelta(seconds=0.5))
    assert (execution.status(), env.now - START) == ("succeeded", timedelta(seconds=1))
    env.advance_to(START + timedelta(hours=1))
    assert env.now - START == timedelta(hours=1)


def test_time_does_not_run_backwards(env: Env) -> None:
    with pytest.raises(ValueError, match="does not run backwards"):
        env.advance(timedelta(seconds=-1))
    with pytest.raises(ValueError, match="does not run backwards"):
        env.advance_to(START - timedelta(days=1))


def test_waiting_for_the_end_stops_the_clock_at_the_end(env: Env) -> None:
    env.run_until_complete(env.start(wait_one_second, "a"))

    assert env.now - START == timedelta(seconds=1)


def test_execution_that_starts_later_begins_at_its_moment(env: Env) -> None:
    execution = env.start(process_order.options(start_delay_s=3600), "o-1")
    env.advance(timedelta(minutes=59))
    assert env.calls_of(process_payment) == []

    env.run_until_complete(execution)
    assert env.calls_of(process_payment)[0].at - START == timedelta(hours=1)


def test_execution_that_is_ended_before_its_moment_never_begins(env: Env) -> None:
    execution = env.start(process_order.options(start_delay_s=3600), "o-1")
    execution.cancel()
    assert execution.status() == "cancelled"

    env.advance(timedelta(hours=2))
    assert env.calls_of(process_payment) == []


def test_execution_times_out_in_virtual_time(env: Env) -> None:
    execution = env.start(approve.options(timeout_s=7200), "o-1")

    with pytest.raises(TimeoutError):
        env.run_until_complete(execution)
    assert (execution.status(), env.now - START) == ("timed_out", timedelta(hours=2))


def test_timeout_spans_all_runs_of_an_execution(env: Env) -> None:
    # Each run lasts four hours; the third would end after twelve.
    execution = env.start(count_sheep.options(timeout_s=9 * 3600), 10)

    with pytest.raises(TimeoutError, match="32400 s"):
        env.run_until_complete(execution)
    assert (execution.status(), env.now - START) == ("timed_out", timedelta(hours=9))
    assert execution.describe().run == 2


def test_heartbeats_and_their_timeout_follow_virtual_time(env: Env) -> None:
    # The fourth page takes 40 s, which is more than the 30 s between two heartbeats. The next attempt goes on with
    # the fourth page, and is too late again.
    with pytest.raises(TimeoutError, match="no heartbeat for 30 s"):
        env.run_until_complete(env.start(take_stock, 5))

    first, second = env.calls_of(count_stock)
    assert timedelta(seconds=3 * 20 + 30 + 5) <= second.at - first.at < timedelta(seconds=3 * 20 + 40 + 5)
    assert timedelta(seconds=30) <= env.now - second.at < timedelta(seconds=40)
    assert env.run_until_complete(env.start(take_stock, 3)) == 3


def test_sync_task_runs_without_time_passing(env: Env) -> None:
    assert env.run_until_complete(env.start(label, "o-1")) == "label of o-1"
    assert env.now == START


def test_endless_execution_is_given_up_after_a_while(env: Env) -> None:
    execution = env.start(remind_daily, "sam@example.com", 1_000)

    with pytest.raises(
        NeverEnds, match=r"it goes on after 30 days.*\n.*waits at .*orders.py:\d+ in remind_daily"
    ):
        env.run_until_complete(execution, within=timedelta(days=30))


def test_execution_that_waits_for_ever_says_where(env: Env) -> None:
    execution = env.start(approve, "o-1")
    env.signal(execution, approved, True)
    assert env.run_until_complete(execution) == "approved"

    with pytest.raises(NeverEnds, match="has not ended yet"):
        env.start(approve, "o-2").result()
