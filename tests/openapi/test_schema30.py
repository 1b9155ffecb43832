"""Schemas of OpenAPI 3.0.3: the same values pass, or more where 3.0 has no words."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, OAS31Validator

from service_kit.openapi.schema30 import downgrade_schema

Schema: TypeAlias = dict[str, Any]


def passes_31(schema: Schema, value: Any) -> bool:
    return bool(OAS31Validator(schema).is_valid(value))


def passes_30(schema: Schema, value: Any) -> bool:
    return bool(OAS30Validator(downgrade_schema(schema)).is_valid(value))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string", "nullable": True}),
        (
            {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "description": "n", "default": None},
            {"type": "integer", "minimum": 1, "nullable": True, "description": "n", "default": None},
        ),
        (
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
            {"type": "string", "enum": ["a", None], "nullable": True},
        ),
        (
            {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]},
            {"anyOf": [{"$ref": "#/x"}, {"type": "string", "nullable": True, "enum": [None]}]},
        ),
        ({"type": "string", "const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 0, "exclusiveMinimum": True}),
        ({"exclusiveMaximum": 9, "maximum": 5}, {"maximum": 5}),
        ({"$ref": "#/x", "description": "d"}, {"allOf": [{"$ref": "#/x"}], "description": "d"}),
        ({"$ref": "#/x"}, {"$ref": "#/x"}),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "string", "example": "a"}),
        (
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "maxItems": 2},
            {
                "type": "array",
                "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        ({"type": "array", "prefixItems": [{"type": "string"}], "items": False},
         {"type": "array", "items": {"type": "string"}, "maxItems": 1}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        (
            {"type": "object", "patternProperties": {"^x": {"type": "integer"}}, "additionalProperties": False},
            {"type": "object", "additionalProperties": {"type": "integer"}},
        ),
        ({"type": "object", "propertyNames": {"pattern": "a"}, "unevaluatedProperties": False}, {"type": "object"}),
        ({"type": "string", "contentEncoding": "base64"}, {"type": "string", "format": "byte"}),
        (
            {"type": "string", "contentMediaType": "application/octet-stream"},
            {"type": "string", "format": "binary"},
        ),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "$comment": "c"}, {}),
        ({"type": "object", "required": []}, {"type": "object"}),
        (True, {}),
        (False, {"not": {}}),
        ({"x-order": 1, "nonsense": 2}, {"x-order": 1}),
    ],
)  # fmt: skip
def test_each_keyword_is_said_in_the_words_of_30(given: Any, expected: Schema) -> None:
    assert downgrade_schema(given) == expected


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema: Schema = {
        "type": "object",
        "properties": {"const": {"type": "string"}, "if": {"type": "integer"}},
    }
    assert downgrade_schema(schema) == schema


def test_what_cannot_be_said_never_makes_a_schema_stricter() -> None:
    pairs: Schema = {
        "oneOf": [
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2},
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2},
        ]
    }
    assert passes_31(pairs, ["a", 1])
    assert passes_30(pairs, ["a", 1])
    no_digits: Schema = {"not": {"type": "object", "propertyNames": {"pattern": "^[0-9]"}}}
    assert passes_31(no_digits, {"a": 1})
    assert passes_30(no_digits, {"a": 1})


def test_the_given_schema_is_left_as_it_was() -> None:
    inner: Schema = {"type": "string", "enum": ["a"]}
    schema: Schema = {"anyOf": [inner, {"type": "null"}], "default": None}
    downgrade_schema(schema)
    assert schema == {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}], "default": None}


_scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "a", "ab", "1"]))
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "x1"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def _schemas(*, exact: bool) -> st.SearchStrategy[Any]:
    """Generate schemas; `exact` ones have only keywords that 3.0 can say."""
    leaf: st.SearchStrategy[Any] = st.one_of(
        st.booleans(),
        st.fixed_dictionaries({"type": st.sampled_from(["null", "string", "integer", "boolean", "array", "object"])}),
        st.fixed_dictionaries(
            {"type": st.lists(st.sampled_from(["null", "string", "array"]), min_size=1, max_size=3, unique=True)}
        ),
        st.fixed_dictionaries({"const": _scalars}),
        st.fixed_dictionaries({"enum": st.lists(_scalars, min_size=1, max_size=3, unique_by=repr)}),
        st.fixed_dictionaries(
            {"type": st.just("integer")},
            optional={
                "exclusiveMinimum": st.integers(-3, 3),
                "minimum": st.integers(-3, 3),
                "exclusiveMaximum": st.integers(-3, 3),
            },
        ),
        st.fixed_dictionaries({"type": st.just("string"), "minLength": st.integers(0, 2)}),
    )  # fmt: skip

    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        some = st.lists(inner, min_size=1, max_size=3)
        named = st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
        grown: list[st.SearchStrategy[Any]] = [
            st.fixed_dictionaries({"anyOf": some}, optional={"type": st.sampled_from(["string", "integer"])}),
            st.fixed_dictionaries({"oneOf": some}, optional={"description": st.just("d")}),
            st.fixed_dictionaries({"allOf": some, "anyOf": some}),
            st.fixed_dictionaries({"not": inner}),
            st.fixed_dictionaries(
                {"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(0, 2)}
            ),
            st.fixed_dictionaries(
                {"type": st.just("object"), "properties": named},
                optional={"additionalProperties": inner, "required": st.just(["a"])},
            ),
        ]
        if not exact:
            grown += [
                st.fixed_dictionaries(
                    {"type": st.just("array"), "prefixItems": some},
                    optional={"items": inner, "maxItems": st.integers(0, 3)},
                ),
                st.fixed_dictionaries(
                    {"type": st.just("object"), "patternProperties": st.fixed_dictionaries({"^x": inner})},
                    optional={"additionalProperties": inner, "properties": named},
                ),
                st.fixed_dictionaries({"if": inner, "then": inner}),
                st.fixed_dictionaries({"type": st.just("array"), "contains": inner}),
            ]
        return st.one_of(grown)

    return st.recursive(leaf, grow, max_leaves=5)


@given(_schemas(exact=True), _values)
def test_exactly_the_same_values_pass_where_30_has_the_words(schema: Any, value: Any) -> None:
    assert passes_30(schema, value) == passes_31(schema, value)


@given(_schemas(exact=False), _values)
def test_whatever_passes_in_31_passes_in_30(schema: Any, value: Any) -> None:
    if passes_31(schema, value):
        assert passes_30(schema, value)
