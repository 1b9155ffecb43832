"""What a command returns is checked each time, however often results of its type were right before."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, RootModel, TypeAdapter, computed_field
from pydantic_core import PydanticSerializationError

from service_kit.http.results import result_encoder


class Flat(BaseModel):
    id: str
    quantity: Annotated[int, Field(ge=1, serialization_alias="count")] = 1
    price: float = 0.5
    gift: bool = False
    note: str | None = None


class Inner(BaseModel):
    flat: Flat


class Status(BaseModel):
    status: Literal["placed", "shipped"]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str


class Computed(BaseModel):
    id: str

    @computed_field  # type: ignore[prop-decorator]  # pydantic documents it so
    @property
    def length(self) -> int:
        return len(self.id) if self.id != "wrong" else "five"  # type: ignore[return-value]  # the mistake to find


class Shouted(BaseModel):
    id: Annotated[str, PlainSerializer(str.upper)]


def wrong_in_field(flat: Flat, field: str, value: object) -> Flat:
    flat.__dict__[field] = value
    return flat


RIGHT: list[tuple[Any, list[Any]]] = [
    (Flat, [Flat(id="1"), Flat(id="2", note="n"), Flat(id="3", price=2), Flat.model_construct(id="4")]),
    (Inner, [Inner(flat=Flat(id="1"))]),
    (Status, [Status(status="placed")]),
    (Open, [Open.model_validate({"id": "1", "more": [1]})]),
    (Computed, [Computed(id="1")]),
    (Shouted, [Shouted(id="a")]),
    (RootModel[int], [RootModel[int](3)]),
    (list[Flat], [[], [Flat(id="1")]]),
    (Flat | None, [Flat(id="1"), None]),
    (int, [3]),
]
WRONG: list[tuple[Any, Any]] = [
    (Flat, {"id": "1"}),
    (Flat, "1"),
    (Flat, wrong_in_field(Flat(id="1"), "id", 1)),
    (Flat, wrong_in_field(Flat(id="1"), "quantity", "many")),
    (Flat, wrong_in_field(Flat(id="1"), "note", b"bytes")),
    (Flat, wrong_in_field(Flat(id="1"), "gift", "yes")),
    (Inner, Inner(flat=Flat(id="1")).model_copy(update={"flat": wrong_in_field(Flat(id="1"), "id", 1)})),
    (Status, "placed"),
    (Computed, Computed(id="wrong")),
    (list[Flat], [Flat(id="1"), "2"]),
    (int, "3"),
]


@pytest.mark.parametrize(("declared", "results"), RIGHT, ids=str)
def test_results_of_the_declared_type_are_encoded_as_pydantic_does_it(
    declared: Any, results: list[Any]
) -> None:
    adapter = TypeAdapter[Any](declared)
    encode = result_encoder(adapter)
    for result in results * 3:
        assert encode(result) == adapter.dump_json(result, by_alias=True)


@pytest.mark.parametrize(("declared", "wrong"), WRONG, ids=str)
def test_a_result_of_another_type_is_refused_however_many_were_right(declared: Any, wrong: Any) -> None:
    encode = result_encoder(TypeAdapter[Any](declared))
    for result in next(results for known, results in RIGHT if known == declared) * 3:
        encode(result)
    for _ in range(3):
        with pytest.raises(PydanticSerializationError):
            encode(wrong)


def test_values_that_changed_places_are_refused() -> None:
    encode = result_encoder(TypeAdapter[Any](Flat))
    flat = Flat(id="1")
    encode(flat)
    values = flat.__dict__
    id_, quantity = values.pop("id"), values.pop("quantity")
    rest = dict(values)
    values.clear()
    values.update({"quantity": id_, "id": quantity, **rest})
    with pytest.raises(PydanticSerializationError):
        encode(flat)
