"""A replay that differs says where the values differ, and none of them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from service_kit.engine.arrivals import TimerFired
from service_kit.engine.calls import Emitted, EventsEmitted, TaskScheduled
from service_kit.engine.context import require_workflow
from service_kit.engine.difference import difference
from tests.engine.driving import history_of, replay_error, task


def scheduled(input: Any) -> TaskScheduled:
    return TaskScheduled(1, "t", "h", input if isinstance(input, str) else json.dumps(input))


@pytest.mark.parametrize(
    ("recorded", "made", "places"),
    [
        ({"sku": "a", "count": 1}, {"sku": "b", "count": 1}, "`sku`"),
        (
            {"order": {"lines": [1, {"price": 2}]}},
            {"order": {"lines": [1, {"price": 3}]}},
            "`order.lines[1].price`",
        ),
        ({"old": 1}, {"new": 1}, "`old`, `new`"),
        ({"lines": [1]}, {"lines": [1, 2]}, "`lines`"),
        ({"count": 1}, {"count": True}, "`count`"),
        ({"count": 1}, {"count": 1.0}, "`count`"),
        (list(range(9)), [-1] * 9, "`[0]`, `[1]`, `[2]` and more"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, ""),
        (1, 2, ""),
        ("beside the history", {"a": 1}, ""),
        ("[" * 5_000 + "]" * 5_000, {"a": 1}, ""),
    ],
)
def test_places_are_named_by_their_paths(recorded: Any, made: Any, places: str) -> None:
    assert difference(scheduled(recorded), scheduled(made)) == places


def test_events_are_counted_from_nought() -> None:
    def emitted(*prices: int) -> EventsEmitted:
        return EventsEmitted(1, "Paid", "h", tuple(Emitted("e", "Paid", f'{{"price":{p}}}') for p in prices))

    assert difference(emitted(1, 2), emitted(1, 3)) == "`[1].price`"
    assert difference(TimerFired(1), TimerFired(2)) == ""


def test_error_names_the_place_of_a_changed_argument_and_no_value() -> None:
    async def before() -> None:
        await task("pay", {"card": "secret-1", "cents": 5})

    async def after() -> None:
        await task("pay", {"card": "secret-2", "cents": 5})

    error = replay_error(after, history_of(before))
    assert error.made.endswith("), different at `card`")
    assert "secret" not in str(error)


def test_error_names_the_place_of_a_changed_result_and_of_a_changed_state() -> None:
    async def ends(price: int) -> dict[str, int]:
        await task("a")
        return {"price": price}

    async def tells(price: int) -> None:
        require_workflow("the test").set_state("s", json.dumps({"price": price}))
        await asyncio.Event().wait()

    error = replay_error(lambda: ends(2), history_of(lambda: ends(1), ("a", None)))
    assert error.made.endswith("different at `price`")
    assert replay_error(lambda: tells(2), history_of(lambda: tells(1))).made.endswith("different at `price`")


def test_error_compares_no_values_of_different_calls() -> None:
    async def before() -> None:
        await task("pay", {"cents": 5})

    async def after() -> None:
        await task("refund", {"cents": 6})

    assert "different at" not in str(replay_error(after, history_of(before)))
