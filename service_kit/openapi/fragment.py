"""Raw routes: the fragment of a specification that FastAPI wrote, merged into ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service_kit.openapi.names import unique_name
from service_kit.openapi.paths import Paths
from service_kit.openapi.schemas import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_FASTAPI_422 = ("HTTPValidationError", "ValidationError")
"""What FastAPI says of invalid input; a service answers with its own problem instead."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the service puts around a raw route."""

    security: list[Json]
    """The service's requirements, which hold beside the route's own."""
    invalid_input: Json
    """The response to invalid input."""


def merge(paths: Paths, components: Json, fragment: Mapping[str, Any], around: Around) -> None:
    """Add the fragment's operations and components where ours leave room.

    What has a name that is taken gets another one, and what refers to it follows; equal components are one.
    """
    theirs = _with_our_422(fragment, around.invalid_input)
    renamed = _renames(components, theirs["components"])
    for kind, section in theirs["components"].items():
        ours = components.setdefault(kind, {})
        for name, component in section.items():
            new = renamed.get(_pointer(kind, name), _pointer(kind, name)).rpartition("/")[2]
            ours.setdefault(new, _follow(component, renamed))
    taken = {op["operationId"] for item in paths.items.values() for op in item.values()}
    for template, item in theirs["paths"].items():
        for method in METHODS:
            if method in item:
                operation = _follow(_own(item[method], item.get("parameters", [])), renamed)
                _secure(operation, around.security, renamed)
                if "operationId" in operation:
                    operation["operationId"] = unique_name(operation["operationId"], taken)
                if paths.add(template, method, operation):
                    taken.add(operation.get("operationId", ""))


def _with_our_422(fragment: Mapping[str, Any], response: Json) -> Json:
    """Return paths and components in which invalid input gets our response, without schemas only theirs needed."""
    default = {"application/json": {"schema": {"$ref": _pointer("schemas", _FASTAPI_422[0])}}}

    def replace(node: Any) -> Any:
        if isinstance(node, dict):
            found = node.get("422")
            kept = {key: replace(value) for key, value in node.items()}
            if isinstance(found, dict) and found.get("content") == default:
                kept["422"] = response
            return kept
        return [replace(value) for value in node] if isinstance(node, list) else node

    components = {kind: dict(section) for kind, section in fragment.get("components", {}).items()}
    kept: Json = {"paths": replace(fragment.get("paths", {})), "components": components}
    for name in _FASTAPI_422:
        if f'"{_pointer("schemas", name)}"' not in json.dumps(kept):
            components.get("schemas", {}).pop(name, None)
    return kept


def _renames(ours: Json, theirs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    renamed: dict[str, str] = {}
    for kind, section in theirs.items():
        taken = ours.get(kind, {})
        for name, component in section.items():
            if name in taken and taken[name] != component:
                renamed[_pointer(kind, name)] = _pointer(
                    kind, unique_name(f"{name}_raw", {**taken, **section})
                )
    return renamed


def _own(operation: Mapping[str, Any], shared: list[Any]) -> Json:
    """Return an operation with the parameters of its whole path in it."""
    kept = dict(operation)
    if shared:
        kept["parameters"] = [*shared, *operation.get("parameters", ())]
    return kept


def _secure(operation: Json, security: list[Json], renamed: Mapping[str, str]) -> None:
    """Let a route's own requirements hold beside the service's, as both are checked."""
    if not operation.get("security"):
        operation.pop("security", None)
        return
    own = [
        {
            renamed.get(_pointer("securitySchemes", name), f"/{name}").rpartition("/")[2]: scopes
            for name, scopes in requirement.items()
        }
        for requirement in operation["security"]
    ]
    operation["security"] = [{**ours, **theirs} for ours in security or [{}] for theirs in own]


def _pointer(kind: str, name: str) -> str:
    return f"#/components/{kind}/{name}"


def _follow(node: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _follow(value, renamed) for key, value in node.items()}
    if isinstance(node, list):
        return [_follow(value, renamed) for value in node]
    return renamed.get(node, node) if isinstance(node, str) else node
