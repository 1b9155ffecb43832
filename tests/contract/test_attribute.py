"""Search attributes: typed values, kept as the text by which lists are filtered."""

from __future__ import annotations

from datetime import date, datetime, timezone
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic_core import PydanticSerializationError

from service_kit import Attribute, DefinitionError, Service


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (str, "eu", "eu"),
        (str, "3", "3"),
        (str, "null", "null"),
        (str, 'a "b"', 'a "b"'),
        (int, 3, "3"),
        (bool, True, "true"),
        (float, 1.5, "1.5"),
        (Size, Size.LARGE, "l"),
        (Literal["a", "1"], "1", "1"),
        (Literal[1, 2], 2, "2"),
        (date, date(2025, 3, 28), "2025-03-28"),
        (datetime, datetime(2025, 3, 28, tzinfo=timezone.utc), "2025-03-28T00:00:00Z"),  # noqa: UP017 - 3.11's too
        (UUID, UUID(int=3), "00000000-0000-0000-0000-000000000003"),
    ],
)
def test_a_value_is_found_by_its_text_and_read_again(type_: Any, value: object, text: str) -> None:
    attribute: Attribute[Any] = Attribute("a", type_)
    assert attribute.of(value) == {"a": text}
    assert attribute.decode(text) == value


def test_several_make_up_one_filter() -> None:
    assert Attribute("region", str).of("eu") | Attribute("tier", int).of(1) == {"region": "eu", "tier": "1"}


@pytest.mark.parametrize("value", [None, ["eu"], {"eu": 1}, float("nan")])
def test_what_nothing_can_be_found_by_is_refused(value: object) -> None:
    attribute: Attribute[Any] = Attribute("region", Any)
    with pytest.raises(
        DefinitionError, match=r"attribute 'region': nothing can be found by .*'remove\(\)' it"
    ):
        attribute.of(value)


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(PydanticSerializationError):
        Attribute("tier", int).of("three")  # type: ignore[arg-type]  # what a type checker refuses, too


@pytest.mark.parametrize("name", ["", "a=b"])
def test_a_name_that_no_list_could_ask_for_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError, match="give it a name without '='"):
        Attribute(name, str)


def test_it_may_be_a_part_of_the_service_and_works_in_workflows_only() -> None:
    class Shop(Service):
        region = Attribute("region", str)

    assert Shop.region.of("eu") == {"region": "eu"}
    for use in (Shop.region.get, Shop.region.remove, lambda: Shop.region.set("eu")):
        with pytest.raises(RuntimeError, match="attribute 'region' works inside a workflow only"):
            use()
