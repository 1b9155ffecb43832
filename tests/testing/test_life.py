"""Entering, leaving and resetting an environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from client_kit import manage
from service_kit import Service, workflow
from service_kit.testing import NeverEnds, TestEnvironment
from service_kit.testing.environment import START
from tests.testing.orders import (
    OrderPlaced,
    Orders,
    lifespans,
    process_order,
    process_payment,
    wait_one_second,
)

Env = TestEnvironment[Orders]


def open_database() -> None:
    raise ConnectionError("no database")


@asynccontextmanager
async def failing() -> AsyncIterator[None]:
    await asyncio.sleep(1)
    open_database()
    yield


@asynccontextmanager
async def failing_at_the_end() -> AsyncIterator[None]:
    yield
    raise ConnectionError("the database is gone")


@asynccontextmanager
async def waiting() -> AsyncIterator[None]:
    await asyncio.Event().wait()
    yield


@asynccontextmanager
async def never_ending() -> AsyncIterator[None]:
    yield
    await asyncio.Event().wait()


class Failing(Service, lifespan=failing):
    pass


class FailingAtTheEnd(Service, lifespan=failing_at_the_end):
    pass


class Waiting(Service, lifespan=waiting):
    pass


class NeverEnding(Service, lifespan=never_ending):
    pass


def test_reset_forgets_everything_and_enters_the_lifespan_again(env: Env) -> None:
    lifespans.clear()
    env.mock(process_payment).returns("mocked")
    env.client.place_order.sync("o-1")
    env.tick(86_400)
    env.reset()

    assert lifespans == ["closed", "opened"]
    assert env.now == START
    assert env.calls_of(process_payment) == []
    assert env.events_of(OrderPlaced) == []
    assert env.run(manage(env.client).list_executions()).executions == []
    assert env.run_until_complete(env.start(process_order, "o-1")).payment == "payment of 1 for o-1"


def test_environment_must_be_entered_once() -> None:
    outside = TestEnvironment(Orders)

    for use in (outside.tick, outside.reset, lambda: outside.start(wait_one_second, "a")):
        with pytest.raises(RuntimeError, match="enter it"):
            use()
    with outside, pytest.raises(RuntimeError, match="entered already"):
        outside.__enter__()
    with outside:
        assert outside.now == START


@pytest.mark.parametrize("service", [Failing, FailingAtTheEnd])
def test_failing_lifespan_fails_the_test(service: type[Service]) -> None:
    with pytest.raises(ConnectionError), TestEnvironment(service):
        pass


@pytest.mark.parametrize("service", [Waiting, NeverEnding])
def test_lifespan_that_never_comes_to_its_end_fails_the_test(service: type[Service]) -> None:
    with pytest.raises(NeverEnds, match="the service's lifespan"), TestEnvironment(service):
        pass


def test_execution_that_was_named_by_the_test_is_not_taken_for_another(env: Env) -> None:
    first = env.start(wait_one_second.options(id="wait_one_second-1"), "a")

    assert env.start(wait_one_second, "a").id != first.id


@workflow
async def be_interrupted() -> None:
    raise KeyboardInterrupt


class Interrupted(Service):
    be_interrupted = be_interrupted


def test_an_interrupt_in_the_middle_of_a_workflow_reaches_the_test() -> None:
    with pytest.raises(KeyboardInterrupt), TestEnvironment(Interrupted) as env:
        env.start(be_interrupted)
