"""What operators are told of what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from service_kit.errors import ExecutionNotFound
from service_kit.runtime.assembly import Runtime
from tests.runtime.running import ManualClock, letters_of
from tests.runtime.shop import Shipped, acts, do, log

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("reason", ["by hand", None])
async def test_an_execution_that_does_not_exist_is_neither_paused_nor_resumed(
    runtime: Runtime, reason: str | None
) -> None:
    with pytest.raises(ExecutionNotFound):
        await runtime.management.pause("nobody", reason)


async def test_a_dead_letter_shows_what_led_to_its_error_first(runtime: Runtime, clock: ManualClock) -> None:
    def fails() -> None:
        try:
            raise KeyError("sku-1")
        except KeyError as error:
            raise ValueError("cannot ship") from error

    acts["all Shipped o-1"] = fails
    await Shipped(order="o-1").emit()
    await clock.advance(60)
    (letter,) = await letters_of(runtime, None)
    first, _, last = letter["traceback"].partition("\nwhich led to:\n\n")
    assert "KeyError: 'sku-1'" in first
    assert "ValueError: cannot ship" in last
    assert letter["message"] == "cannot ship"


async def _bury(clock: ManualClock, *orders: str) -> None:
    def fails() -> None:
        raise ValueError("cannot ship")

    for order in orders:
        acts[f"all Shipped {order}"] = fails
        await Shipped(order=order).emit()
        await clock.advance(60)


async def test_dead_letters_are_told_page_by_page_and_one_alone(runtime: Runtime, clock: ManualClock) -> None:
    await _bury(clock, "o-1", "o-2", "o-3")
    letters = runtime.management.letters
    first, after = await letters.list(None, 2, None)
    second, last = await letters.list("on_all", 2, after)
    assert [letter["payload"]["order"] for letter in (*first, *second)] == ["o-1", "o-2", "o-3"]
    assert last is None
    assert await letters.read("on_all", first[1]["event_id"]) == first[1]
    assert await letters.read("on_large", first[1]["event_id"]) is None


async def test_a_discarded_letter_is_gone_for_good_and_an_event_that_was_never_one_is_told(
    runtime: Runtime, clock: ManualClock
) -> None:
    await _bury(clock, "o-1", "o-2")
    first, second = [letter["event_id"] for letter in await letters_of(runtime, "on_all")]
    letters = runtime.management.letters
    assert await letters.discard("on_all", [first, "typo", first]) == (1, ["typo"])
    assert await letters.discard("on_all", [first]) == (0, [])
    assert [letter["event_id"] for letter in await letters_of(runtime, None)] == [second]
    assert await letters.redrive("on_all", None) == 1
    assert await letters.discard("on_all", [second]) == (0, [])
    acts.clear()
    await clock.advance(100)
    assert await letters_of(runtime, None) == []
    assert [line for line in log if line == "all Shipped o-1"] == ["all Shipped o-1"] * 3
    assert [line for line in log if line == "all Shipped o-2"] == ["all Shipped o-2"] * 4


async def test_a_page_of_a_history_has_no_more_than_an_answer_can_hold_but_a_turn_at_least(
    runtime: Runtime, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = await do.start("o-1")
    await clock.advance(60)
    whole = await handle.history()
    turns = sum(event["kind"] == "TurnStarted" for event in whole)
    assert turns > 1
    monkeypatch.setattr("service_kit.runtime.management.ANSWER_MOST", 1)
    found, after = list[Mapping[str, Any]](), None
    for _ in range(turns):
        page = await runtime.management.history_page(handle.id, 100, after)
        assert page is not None
        assert sum(event["kind"] == "TurnStarted" for event in page[0]) == 1
        found, after = [*found, *page[0]], page[1]
    assert (found, after) == (whole, None)
