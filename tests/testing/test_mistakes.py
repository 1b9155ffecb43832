"""What a test asks of an environment that cannot be: told in its own line, with the cure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service_kit import subscription, task
from service_kit.testing import TestEnvironment
from tests.testing.orders import OrderPlaced, Orders, approved, place_order, wait_one_second

Ask = Callable[[Any], object]

MISTAKES: dict[str, Ask] = {
    r"'place_order' .*is no workflow; call a command: env\.run\(env\.client\.place_order": (
        lambda env: env.start(place_order, "sku-1")
    ),
    "is no workflow; give the function that @workflow declares": lambda env: env.start(len),
    r"'wait_one_second-1' is no execution; give what env\.start": (
        lambda env: env.run_until_complete("wait_one_second-1")
    ),
    r"OrderPlaced is a class; give the event itself: env\.emit\(OrderPlaced\(\.\.\.\)\)": (
        lambda env: env.emit(OrderPlaced)
    ),
    "'OrderPlaced' is no event; give an instance": lambda env: env.emit("OrderPlaced"),
    r"is no coroutine.*env\.run_until_complete\(execution\)": (
        lambda env: env.run(env.start(wait_one_second, "o-1"))
    ),
    r"timedelta\(days=1\) is no number of seconds; a timedelta passes by env\.advance": (
        lambda env: env.tick(timedelta(days=1))
    ),
    r"^signal 'approved': a name does not say its type; give the Signal that is declared": (
        lambda env: env.signal(env.start(wait_one_second, "o-1"), "approved", True)
    ),
    r"5 is no timedelta; seconds pass by env\.tick\(5\)": lambda env: env.advance(5),
}


@pytest.mark.parametrize("told", MISTAKES)
def test_mistake_is_told_with_its_cure(env: TestEnvironment[Orders], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        MISTAKES[told](env)


def test_subscription_that_is_not_of_the_service_is_refused_with_the_cure(
    env: TestEnvironment[Orders],
) -> None:
    @subscription(OrderPlaced)
    async def stranger(event: OrderPlaced) -> None: ...

    for ask_for in (env.mock, env.calls_of):
        with pytest.raises(LookupError, match=r"'stranger' is not part of service 'orders'.*include="):
            ask_for(stranger)


def test_calls_of_a_task_that_is_not_of_the_service_are_refused(env: TestEnvironment[Orders]) -> None:
    @task
    async def stray() -> None: ...

    with pytest.raises(LookupError, match="task 'stray' is not part of service 'orders'"):
        env.calls_of(stray)


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        (place_order, "call it by env.client"),
        (approved, r"env\.signal\(execution, approved, \.\.\.\)"),
        (OrderPlaced, r"env\.emit\(\.\.\.\), and see env\.events_of\(OrderPlaced\)"),
        (len, "Declare it with @task"),
        ("check", "a task, a workflow or a subscription can"),
    ],
)
def test_what_cannot_be_mocked_or_recorded_is_refused_with_the_cure(
    env: TestEnvironment[Orders], given: Any, cure: str
) -> None:
    for ask_for in (env.mock, env.calls_of):
        with pytest.raises(TypeError, match=cure):
            ask_for(given)
