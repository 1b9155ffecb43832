"""What the log says of attempts and executions that fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from service_kit import (
    NonDeterminismError,
    Retry,
    Service,
    ServiceError,
    TimedOut,
    WorkflowFailed,
    duration,
    task,
    workflow,
)
from service_kit.testing import TestEnvironment


class Refused(ServiceError, status=409):
    order: str


@task(retry=Retry(max_attempts=3, backoff_s=4, jitter=0))
async def charge(order: str) -> str:
    if order == "refused":
        raise Refused(order=order)
    raise ValueError("the bank is down")


@workflow
async def pay(order: str) -> str:
    return await charge(order)


@workflow(timeout_s=60)
async def wait() -> None:
    await duration(hours=1)


@workflow
async def wait_for_another() -> None:
    await wait()


class Payments(Service):
    pay = pay
    wait = wait
    wait_for_another = wait_for_another


@pytest.fixture
def env() -> Iterator[TestEnvironment[Payments]]:
    with TestEnvironment(Payments) as env:
        yield env


def _said(caplog: pytest.LogCaptureFixture) -> list[str]:
    records = [each for each in caplog.records if each.name == "service_kit.runtime"]
    assert {each.levelno for each in records} == {logging.WARNING}
    return [each.getMessage() for each in records]


def test_each_attempt_that_fails_is_told_and_the_end_with_where_it_was_raised(
    env: TestEnvironment[Payments], caplog: pytest.LogCaptureFixture
) -> None:
    run = env.start(pay.options(id="o-1"), "o-1")
    assert _said(caplog) == [
        "attempt 1 of task 'charge' of 'o-1' failed, and it is tried again in 4 s: ValueError: the bank is down"
    ]
    with pytest.raises(WorkflowFailed, match="the bank is down"):
        env.run_until_complete(run)
    _, second, last, end = _said(caplog)
    assert second.startswith("attempt 2 of task 'charge' of 'o-1' failed, and it is tried again in 8 s")
    assert last == "task 'charge' of 'o-1' failed in attempt 3, its last: ValueError: the bank is down"
    assert 'raise ValueError("the bank is down")' in caplog.text
    assert end.startswith(
        "execution 'o-1' of 'pay' failed: TaskFailed: task 'charge' failed: ValueError: the bank is down\nTraceback"
    )


def test_a_declared_error_is_an_answer_and_is_told_in_one_line(
    env: TestEnvironment[Payments], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Refused):
        env.run_until_complete(env.start(pay.options(id="o-2"), "refused"))
    assert "Traceback" not in caplog.text
    assert _said(caplog)[-1].startswith("execution 'o-2' of 'pay' failed: Refused: ")


def test_an_execution_that_takes_too_long_is_told(
    env: TestEnvironment[Payments], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TimedOut):
        env.run_until_complete(env.start(wait.options(id="w-1")))
    assert _said(caplog) == ["execution 'w-1' of 'wait' did not end within 60 s"]


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise KeyError("no such field")


def test_an_error_whose_message_cannot_be_made_is_told_and_counts_as_any_other(
    env: TestEnvironment[Payments], caplog: pytest.LogCaptureFixture
) -> None:
    env.mock(charge).raises(Unspeakable())
    with pytest.raises(WorkflowFailed, match="its message cannot be made: KeyError"):
        env.run_until_complete(env.start(pay, "o-1"))
    assert [call.attempt for call in env.calls_of(charge)] == [1, 2, 3]
    assert _said(caplog)[0].endswith("again in 4 s: Unspeakable: (its message cannot be made: KeyError)")


def test_a_child_that_took_too_long_is_named_to_its_parent(env: TestEnvironment[Payments]) -> None:
    with pytest.raises(TimedOut, match=r"^workflow 'wait' did not end within 60 s$"):
        env.run_until_complete(env.start(wait_for_another))


@workflow
async def read_a_file() -> None:
    Path("/nowhere").read_text()


class Reads(Service):
    read_a_file = read_a_file


def test_an_execution_that_is_paused_is_told_with_what_resumes_it(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(NonDeterminismError), TestEnvironment(Reads) as env:
        env.start(read_a_file.options(id="o 1"))
    (record,) = (each for each in caplog.records if each.levelno == logging.ERROR)
    assert record.getMessage().startswith("execution 'o 1' is paused: it cannot go on")
    assert record.getMessage().endswith("service-kit executions resume 'o 1'")
