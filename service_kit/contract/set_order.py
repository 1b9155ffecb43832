"""Serializers that write the members of sets in one order, whatever their hashes.

They are pydantic's own, built from the type's core schema with two things replaced: a set is written as the list of
its members in the order of their JSON, and a value whose type says nothing (`Any`) is looked at when it is written.
Everything else, a model's JSON settings and its functions included, stays pydantic's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationUnexpectedValue, SchemaSerializer, core_schema, to_json

from service_kit.contract.request_writer import build_serializer

_NO_SCHEMAS = frozenset({"metadata", "config", "default", "expected", "members", "keys_schema"})
"""What may hold objects and lists and is no part of a value's schema; and keys, which are texts in JSON."""
_OPEN = frozenset({"any", "is-instance", "function-plain", "call"})
"""Schemas whose values pydantic writes by what they are, not by a type."""
_SETS: dict[str, type] = {"set": set, "frozenset": frozenset}


def ordering_serializer(adapter: TypeAdapter[Any]) -> SchemaSerializer | None:
    """Return the serializer of a type whose values may hold sets, None for a type without: use its own."""
    schema = adapter.core_schema
    ordered = _ordered(schema)
    return None if ordered is schema else build_serializer(ordered)


def _ordered(schema: Any, config: Mapping[str, Any] | None = None) -> Any:
    """Return the schema that orders sets; this very one if it has none."""
    if isinstance(schema, list | tuple):
        items = [_ordered(item, config) for item in schema]
        same = all(new is old for new, old in zip(items, schema, strict=True))
        return schema if same else type(schema)(items)
    if not isinstance(schema, Mapping):
        return schema
    if not isinstance(schema.get("type"), str):  # fields, or choices, by their names
        fields = {name: _ordered(item, config) for name, item in schema.items()}
        return schema if all(fields[name] is schema[name] for name in fields) else fields
    return _ordered_node(schema, schema.get("config", config))


def _ordered_node(schema: Mapping[str, Any], config: Mapping[str, Any] | None) -> Any:
    how = schema.get("serialization")
    if how is not None:
        written = _ordered_function(how, schema, config)
        return schema if written is how else {**schema, "serialization": written}
    kind = schema["type"]
    if kind in _OPEN:
        return _looked_at()
    changed = {
        key: new
        for key, old in schema.items()
        if key not in _NO_SCHEMAS and (new := _ordered(old, config)) is not old
    }
    if kind in _SETS:
        items = changed.get("items_schema", schema.get("items_schema", core_schema.any_schema()))
        return {**schema, "serialization": _members_in_order(_SETS[kind], items)}
    if kind in ("model-fields", "typed-dict") and "extras_schema" not in schema and _extras(schema, config):
        changed["extras_schema"] = _looked_at()
    if not changed:
        return schema
    ordered = {**schema, **changed}
    return {**ordered, "serialization": ordered} if kind in ("model", "dataclass") else ordered


def _extras(schema: Mapping[str, Any], config: Mapping[str, Any] | None) -> bool:
    allowed = schema.get("extra_behavior") or (config or {}).get("extra_fields_behavior")
    return bool(allowed == "allow")


def _ordered_function(how: Mapping[str, Any], schema: Any, config: Mapping[str, Any] | None) -> Any:
    """Return a serializer of the user's, or of pydantic's, that orders what it hands on and what it gives."""
    if how["type"] not in ("function-plain", "function-wrap"):
        return how
    changed: dict[str, Any] = {}
    if how["type"] == "function-wrap":
        inner = how.get("schema") or {key: value for key, value in schema.items() if key != "serialization"}
        ordered = _ordered(inner, config)
        if ordered is not inner:
            changed["schema"] = ordered
    if "return_schema" in how:
        given = _ordered(how["return_schema"], config)
        if given is not how["return_schema"]:
            changed["return_schema"] = given
    # pydantic's own give no sets: to look at each Path and its like would be for nothing.
    elif not getattr(how["function"], "__module__", "").startswith("pydantic."):
        changed["return_schema"] = _looked_at()
    return {**how, **changed} if changed else how


def _members_in_order(kind: type, items: Any) -> Any:
    def members(given: object, write: Callable[[Any], Any]) -> list[Any]:
        if not isinstance(given, kind):
            raise PydanticSerializationUnexpectedValue(f"Expected `{kind.__name__}`, got {given!r:.80}")
        value: Any = given
        return sorted(value, key=lambda member: _text(write(member))) if len(value) > 1 else list(value)

    return core_schema.wrap_serializer_function_ser_schema(
        members, schema=items, return_schema=core_schema.list_schema(items)
    )


def _text(value: Any) -> bytes:
    return to_json(value, by_alias=True, bytes_mode="base64", inf_nan_mode="constants")


def _looked_at() -> Any:
    how = core_schema.plain_serializer_function_ser_schema(_look, return_schema=core_schema.any_schema())
    return core_schema.any_schema(serialization=how)


def _look(value: Any) -> Any:
    try:
        return _with_order(value)
    except RecursionError:
        return value  # it holds itself, and pydantic says so


def _with_order(value: Any) -> Any:
    """Return what has the same JSON but for the order of sets."""
    if value is None or type(value) in (str, int, float, bool):
        return value
    if hasattr(type(value), "__pydantic_serializer__"):
        serializer = _serializer_of(cast(Any, type(value)))
        return value if serializer is None else _InOrder(value, serializer)
    if isinstance(value, dict):
        return {key: _with_order(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_with_order(member) for member in value]
    if isinstance(value, set | frozenset):
        return sorted(map(_with_order, value), key=_text)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _with_order(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


@dataclasses.dataclass(frozen=True, slots=True)
class _InOrder:
    """A model or dataclass whose place has no type, with the serializer that pydantic is to take for it."""

    value: Any
    __pydantic_serializer__: SchemaSerializer


@lru_cache(maxsize=1024)
def _serializer_of(cls: Any) -> SchemaSerializer | None:
    """Return what writes an `_InOrder` of this class; None if pydantic may write the value itself."""
    schema = cls.__pydantic_core_schema__
    ordered = _ordered(schema)
    if ordered is schema:
        return None
    how = core_schema.plain_serializer_function_ser_schema(lambda it: it.value, return_schema=ordered)
    return build_serializer(core_schema.any_schema(serialization=how))
