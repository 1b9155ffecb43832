"""Generated schemas: what is equal has no difference, and whatever a validator refuses now was told to break.

The validators are real ones: one of JSON Schema for schemas as such, pydantic for what services are made of.
"""

from __future__ import annotations

import copy
from typing import Annotated, Any, Literal, TypeAlias

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from service_kit.diff import Verdict, compare
from service_kit.openapi.schemas import Slot, Wanted, generate
from tests.diff.documents import breaks, request, response

Json: TypeAlias = dict[str, Any]

SOME = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
WORDS = ["", "a", "bb", "ccc", "dddd"]
NAMES = ["x", "y", "z"]

values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 6)
    | st.sampled_from([0.5, 2.5, -1.5])
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)


def _some(**choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional=choices)


def _typed(kind: str, **choices: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return _some(**choices).map(lambda found: {"type": kind, **found})


small = st.integers(0, 3)
numbers = {
    "minimum": st.integers(-2, 3),
    "maximum": st.integers(0, 5),
    "exclusiveMinimum": st.integers(-2, 3),
    "exclusiveMaximum": st.integers(0, 5),
    "multipleOf": st.sampled_from([1, 2, 3, 4]),
}
leaves: st.SearchStrategy[Any] = st.one_of(
    _typed("string", minLength=small, maxLength=small, pattern=st.sampled_from(["a", "b+", "^c"])),
    _typed("integer", **numbers),
    _typed("number", **numbers),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({}),
    st.lists(
        st.sampled_from(["string", "integer", "number", "null"]), min_size=1, max_size=3, unique=True
    ).map(lambda kinds: {"type": kinds, "maxLength": 2, "minimum": 1}),
    st.lists(st.sampled_from([*WORDS, 1, 2, None, True]), min_size=1, max_size=4, unique=True).map(
        lambda listed: {"enum": listed}
    ),
    st.sampled_from(WORDS).map(lambda word: {"const": word}),
)


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    # Closed: a field that is new in an open object is told as safe on purpose, though anything stood there before.
    closed = st.tuples(
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
        st.lists(st.sampled_from(NAMES), max_size=2),
    ).map(
        lambda found: {
            "type": "object",
            "properties": found[0],
            "required": [name for name in found[1] if name in found[0]],
            "additionalProperties": False,
        }
    )
    mapping = inner.map(lambda schema: {"type": "object", "additionalProperties": schema})
    return closed | mapping


def _arrays(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _typed(
        "array",
        items=inner,
        prefixItems=st.lists(inner, min_size=1, max_size=2),
        minItems=small,
        maxItems=small,
        uniqueItems=st.booleans(),
        contains=inner,
    )


schemas: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        _objects(inner),
        _arrays(inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts}),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"allOf": parts}),
    ),
    max_leaves=6,
)


@st.composite
def versions(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw two schemas, of which the second is the first one with a part exchanged, or another one."""
    old = draw(schemas)
    new = copy.deepcopy(old)
    if not isinstance(new, dict) or not new or draw(st.integers(0, 9)) == 0:
        return old, draw(schemas)
    node = new
    while True:
        inner = [*node.values(), *node.get("properties", {}).values(), *node.get("anyOf", [])]
        inner = [v for v in inner if isinstance(v, dict) and v and "type" in v]
        if not inner or draw(st.booleans()):
            break
        node = draw(st.sampled_from(inner))
    other = draw(schemas)
    node.clear()
    node.update(other)
    return old, new


def _admits(schema: Any, value: Any) -> bool:
    return bool(OAS31Validator(schema).is_valid(value))


@SOME
@given(schemas)
def test_a_schema_has_no_difference_from_itself(schema: Any) -> None:
    assert compare(request(schema), request(copy.deepcopy(schema))) == []
    assert compare(response(schema), response(copy.deepcopy(schema))) == []


@SOME
@given(schemas)
def test_the_name_of_a_component_and_a_detour_make_no_difference(schema: Any) -> None:
    named = request({"$ref": "#/components/schemas/A"}, components={"schemas": {"A": schema}})
    renamed = request(
        {"allOf": [{"$ref": "#/components/schemas/B~1c"}]}, components={"schemas": {"B/c": schema}}
    )
    assert compare(named, renamed) == []
    assert compare(named, request(schema)) == []


@SOME
@given(versions(), st.lists(values, min_size=12, max_size=12))
def test_what_was_accepted_and_is_refused_is_a_break(pair: tuple[Any, Any], given_values: list[Any]) -> None:
    old, new = pair
    refused = [v for v in given_values if _admits(old, v) and not _admits(new, v)]
    assume(refused)
    assert breaks(compare(request(old), request(new))), (old, new, refused)
    assert breaks(compare(response(new), response(old))), (new, old, refused)


class Address(BaseModel):
    street: str
    zip: str | None = None


class StrictAddress(BaseModel):
    model_config = ConfigDict(extra="forbid")
    street: Annotated[str, Field(min_length=2)]
    zip: int | None = None


TYPES: list[Any] = [
    int,
    float,
    str,
    bool,
    int | None,
    str | None,
    list[int],
    list[str],
    dict[str, int],
    tuple[int, str],
    Literal["a", "bb"],
    Literal["a"],
    int | str,
    Address,
    StrictAddress,
    Address | None,
    Annotated[int, Field(ge=1)],
    Annotated[int, Field(gt=1, le=4)],
    Annotated[str, Field(max_length=2)],
    Annotated[str, Field(pattern="^a")],
    Annotated[list[int], Field(min_length=1)],
    Any,
]
field_values = st.one_of(
    values,
    st.fixed_dictionaries(
        {"street": st.sampled_from(WORDS)}, optional={"zip": st.sampled_from([None, "a", 1])}
    ),
)


@st.composite
def models(draw: st.DrawFn) -> type[BaseModel]:
    found: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3)):
        annotation = draw(st.sampled_from(TYPES))
        found[name] = (
            annotation,
            ... if draw(st.booleans()) else Field(default=None, validate_default=False),
        )
    made: type[BaseModel] = create_model("Thing", __config__=ConfigDict(extra="forbid"), **found)
    return made


def _schema(model: type[BaseModel]) -> tuple[Any, Json]:
    found = generate([Wanted(Slot("a", "b"), TypeAdapter(model).core_schema, "validation")])
    return found[Slot("a", "b")], {"schemas": dict(found.components)}


def _accepts(model: type[BaseModel], value: Any) -> bool:
    try:
        model.model_validate(value)
    except ValidationError:
        return False
    return True


@SOME
@given(
    models(),
    models(),
    st.lists(st.dictionaries(st.sampled_from(NAMES), field_values), min_size=8, max_size=8),
)
def test_what_a_model_accepted_and_refuses_now_is_a_break(
    old: type[BaseModel], new: type[BaseModel], sent: list[Any]
) -> None:
    refused = [value for value in sent if _accepts(old, value) and not _accepts(new, value)]
    assume(refused)
    (a, components_a), (b, components_b) = _schema(old), _schema(new)
    found = compare(request(a, components=components_a), request(b, components=components_b))
    assert breaks(found), (a, b, refused)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@given(schemas)
@settings(SOME, max_examples=30)
def test_every_change_is_a_sentence(version: str, schema: Any) -> None:
    for a, b in ((request({}), request(schema)), (response(schema), response({}))):
        for change in compare({**a, "openapi": version}, {**b, "openapi": version}):
            assert change.message.startswith("`make` ")
            assert "{" not in change.message.replace("{}", "")
            assert change.verdict in Verdict
