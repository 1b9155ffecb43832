"""Components that are one model in two directions, such as pydantic's `Order-Input` and `Order-Output`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from service_kit.publishing.document.read import Json

_INPUT, _OUTPUT = "-Input", "-Output"


def pairs_of(schemas: Mapping[str, Any]) -> dict[str, str]:
    """Return the common name of each component that differs from its other direction in nothing but what is required.

    A field with a default is always there in what a service sends: to a model that has the default, it is the same.
    """
    bases = {name.removesuffix(_INPUT) for name in schemas if name.endswith(_INPUT)}
    bases = {base for base in bases if f"{base}{_OUTPUT}" in schemas and base not in schemas}
    while True:
        common = {f"{base}{side}": base for base in bases for side in (_INPUT, _OUTPUT)}
        different = {
            base
            for base in bases
            if _normal(schemas[f"{base}{_INPUT}"], common) != _normal(schemas[f"{base}{_OUTPUT}"], common)
        }
        if not different:
            return common
        bases -= different


def _normal(schema: Any, common: Mapping[str, str]) -> str:
    return json.dumps(_normalized(schema, common), sort_keys=True)


def _normalized(value: Any, common: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_normalized(item, common) for item in value]
    if not isinstance(value, dict):
        return value
    members: Json = {k: _normalized(v, common) for k, v in cast(Json, value).items() if k != "title"}
    if isinstance(reference := members.get("$ref"), str):
        place, _, name = reference.rpartition("/")
        members["$ref"] = f"{place}/{common.get(name, name)}"
    if isinstance(members.get("properties"), dict):
        with_default = {n for n, p in members["properties"].items() if isinstance(p, dict) and "default" in p}
        members["required"] = sorted(set(members.get("required", ())) - with_default)
    return members
