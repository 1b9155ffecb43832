"""What workflow and task code may write: dates, timeouts that move, first exceptions, handlers that stop, messages."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from service_kit import (
    Event,
    Retry,
    Service,
    Signal,
    WorkflowFailed,
    condition,
    duration,
    subscription,
    task,
    until,
    workflow,
)
from service_kit.testing import EnvironmentFactory, TestEnvironment
from service_kit.testing.environment import START

word = Signal("word", str)
received: list[str] = []
attempts: list[int] = []


class Spoken(Event):
    text: str


@subscription(Spoken)
async def receive(event: Spoken) -> None:
    received.append(event.text)


@workflow
async def wait_until(moment: datetime) -> datetime:
    await until(moment)
    return workflow.now()


@workflow
async def wait_until_noon_somewhere() -> None:
    await until(datetime(2025, 1, 1, 12))  # noqa: DTZ001 - what the test is about


@workflow
async def move_the_timeout(to_s: float) -> str:
    """Move a timeout of ten seconds, after four, to so many seconds from then; wait for fifty."""
    try:
        async with asyncio.timeout(10) as limit:
            await duration(seconds=4)
            limit.reschedule(asyncio.get_running_loop().time() + to_s)
            await duration(seconds=50)
    except TimeoutError:
        return "late"
    return "in time"


@workflow
async def wait_for_the_first_exception(fails_after_s: float | None) -> list[str]:
    waiting = [asyncio.create_task(_sleep_or_fail(1)), asyncio.create_task(_sleep_or_fail(20))]
    if fails_after_s is not None:
        waiting.append(asyncio.create_task(_sleep_or_fail(fails_after_s, "broken")))
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
    for late in pending:
        late.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    assert done | pending == set(waiting)
    return ["cancelled" if one.cancelled() else str(one.exception() or one.result()) for one in waiting]


async def _sleep_or_fail(seconds: float, problem: str | None = None) -> str:
    await duration(seconds=seconds)
    if problem is not None:
        raise ValueError(problem)
    return "slept"


@workflow
async def hear_two(after_s: float) -> list[str]:
    """Handle two words, and receive the one after them as everybody does."""
    heard: list[str] = []
    await duration(seconds=after_s)

    def hear(said: str) -> None:
        heard.append(said)
        if len(heard) == 2:
            stop()

    stop = word.on(hear)
    await condition(lambda: len(heard) >= 2)
    stop()  # a second time does no harm
    return [*heard, "|", await word.receive()]


@workflow
async def listen(count: int) -> list[str]:
    return [await word.receive() for _ in range(count)]


@task(retry=Retry(max_attempts=2, backoff_s=1, jitter=0))
async def tell(listener: str) -> str:
    """Emit, send and start, and fail then: the second attempt does all of it again."""
    attempts.append(len(attempts) + 1)
    await Spoken(text="hello").emit()
    await listen.get(listener).signal(word, "hello", id="hello-1")
    begun = await wait_until.options(id="begun").start(START + timedelta(seconds=60))
    if len(attempts) == 1:
        raise ValueError("begin again")
    await listen.get(listener).signal(word, "bye")
    return str(await begun.result() - START)


@workflow
async def let_tell(listener: str) -> str:
    return await tell(listener)


class Talking(Service):
    wait_until = wait_until


Env = TestEnvironment[Talking]


@pytest.fixture
def env(service_env: EnvironmentFactory) -> Env:
    return service_env(Talking)


def test_until_waits_for_its_date(env: Env) -> None:
    spring = datetime(2025, 3, 20, 9, 1, tzinfo=UTC)

    assert env.run_until_complete(env.start(wait_until, spring), within=timedelta(days=365)) == spring
    assert env.now == spring


def test_until_a_date_that_has_passed_waits_for_nothing(env: Env) -> None:
    execution = env.start(wait_until, START - timedelta(days=1))

    assert execution.result() == START
    assert "TimerStarted" not in [event["kind"] for event in execution.history()]


def test_until_a_date_without_a_zone_says_what_it_lacks(env: Env) -> None:
    with pytest.raises(WorkflowFailed, match="2025-01-01 12:00:00 has no time zone"):
        env.run_until_complete(env.start(wait_until_noon_somewhere))


@pytest.mark.parametrize(
    ("to_s", "outcome", "seconds"),
    [(100, "in time", 54), (50.5, "in time", 54), (2, "late", 6), (0, "late", 4)],
)
def test_timeout_that_is_moved_ends_when_it_was_moved_to(
    env: Env, to_s: float, outcome: str, seconds: float
) -> None:
    assert env.run_until_complete(env.start(move_the_timeout, to_s)) == outcome
    assert env.now - START == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("fails_after_s", "outcome", "seconds"),
    [
        (5, ["slept", "cancelled", "broken"], 5),
        (0.5, ["cancelled", "cancelled", "broken"], 0.5),
        (None, ["slept", "slept"], 20),
    ],
)
def test_wait_for_the_first_exception_ends_with_it_or_with_the_last(
    env: Env, fails_after_s: float | None, outcome: list[str], seconds: float
) -> None:
    assert env.run_until_complete(env.start(wait_for_the_first_exception, fails_after_s)) == outcome
    assert env.now - START == timedelta(seconds=seconds)


def test_handler_that_was_ended_leaves_signals_to_receivers(env: Env) -> None:
    execution = env.start(hear_two, 0)
    for said in ("a", "b", "c"):
        execution.signal(word, said)

    assert execution.result() == ["a", "b", "|", "c"]


def test_handler_that_ends_itself_leaves_signals_that_waited_for_it(env: Env) -> None:
    execution = env.start(hear_two, 5)
    for said in ("a", "b", "c"):
        execution.signal(word, said)

    assert env.run_until_complete(execution) == ["a", "b", "|", "c"]


def test_task_emits_and_signals_and_starts_as_any_code_does(env: Env) -> None:
    received.clear()
    attempts.clear()
    listener = env.start(listen, 2)

    assert env.run_until_complete(env.start(let_tell, listener.id)) == "0:01:00"
    assert attempts == [1, 2]
    assert listener.result() == ["hello", "bye"]
    assert env.get(wait_until, "begun").describe().parent is None
    assert received == ["hello"] * 2
    assert env.events_of(Spoken) == [Spoken(text="hello")] * 2
