"""Schemas of OpenAPI 3.1 (JSON Schema 2020-12) as those of 3.0.3.

What 3.0 can say is said exactly. What it cannot say is left out so that the schema admits more, never less:
a document that is too strict makes clients refuse good answers. docs/design/openapi.md lists what is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service_kit.openapi.schemas import Json

_ANNOTATIONS = frozenset(
    {
        "title",
        "description",
        "default",
        "example",
        "deprecated",
        "readOnly",
        "writeOnly",
        "xml",
        "externalDocs",
    }
)
_KEPT = _ANNOTATIONS | {
    "multipleOf", "maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "maxLength", "minLength",
    "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "format", "nullable",
    "discriminator",
}  # fmt: skip
"""Keywords whose values mean the same in both; bounds are looked at once more."""

_LOOSENED = frozenset(
    {
        "prefixItems", "patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems", "contains",
        "minContains", "maxContains", "if", "then", "else", "dependentRequired", "dependentSchemas", "$dynamicRef",
    }
)  # fmt: skip
"""Keywords without which a schema admits more."""

_NO_MERGE = frozenset({"allOf", "anyOf", "oneOf", "not", "nullable"})
"""With these in it, a schema says something of null already, which `nullable` beside them would not change."""

_NULL: Json = {"type": "string", "nullable": True, "enum": [None]}
"""3.0.3 lets `nullable` widen a type only, so that null alone needs one."""


def downgrade_schema(schema: Any) -> Json:
    """Return the schema as OpenAPI 3.0.3 has it."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    if "$ref" in schema:
        return _reference(schema)
    kept: Json = {k: v for k, v in schema.items() if k in _KEPT or k.startswith("x-")}
    _convert_bounds(schema, kept)
    _convert_text(schema, kept)
    _convert_array(schema, kept)
    _convert_object(schema, kept)
    _convert_values(schema, kept)
    _convert_type(schema, kept)
    return _convert_combinations(schema, kept)


def _reference(schema: Mapping[str, Any]) -> Json:
    reference = {"$ref": schema["$ref"]}
    siblings = downgrade_schema({k: v for k, v in schema.items() if k != "$ref"})
    if not siblings:
        return reference
    return {**siblings, "allOf": [reference, *siblings.get("allOf", ())]}


def _convert_bounds(schema: Mapping[str, Any], kept: Json) -> None:
    for inclusive, exclusive, tighter in (
        ("minimum", "exclusiveMinimum", max),
        ("maximum", "exclusiveMaximum", min),
    ):
        bound = schema.get(exclusive)
        if bound is None or isinstance(bound, bool):
            continue
        other = schema.get(inclusive, bound)
        kept[inclusive] = tighter(bound, other)
        if kept[inclusive] == bound:
            kept[exclusive] = True
        else:
            del kept[exclusive]


def _convert_text(schema: Mapping[str, Any], kept: Json) -> None:
    if kept.get("format") == "base64":  # pydantic's word for it
        kept["format"] = "byte"
    if "format" not in kept and schema.get("contentEncoding") == "base64":
        kept["format"] = "byte"
    elif "format" not in kept and schema.get("contentMediaType") == "application/octet-stream":
        kept["format"] = "binary"


def _convert_array(schema: Mapping[str, Any], kept: Json) -> None:
    rest = schema.get("items", True)
    if "prefixItems" not in schema:
        if "items" in schema:
            kept["items"] = downgrade_schema(rest)
        return
    prefix = schema["prefixItems"]
    if rest is False:
        kept["maxItems"] = min(len(prefix), schema.get("maxItems", len(prefix)))
    closed = kept.get("maxItems", len(prefix) + 1) <= len(prefix)
    choices = [downgrade_schema(item) for item in (prefix if closed else [*prefix, rest])]
    distinct = [choice for at, choice in enumerate(choices) if choice not in choices[:at]]
    if {} in distinct:
        kept["items"] = {}
    else:
        kept["items"] = distinct[0] if len(distinct) == 1 else {"anyOf": distinct}


def _convert_object(schema: Mapping[str, Any], kept: Json) -> None:
    if schema.get("required"):
        kept["required"] = list(schema["required"])
    if "properties" in schema:
        kept["properties"] = {name: downgrade_schema(s) for name, s in schema["properties"].items()}
    others = schema.get("additionalProperties", True)
    patterns = [downgrade_schema(s) for s in schema.get("patternProperties", {}).values()]
    if patterns and others is not True:
        choices = patterns if others is False else [*patterns, downgrade_schema(others)]
        kept["additionalProperties"] = choices[0] if len(choices) == 1 else {"anyOf": choices}
    elif "additionalProperties" in schema:
        kept["additionalProperties"] = others if isinstance(others, bool) else downgrade_schema(others)


def _convert_values(schema: Mapping[str, Any], kept: Json) -> None:
    if "const" in schema:
        kept["enum"] = [schema["const"]]
    elif "enum" in schema:
        kept["enum"] = list(schema["enum"])
    if "example" not in kept and isinstance(schema.get("examples"), list) and schema["examples"]:
        kept["example"] = schema["examples"][0]


def _convert_type(schema: Mapping[str, Any], kept: Json) -> None:
    given = schema.get("type", [])
    types = [given] if isinstance(given, str) else list(given)
    names = [name for name in types if name != "null"]
    if types and not names:
        kept.update(_NULL)
        return
    if len(names) == 1:
        kept["type"] = names[0]
        if "null" in types:
            kept["nullable"] = True
        if names[0] == "array":
            kept.setdefault("items", {})
    elif names:
        choices: list[Json] = [{"type": name} for name in names]
        for choice in choices:
            if choice["type"] == "array":
                choice["items"] = kept.pop("items", {})
        if "null" in types:
            choices[0]["nullable"] = True
        kept["allOf"] = [{"anyOf": choices}]


def _convert_combinations(schema: Mapping[str, Any], kept: Json) -> Json:
    if "allOf" in schema:
        kept["allOf"] = [*kept.get("allOf", ()), *map(downgrade_schema, schema["allOf"])]
    if "not" in schema and not _loosens(schema["not"]):
        kept["not"] = downgrade_schema(schema["not"])
    for keyword in ("anyOf", "oneOf"):
        if keyword not in schema:
            continue
        members = schema[keyword]
        merged = _nullable(members, kept)
        if merged is not None:
            kept = merged
        elif keyword == "anyOf" or "discriminator" in schema or not any(map(_loosens, members)):
            kept[keyword] = [downgrade_schema(m) for m in members]
        else:  # of members that admit more, two might admit one value: `oneOf` would then refuse it
            kept["allOf"] = [*kept.get("allOf", ()), {"anyOf": [downgrade_schema(m) for m in members]}]
    return kept


def _nullable(members: list[Any], kept: Json) -> Json | None:
    """Return `kept` with `T` of `T | None` in it, as nullable; None if the members are others or do not fit in."""
    others = [m for m in members if not _is_null(m)]
    if len(others) != 1 or len(members) != 2:
        return None
    inner = downgrade_schema(others[0])
    if "type" not in inner or inner.keys() & _NO_MERGE or (kept.keys() & inner.keys()) - _ANNOTATIONS:
        return None
    if "enum" in inner and None not in inner["enum"]:
        inner["enum"] = [*inner["enum"], None]
    return {**inner, "nullable": True, **kept}


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and (schema.get("type") == "null" or schema.get("enum") == [None])


def _loosens(schema: Any) -> bool:
    """Tell whether a schema mentions a keyword that is left out; a property of such a name counts, too."""
    if isinstance(schema, Mapping):
        return not _LOOSENED.isdisjoint(schema) or any(map(_loosens, schema.values()))
    return isinstance(schema, list) and any(map(_loosens, schema))
