"""Payloads: pydantic's JSON, with the members of sets in one order."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeAlias, cast

import pytest
from pydantic import (
    VERSION,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    SerializeAsAny,
    TypeAdapter,
    computed_field,
    field_serializer,
    model_serializer,
)
from pydantic_core import PydanticSerializationError
from typing_extensions import TypedDict

from service_kit import Signal, task
from service_kit.contract.payload import PayloadCodec
from service_kit.contract.set_order import ordering_serializer


class Item(BaseModel):
    """Members of one hash: a set of them is iterated in the order of their insertion."""

    model_config = ConfigDict(frozen=True)
    sku: str

    def __hash__(self) -> int:
        return 0


@dataclass(frozen=True)
class Point:
    x: int

    def __hash__(self) -> int:
        return 0


class Settings(BaseModel):
    model_config = ConfigDict(
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="strings",
        ser_json_timedelta="float",
    )
    tags: set[str]
    blob: bytes = b"\xff\x00"
    most: float = float("inf")
    limits: frozenset[float] = frozenset({float("-inf")})
    wait: timedelta = timedelta(seconds=1.5)
    secret: str = Field(default="abc", serialization_alias="hidden")

    @field_serializer("secret", when_used="json")
    def hide(self, secret: str) -> str:
        return secret.upper()


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    any: Any = None
    bare: list = []  # type: ignore[type-arg]  # the bare type is what is tested


class Tree(BaseModel):
    names: set[int]
    metadata: set[int] = set()
    below: list[Tree] = []


class Computed(BaseModel):
    numbers: list[int]

    @computed_field
    def distinct(self) -> set[int]:
        return set(self.numbers)


class Rewritten(BaseModel):
    numbers: list[int]

    @model_serializer
    def write(self):  # type: ignore[no-untyped-def]  # pydantic looks at what an unannotated one gives
        return {"distinct": frozenset(self.numbers)}


class Pair(NamedTuple):
    left: frozenset[int]
    right: int


class Loose(TypedDict, total=False):
    ids: frozenset[int]
    note: str


class Base(BaseModel):
    n: int = 1


class Wider(Base):
    ids: set[int] = set()


Written = Annotated[set[int], PlainSerializer(lambda ids: {"ids": ids})]
Ids = RootModel[set[int]]

FEW: list[tuple[Any, Any]] = [
    (frozenset[Item], frozenset({Item(sku="a")})),
    (set[Point], {Point(1)}),
    (Settings, Settings(tags={"a"})),
    (Any, Settings(tags={"a"})),
    (dict[str, Any], {"deep": [Settings(tags={"a"}), Point(1), (1, 2), None, 1.5, b"x"]}),
    (Open, Open.model_validate({"any": {1}, "bare": [{2}], "more": {3}})),
    (Tree, Tree(names={1}, metadata={2}, below=[Tree(names={3})])),
    (Any, Tree(names={1}, below=[Tree(names={3})])),
    (Computed, Computed(numbers=[1, 1])),
    (Rewritten, Rewritten(numbers=[1, 1])),
    (Pair, Pair(frozenset({1}), 2)),
    (Loose, {"ids": frozenset({1})}),
    (SerializeAsAny[Base], Wider(ids={1})),
    (Base, Wider(ids={1})),
    (Written, {1}),
    (Ids, Ids({1})),
    (set[int] | list[int] | dict[str, set[str]], [1]),
    (set[int] | list[int] | dict[str, set[str]], {"a": {"b"}}),
    (dict[str, set[int]] | None, None),
    (Sequence[Any], [{1}]),
    (set[Decimal], {Decimal("1.50")}),
    (tuple[set[Path], ...], ({Path("/a")},)),
]


@pytest.mark.parametrize(("type_", "value"), FEW, ids=range(len(FEW)))
def test_a_payload_is_the_json_that_pydantic_writes(type_: Any, value: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(type_)
    assert PayloadCodec(adapter).encode(value) == adapter.dump_json(value, by_alias=True).decode()


def _both_orders(*members: Any) -> tuple[Any, Any]:
    forth, back = frozenset(members), frozenset(reversed(members))
    assert list(forth) != list(back), "the two are to differ in their order"
    return forth, back


def _with_more(ids: Any) -> Open:
    return Open.model_validate({"more": {"deep": ids}})


Hold: TypeAlias = Callable[[Any], Any]
HOLDERS: list[tuple[Any, Hold]] = [
    (frozenset[Any], lambda ids: ids),
    (Any, lambda ids: ids),
    (object, lambda ids: ids),
    (dict[str, Any], lambda ids: {"deep": [(ids,), 1]}),
    (list[frozenset[Item | Point | int]], lambda ids: [ids]),
    (Open, lambda ids: Open(any=[ids])),
    (Any, lambda ids: [Open(any=ids), Pair(ids, 1), Point(ids)]),
    (Rewritten, lambda ids: Rewritten.model_construct(numbers=ids)),
    (Sequence[Any], lambda ids: [ids]),
]
if VERSION >= "2.13":  # pydantic 2.12 forgets how a model's extra fields are to be written
    HOLDERS.append((Open, _with_more))


@pytest.mark.parametrize(("type_", "hold"), HOLDERS)
@pytest.mark.parametrize(
    "members",
    [(0, 8), (Item(sku="a"), Item(sku="b")), (Point(1), Point(2))],
    ids=["int", "model", "dataclass"],
)
def test_equal_sets_have_one_payload_whatever_their_hashes(
    type_: Any, hold: Hold, members: tuple[Any, ...]
) -> None:
    codec = PayloadCodec(TypeAdapter(type_))
    forth, back = _both_orders(*members)
    assert codec.encode(hold(forth)) == codec.encode(hold(back))


def test_members_of_a_set_are_ordered_by_their_json() -> None:
    tree = Tree(names={2, 10, 1}, below=[Tree(names={8, 0})])
    assert json.loads(PayloadCodec(TypeAdapter(Tree)).encode(tree)) == {
        "names": [1, 10, 2],
        "metadata": [],
        "below": [{"names": [0, 8], "metadata": [], "below": []}],
    }


@pytest.mark.parametrize("value", [[1], {"a"}, frozenset({1}), None])
def test_a_value_of_another_type_than_the_set_is_refused(value: object) -> None:
    with pytest.raises(PydanticSerializationError, match=r"set|int"):
        PayloadCodec(TypeAdapter(set[int])).encode(value)


def test_a_value_that_holds_itself_is_refused_as_pydantic_does() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="Circular reference"):
        PayloadCodec(TypeAdapter(Any)).encode(endless)


def test_a_type_whose_schema_is_built_late_is_ordered_too() -> None:
    class Late(BaseModel):
        model_config = ConfigDict(defer_build=True)
        ids: set[int]

    codec = PayloadCodec(TypeAdapter(Late))
    assert codec.encode(Late(ids=set(_both_orders(8, 0)[0]))) == '{"ids":[0,8]}'


@pytest.mark.parametrize("type_", [int, Base, list[Base], dict[str, Path | Decimal], Point, tuple[str, int]])
def test_types_that_hold_no_sets_are_written_by_pydantic_alone(type_: Any) -> None:
    assert ordering_serializer(TypeAdapter(type_)) is None


@pytest.mark.parametrize("annotation", [str, list[int], Item])
def test_none_is_refused_by_a_type_that_does_not_have_it(annotation: Any) -> None:
    codec = PayloadCodec(TypeAdapter(annotation))
    with pytest.raises(
        PydanticSerializationError, match=r"Input should be .*, not None \(is a `return` missing\?\)"
    ):
        codec.encode(None)


@pytest.mark.parametrize("annotation", [None, int | None, Any, object])
def test_none_is_written_by_a_type_that_has_it(annotation: Any) -> None:
    assert PayloadCodec(TypeAdapter(annotation)).encode(None) == "null"


@task
async def double(number: int) -> int:
    return number * 2


def test_a_value_of_another_type_is_named_with_what_it_was_for() -> None:
    with pytest.raises(
        PydanticSerializationError,
        match=r"^what task 'double' is given is not of its type: Expected `int` \[field_name='number', input_value='7'",
    ):
        double.calls.encode_arguments({"number": "7"})
    with pytest.raises(
        PydanticSerializationError, match=r"^what task 'double' returns is not of its type: .*return"
    ):
        double.calls.result.encode(None)
    with pytest.raises(
        PydanticSerializationError, match=r"^what signal 'approved' is given is not of its type: "
    ):
        Signal("approved", bool).encode(cast(bool, "yes"))


def test_a_coroutine_that_is_returned_is_told_from_a_wrong_value() -> None:
    call = double(3)
    with pytest.raises(PydanticSerializationError, match=r"is an `await` missing\?"):
        double.calls.encode_arguments({"number": call})
    with pytest.raises(PydanticSerializationError, match=r"is an `await` missing\?"):
        double.calls.result.encode(call)
    call.close()


@pytest.mark.filterwarnings("default")
def test_a_call_that_nobody_awaits_is_named_by_python() -> None:
    forgotten = [double(3)]
    with pytest.warns(RuntimeWarning, match="coroutine 'double' was never awaited"):
        forgotten.clear()
