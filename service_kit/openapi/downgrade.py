"""OpenAPI 3.1 documents as 3.0.3, for readers that have not moved on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from service_kit.openapi.fragment import METHODS
from service_kit.openapi.schema30 import downgrade_schema
from service_kit.openapi.schemas import Json

_SPDX = "https://spdx.org/licenses/{}.html"


def downgrade(document: Mapping[str, Any]) -> Json:
    """Return an OpenAPI 3.1 document as one of 3.0.3, in new objects where they differ."""
    kept = {k: v for k, v in document.items() if k not in ("webhooks", "jsonSchemaDialect")}
    kept |= {"openapi": "3.0.3", "info": _info(document["info"])}
    kept["paths"] = {
        path: item if path.startswith("x-") else _path_item(item)
        for path, item in document.get("paths", {}).items()
    }
    if "components" in document:
        kept["components"] = _components(document["components"])
    return kept


def _info(info: Mapping[str, Any]) -> Json:
    kept = {k: v for k, v in info.items() if k != "summary"}
    if "identifier" in info.get("license", {}):
        licence = dict(info["license"])
        licence.setdefault("url", _SPDX.format(licence.pop("identifier")))
        kept["license"] = licence
    return kept


def _components(components: Mapping[str, Any]) -> Json:
    converters: dict[str, Callable[[Any], Any]] = {
        "parameters": _described,
        "headers": _described,
        "responses": _response,
        "requestBodies": _described,
        "callbacks": _callback,
    }
    kept: Json = {}
    for kind, section in components.items():
        if kind == "schemas":
            kept[kind] = {name: downgrade_schema(schema) for name, schema in section.items()}
        elif kind != "pathItems":
            kept[kind] = _each(section, converters.get(kind, lambda node: node))
    return kept


def _path_item(item: Mapping[str, Any]) -> Json:
    kept = dict(item)
    if "parameters" in item:
        kept["parameters"] = [_or_reference(p, _described) for p in item["parameters"]]
    for method in METHODS:
        if method in item:
            kept[method] = _operation(item[method])
    return kept


def _operation(operation: Mapping[str, Any]) -> Json:
    kept = dict(operation)
    if "parameters" in operation:
        kept["parameters"] = [_or_reference(p, _described) for p in operation["parameters"]]
    if "requestBody" in operation:
        kept["requestBody"] = _or_reference(operation["requestBody"], _described)
    responses = operation.get("responses") or {"default": {"description": "Any answer."}}
    kept["responses"] = _each(responses, _response)
    if "callbacks" in operation:
        kept["callbacks"] = _each(operation["callbacks"], _callback)
    return kept


def _response(response: Mapping[str, Any]) -> Json:
    kept = _described(response)
    if "headers" in response:
        kept["headers"] = _each(response["headers"], _described)
    return kept


def _described(node: Mapping[str, Any]) -> Json:
    """Convert what has a schema, or media types that have one: a parameter, a header, a body, a response."""
    kept = dict(node)
    if "schema" in node:
        kept["schema"] = downgrade_schema(node["schema"])
    if "content" in node:
        kept["content"] = {media_type: _media_type(m) for media_type, m in node["content"].items()}
    return kept


def _media_type(media_type: Mapping[str, Any]) -> Json:
    kept = {k: v for k, v in media_type.items() if k != "itemSchema"}
    if "schema" in media_type:
        kept["schema"] = downgrade_schema(media_type["schema"])
    encoding: Mapping[str, Any] = media_type.get("encoding", {})
    for name, part in encoding.items():
        if "headers" in part:
            headers = _each(part["headers"], _described)
            kept["encoding"] = {**kept["encoding"], name: {**part, "headers": headers}}
    return kept


def _callback(callback: Mapping[str, Any]) -> Json:
    return {expression: _path_item(item) for expression, item in callback.items()}


def _each(section: Mapping[str, Any], convert: Callable[[Any], Any]) -> Json:
    return {name: _or_reference(node, convert) for name, node in section.items()}


def _or_reference(node: Any, convert: Callable[[Any], Any]) -> Any:
    """Convert what is spelt out; 3.0 allows nothing beside a reference. Extensions may be anything."""
    if not isinstance(node, Mapping):
        return node
    return {"$ref": node["$ref"]} if "$ref" in node else convert(node)
