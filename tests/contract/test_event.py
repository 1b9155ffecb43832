"""Events: their names and their fields."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from service_kit import Event


class OrderPlaced(Event, name="order.placed"):
    order_id: str


class OrderShipped(Event):
    order_id: str


def test_an_event_is_called_as_its_class_unless_it_says_otherwise() -> None:
    assert OrderShipped.event_name == "OrderShipped"
    assert OrderPlaced.event_name == "order.placed"


def test_pydantics_own_keywords_are_still_heard() -> None:
    class Strict(Event, name="strict", extra="forbid"):
        order_id: str

    with pytest.raises(ValidationError, match="extra_forbidden"):
        Strict.model_validate({"order_id": "o-1", "more": 1})
