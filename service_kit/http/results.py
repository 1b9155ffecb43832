"""Results as JSON, checked against the declared type while they are encoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

Encode: TypeAlias = Callable[[Any], bytes]
"""Return the JSON of a result; raise PydanticSerializationError for one of another type."""

_SCALARS = frozenset({str, int, float, bool, type(None)})
_SCALAR_SCHEMAS = frozenset({"str", "int", "float", "bool"})
_KEPT_SHAPES = 64


def result_encoder(adapter: TypeAdapter[Any]) -> Encode:
    """Return the encoder of a command's results.

    pydantic-core needs a microsecond to read the `"error"` of `warnings="error"` (it tries a boolean first, and makes
    an exception of that), three times what it needs to encode a small model. Whether a model of plain scalars is right
    depends on the types of its values alone, so types that pydantic once found right are not shown to it again.
    """
    dump = adapter.serializer.to_json
    flat = _flat_model(adapter.core_schema)
    right: set[tuple[object, ...]] = set()

    may_be_none = _takes_none(adapter)

    def checked(result: Any) -> bytes:
        if result is None and not may_be_none:
            # pydantic encodes None as null whatever the type says.
            raise PydanticSerializationError(
                "the function returned None, which its result type does not allow"
            )
        return dump(result, by_alias=True, warnings="error")

    def encode(result: Any) -> bytes:
        if type(result) is not flat:
            return checked(result)
        values = result.__dict__
        shape = (*values, *map(type, values.values()))
        if shape in right:
            return dump(result, by_alias=True, warnings=False)
        encoded = checked(result)
        if len(right) < _KEPT_SHAPES and _SCALARS.issuperset(shape[len(values) :]):
            right.add(shape)
        return encoded

    return checked if flat is None else encode


def _takes_none(adapter: TypeAdapter[Any]) -> bool:
    try:
        adapter.validate_python(None)
    except ValidationError:
        return False
    return True


def _flat_model(schema: Any) -> type | None:
    """Return the class of a model that has scalar fields only, and pydantic's own encoding for all of them."""
    if schema["type"] != "model" or schema.get("root_model") or "serialization" in schema:
        return None
    fields = schema["schema"]
    if fields["type"] != "model-fields" or fields.get("computed_fields") or "serialization" in fields:
        return None
    if schema.get("config", {}).get("extra_fields_behavior") == "allow" or "extras_schema" in fields:
        return None
    plain = all(_is_scalar(field["schema"]) for field in fields["fields"].values())
    cls: type = schema["cls"]
    return cls if plain else None


def _is_scalar(schema: Any) -> bool:
    if "serialization" in schema:
        return False
    if schema["type"] in ("nullable", "default"):
        return _is_scalar(schema["schema"])
    return schema["type"] in _SCALAR_SCHEMAS
