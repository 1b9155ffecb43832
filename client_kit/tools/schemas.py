"""JSON Schemas out of an OpenAPI document, each with what it refers to in `$defs` of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

Json: TypeAlias = dict[str, Any]

COMPONENTS = "#/components/schemas/"
DEFS = "#/$defs/"


def resolve(document: Mapping[str, Any], node: Any) -> Json:
    """Return what a node is, or what it refers to in the document; empty if that is nowhere."""
    for _ in range(32):  # a circle of references means nothing
        if not isinstance(node, dict):
            return {}
        ref = node.get("$ref")
        if not isinstance(ref, str):
            return cast(Json, node)
        node = _look_up(document, ref)
    return {}


def self_contained(schema: Json, document: Mapping[str, Any]) -> Json:
    """Return the schema with every component that it needs under `$defs`."""
    needed: dict[str, Json] = {}
    pending = [_named_refs(schema)]
    components = document.get("components", {}).get("schemas", {})
    while pending:
        for name in pending.pop():
            if name not in needed:
                needed[name] = _rewritten(components.get(name, {}))
                pending.append(_named_refs(components.get(name, {})))
    whole = _rewritten(schema)
    return {**whole, "$defs": dict(sorted(needed.items()))} if needed else cast(Json, whole)


def _look_up(document: Mapping[str, Any], ref: str) -> Any:
    node: Any = document
    for part in ref.removeprefix("#/").split("/"):
        node = (
            node.get(unquote(part).replace("~1", "/").replace("~0", "~")) if isinstance(node, dict) else None
        )
    return node


def _named_refs(node: Any) -> list[str]:
    match node:
        case {"$ref": str(ref)} if ref.startswith(COMPONENTS):
            beside = [name for key, value in node.items() if key != "$ref" for name in _named_refs(value)]
            return [ref.removeprefix(COMPONENTS), *beside]
        case dict():
            return [name for value in node.values() for name in _named_refs(value)]
        case list():
            return [name for value in node for name in _named_refs(value)]
        case _:
            return []


def _rewritten(node: Any) -> Any:
    """Return a schema with references to `$defs`, and 3.0's `nullable` as JSON Schema says it."""
    if isinstance(node, list):
        return [_rewritten(item) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _rewritten(value) for key, value in node.items() if key not in ("discriminator", "xml")}
    ref = found.get("$ref")
    if isinstance(ref, str) and ref.startswith(COMPONENTS):
        found["$ref"] = DEFS + ref.removeprefix(COMPONENTS)
    if found.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
        del found["nullable"]
    return found
