"""Nulls that strict mode demanded: what a model sends for an argument that it would have left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from client_kit.tools.schemas import DEFS, Json

Definitions: TypeAlias = Mapping[str, Json]


def without_nulls(schema: Mapping[str, Any], value: Any) -> Any:
    """Return arguments without the nulls that stand for absent members, because strict mode made them required.

    `schema` is the one of before: a null that it admits stays. In a union it stays if one of the alternatives that
    the value could be admits it.
    """
    return _pruned([schema], value, schema.get("$defs", {}))


def _pruned(schemas: Sequence[Mapping[str, Any]], value: Any, definitions: Definitions) -> Any:
    """Return a value without the nulls that none of these schemas takes."""
    if not isinstance(value, dict | list):
        return value
    known = [one for schema in schemas for one in _alternatives(schema, definitions)]
    possible = [one for one in known if _could_be(one, value, definitions)] or known
    if isinstance(value, list):
        items: list[Json] = [one.get("items") or {} for one in possible]
        return [_pruned(items, item, definitions) for item in value]
    kept: Json = {}
    for name, member in cast(Json, value).items():
        owners = [one for one in possible if name in one.get("properties", {})]
        if member is not None or not owners or any(_takes_null(one, name, definitions) for one in owners):
            kept[name] = _pruned([one["properties"][name] for one in owners], member, definitions)
    return kept


def _alternatives(
    schema: Mapping[str, Any], definitions: Definitions, seen: frozenset[str] = frozenset()
) -> Iterator[Mapping[str, Any]]:
    """Yield the schemas, without references, of which one is for the value."""
    ref = schema.get("$ref")
    if isinstance(ref, str):
        if ref not in seen:
            yield from _alternatives(definitions.get(ref.removeprefix(DEFS), {}), definitions, seen | {ref})
        return
    choices: list[Json] = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    for choice in choices:
        yield from _alternatives(choice, definitions, seen)
    if not choices:
        yield schema


def _could_be(schema: Mapping[str, Any], value: Json | list[Any], definitions: Definitions) -> bool:
    """Tell whether a value may be of a schema, by its kind and by the members that have one value, or few."""
    kinds = schema.get("type", ())
    kind = "array" if isinstance(value, list) else "object"
    if kinds and kind not in ([kinds] if isinstance(kinds, str) else kinds):
        return False
    if isinstance(value, list):
        return True
    properties: Mapping[str, Json] = schema.get("properties", {})
    required = schema.get("required", ())
    if any(name not in value for name in required):
        return False
    told = {name: value[name] for name in properties.keys() & value.keys()}
    return all(
        _is_one_of(properties[name], member, definitions)
        for name, member in told.items()
        if member is not None or name in required  # else it stands for an absent one
    )


def _is_one_of(schema: Mapping[str, Any], value: Any, definitions: Definitions) -> bool:
    return any(
        value == one["const"] if "const" in one else value in one.get("enum", (value,))
        for one in _alternatives(schema, definitions)
    )


def _takes_null(schema: Mapping[str, Any], name: str, definitions: Definitions) -> bool:
    """Tell whether a member of an object has to be there, or may be null."""
    if name in schema.get("required", ()):
        return True
    for one in _alternatives(schema["properties"][name], definitions):
        kinds = one.get("type")
        if kinds == "null" or (isinstance(kinds, list) and "null" in kinds):
            return True
        if None in one.get("enum", ()) or one.get("const", ...) is None:
            return True
    return False
