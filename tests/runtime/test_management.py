"""What operators are told of what went wrong."""

from __future__ import annotations

import pytest

from service_kit.errors import ExecutionNotFound
from service_kit.runtime.assembly import Runtime
from tests.runtime.running import ManualClock
from tests.runtime.shop import Shipped, acts

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
    (letter,) = await runtime.management.dead_letters(None, 10)
    first, _, last = letter["traceback"].partition("\nwhich led to:\n\n")
    assert "KeyError: 'sku-1'" in first
    assert "ValueError: cannot ship" in last
    assert letter["message"] == "cannot ship"
