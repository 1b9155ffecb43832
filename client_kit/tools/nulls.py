"""Nulls that strict mode demanded: what a model sends for an argument that it would have left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from client_kit.tools.schemas import DEFS, Json


def without_nulls(schema: Mapping[str, Any], value: Any) -> Any:
    """Return arguments without the nulls that stand for absent members, because strict mode made them required.

    `schema` is the one of before: a null that it admits stays.
    """
    return _pruned(schema, value, schema.get("$defs", {}))


def _pruned(schema: Mapping[str, Any], value: Any, definitions: Mapping[str, Json]) -> Any:
    if "$ref" in schema:
        schema = definitions.get(str(schema["$ref"]).removeprefix(DEFS), {})
    choices: list[Json] = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if choices:
        for choice in choices:
            value = _pruned(choice, value, definitions)
        return value
    if isinstance(value, list):
        return [_pruned(schema.get("items") or {}, item, definitions) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    members: Mapping[str, Json] = schema["properties"]
    required = schema.get("required", ())
    return {
        name: _pruned(members.get(name, {}), member, definitions)
        for name, member in cast(Json, value).items()
        if member is not None
        or name in required
        or name not in members
        or _takes_null(members[name], definitions)
    }


def _takes_null(schema: Mapping[str, Any], definitions: Mapping[str, Json]) -> bool:
    if "$ref" in schema:
        schema = definitions.get(str(schema["$ref"]).removeprefix(DEFS), {})
    if any(
        _takes_null(choice, definitions) for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    ):
        return True
    kinds = schema.get("type")
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds) or None in schema.get("enum", ())
