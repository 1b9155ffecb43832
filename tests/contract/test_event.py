"""Events: their names and their fields."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from pydantic import AliasChoices, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from service_kit import DefinitionError, Event, Service, subscription, workflow
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


@pytest.mark.parametrize(
    ("field", "written", "read"),
    [
        (Field(serialization_alias="why"), "why", "reason"),
        (Field(validation_alias="why"), "reason", "why"),
        (Field(validation_alias="in", serialization_alias="out"), "out", "in"),
    ],
)
def test_an_event_that_could_not_be_read_by_its_subscriptions_is_refused(
    field: Any, written: str, read: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        type(
            "Refunded",
            (Event,),
            {"__module__": "shop", "__annotations__": {"reason": str}, "reason": field},
            name="refunded",
        )

    text = str(caught.value)
    assert "event 'refunded' (shop:Refunded)" in text
    assert (
        f"field 'reason': it is written as '{written}' and read as '{read}'; give it one alias=... instead"
        in text
    )


def test_an_event_whose_names_agree_is_fine() -> None:
    class Named(Event, alias_generator=to_camel):
        order_id: str = Field(alias="orderId")
        by_choice: str = Field(validation_alias=AliasChoices("x", "y"), serialization_alias="y")
        item_count: int = 1

    class ByName(Event, populate_by_name=True):
        order_id: str = Field(validation_alias="id")

    class Rewritten(Event):
        order_id: str = Field(serialization_alias="id")

        @model_validator(mode="before")
        @classmethod
        def read(cls, data: Any) -> Any:
            return {"order_id": data["id"]}

    assert [event.event_name for event in (Named, ByName, Rewritten)] == ["Named", "ByName", "Rewritten"]


async def no_event() -> None: ...
async def two_things(event: OrderPlaced, more: int) -> None: ...
async def by_keyword(*, event: OrderPlaced) -> None: ...
async def of_a_text(event: str) -> None: ...
async def of_another(event: OrderShipped) -> None: ...
async def of_one_of_two(event: OrderShipped | int) -> None: ...


@pytest.mark.parametrize("handler", [no_event, two_things, by_keyword, of_a_text, of_another, of_one_of_two])
def test_a_handler_that_cannot_take_the_event_is_refused(handler: Any) -> None:
    with pytest.raises(DefinitionError) as caught:
        subscription(OrderPlaced)(handler)
    assert f"subscription '{handler.__name__}'" in str(caught.value)
    assert f"write 'async def {handler.__name__}(event: OrderPlaced) -> None'" in str(caught.value)


def test_a_handler_of_one_event_is_refused_where_two_may_come() -> None:
    with pytest.raises(DefinitionError, match="its parameter 'event' is no OrderPlaced"):
        subscription(OrderShipped | OrderPlaced)(cast(Any, of_another))


def test_handlers_of_wider_types_and_with_defaults_are_fine() -> None:
    class Local(Event): ...

    @subscription(Local)
    async def local(event: Local, more: int = 1) -> None: ...

    @subscription(Local | OrderPlaced)
    async def either(event: Local | OrderPlaced) -> None: ...

    @subscription(Local)
    async def wide(event: Event) -> None: ...

    @subscription(Local)
    async def anything(event: Any) -> None: ...

    @subscription(Local)
    async def forward(event: NotYetDefined) -> None: ...  # type: ignore[name-defined]  # noqa: F821 - so it is tested

    assert [heard.name for heard in (local, either, wide, anything, forward)] == (
        ["local", "either", "wide", "anything", "forward"]
    )
