"""Events: their names and their fields."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from service_kit import Event, Service, workflow
from service_kit.testing import TestEnvironment


class OrderPlaced(Event, name="order.placed"):
    order_id: str


class OrderShipped(Event):
    order_id: str


class Packed(Event):
    boxes: frozenset[int]


@workflow
async def pack(boxes: list[int]) -> None:
    await Packed(boxes=frozenset(boxes)).emit()


class Packing(Service):
    pack = pack


def test_an_event_with_a_set_is_equal_in_every_replay_whatever_the_order_of_its_members() -> None:
    recorded = []
    for boxes in ([0, 8], [8, 0]):  # iterated in this order as sets, too
        with TestEnvironment(Packing) as env:
            execution = env.start(pack, boxes)
            env.run_until_complete(execution)
            history = json.loads(execution.recording())["events"]
            recorded.append([event for event in history if event[0] == "EventsEmitted"])
    assert recorded[0]
    assert recorded[0] == recorded[1]


def test_an_event_is_called_as_its_class_unless_it_says_otherwise() -> None:
    assert OrderShipped.event_name == "OrderShipped"
    assert OrderPlaced.event_name == "order.placed"


def test_pydantics_own_keywords_are_still_heard() -> None:
    class Strict(Event, name="strict", extra="forbid"):
        order_id: str

    with pytest.raises(ValidationError, match="extra_forbidden"):
        Strict.model_validate({"order_id": "o-1", "more": 1})
