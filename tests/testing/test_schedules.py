"""Schedules in a test environment: time that passes runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from service_kit import ExecutionNotFound, Service, Signal, task, workflow
from service_kit.contract.schedule import Overlap
from service_kit.testing import TestEnvironment
from service_kit.testing.environment import START
from service_kit.testing.waiting import NeverEnds

go_on = Signal("go_on", str)


@task
async def send(text: str) -> None: ...


@workflow(cron="0 9 * * *", timezone="Europe/Berlin")
async def remind(at: datetime) -> None:
    await send(f"{at:%d.%m. %H:%M}")


@workflow
async def wait() -> str:
    return await go_on.receive()


class Reminders(Service):
    remind = remind
    wait = wait


@pytest.fixture
def env() -> Iterator[TestEnvironment[Reminders]]:
    with TestEnvironment(Reminders) as opened:
        yield opened


def test_three_days_are_three_runs(env: TestEnvironment[Reminders]) -> None:
    env.advance(timedelta(days=3))
    assert [call.arguments["text"] for call in env.calls_of(send)] == [
        "01.01. 09:00",
        "02.01. 09:00",
        "03.01. 09:00",
    ]
    assert [call.execution for call in env.calls_of(remind)] == [
        "remind@2025-01-01T08:00:00Z",
        "remind@2025-01-02T08:00:00Z",
        "remind@2025-01-03T08:00:00Z",
    ]
    assert env.get(remind, "remind@2025-01-02T08:00:00Z").describe().parent == "schedule:remind"


def test_a_run_is_an_execution_like_any_other(env: TestEnvironment[Reminders]) -> None:
    env.mock(send).raises(ValueError("no mail"))
    env.advance(timedelta(days=2))
    assert [call.attempt for call in env.calls_of(send)] == [1, 2, 3, 1, 2, 3]
    assert env.get(remind, "remind@2025-01-01T08:00:00Z").status() == "failed"


def test_days_of_23_and_25_hours_have_one_run_each() -> None:
    with TestEnvironment(Reminders, start=datetime(2025, 3, 29, tzinfo=UTC)) as env:
        env.advance(timedelta(days=3))
        assert [call.at.hour for call in env.calls_of(remind)] == [8, 7, 7]
        env.advance_to(datetime(2025, 10, 28, tzinfo=UTC))
        assert [call.at.hour for call in env.calls_of(remind)][-3:] == [7, 8, 8]
        assert len({call.arguments["at"] for call in env.calls_of(remind)}) == 213


def hourly(overlap: Overlap, *, fails: bool = False) -> list[float]:
    """Return the hours at which runs of two and a half hours began, of the first nine."""

    @workflow(cron="0 * * * *", overlap=overlap)
    async def work() -> None:
        if fails:
            raise ValueError("no")
        await asyncio.sleep(2.5 * 3600)

    class Hourly(Service):
        pass

    with TestEnvironment(Hourly) as env:
        env.advance(timedelta(hours=9))
        return [(call.at - START).total_seconds() / 3600 for call in env.calls_of(work)]


def test_a_time_that_comes_during_a_run_is_left_out() -> None:
    assert hourly("skip") == [1, 4, 7]


def test_or_one_of_them_waits_for_the_end_of_the_run() -> None:
    assert hourly("buffer_one") == [1, 3.5, 6, 8.5]


def test_or_runs_go_on_side_by_side() -> None:
    assert hourly("allow") == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_run_that_fails_keeps_no_other_one_from_running() -> None:
    assert hourly("skip", fails=True) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_what_waits_for_what_never_comes_is_told_although_schedules_go_on(
    env: TestEnvironment[Reminders],
) -> None:
    waiting = env.start(wait)
    with pytest.raises(NeverEnds, match="nothing but schedules goes on") as caught:
        env.run_until_complete(waiting)
    assert "go_on.receive()" in str(caught.value) or "test_schedules.py" in str(caught.value)
    assert "schedule:remind" not in str(caught.value)
    env.signal(waiting, go_on, "now")
    assert env.run_until_complete(waiting) == "now"


def test_a_reset_begins_the_schedule_anew(env: TestEnvironment[Reminders]) -> None:
    env.advance(timedelta(days=1))
    env.reset()
    with pytest.raises(ExecutionNotFound):
        env.get(remind, "remind@2025-01-01T08:00:00Z")
    env.advance(timedelta(days=1))
    assert len(env.calls_of(remind)) == 1
