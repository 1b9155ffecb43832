"""What a test asks of an environment that cannot be: told in its own line, with the cure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service_kit.testing import TestEnvironment
from tests.testing.orders import OrderPlaced, Orders, place_order, wait_one_second

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
    r"5 is no timedelta; seconds pass by env\.tick\(5\)": lambda env: env.advance(5),
}


@pytest.mark.parametrize("told", MISTAKES)
def test_mistake_is_told_with_its_cure(env: TestEnvironment[Orders], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        MISTAKES[told](env)
