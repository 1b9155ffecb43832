"""Raw routes: the fragment of a specification that FastAPI wrote, merged into ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service_kit.openapi.names import unique_name
from service_kit.openapi.paths import Paths
from service_kit.openapi.schemas import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def merge_components(components: Json, fragment: Mapping[str, Any]) -> Json:
    """Put the fragment's components beside ours; return its paths, their references following renamed components.

    A component that is ours keeps its name; the fragment's of that name takes another, unless they are equal.
    """
    renamed: dict[str, str] = {}
    for kind, theirs in fragment.get("components", {}).items():
        ours = components.get(kind, {})
        for name, component in theirs.items():
            if name in ours and ours[name] != component:
                free = unique_name(f"{name}_raw", {**ours, **theirs})
                renamed[f"#/components/{kind}/{name}"] = f"#/components/{kind}/{free}"
    for kind, theirs in fragment.get("components", {}).items():
        ours = components.setdefault(kind, {})
        for name, component in theirs.items():
            new = renamed.get(f"#/components/{kind}/{name}", f"/{name}").rpartition("/")[2]
            ours.setdefault(new, _follow(component, renamed))
    paths: Json = _follow(fragment.get("paths", {}), renamed)
    return paths


def merge_paths(paths: Paths, fragment: Mapping[str, Any], operation_ids: set[str]) -> None:
    """Add the fragment's operations where ours leave room; each keeps its id unless that is taken."""
    for template, item in fragment.items():
        shared = item.get("parameters", [])
        for method in METHODS:
            if method not in item:
                continue
            operation = dict(item[method])
            if shared:
                operation["parameters"] = [*shared, *operation.get("parameters", ())]
            if "operationId" in operation:
                operation["operationId"] = unique_name(operation["operationId"], operation_ids)
            if paths.add(template, method, operation):
                operation_ids.add(operation.get("operationId", ""))


def _follow(node: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _follow(value, renamed) for key, value in node.items()}
    if isinstance(node, list):
        return [_follow(value, renamed) for value in node]
    return renamed.get(node, node) if isinstance(node, str) else node
