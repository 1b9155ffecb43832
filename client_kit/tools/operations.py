"""Operations of an OpenAPI document as functions: a name, a description, one object of arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

from client_kit.tools.schemas import Json, resolve, self_contained

Location: TypeAlias = Literal["path", "query", "header", "cookie", "member", "body"]
"""Where an argument travels; `member` is one of the body's object, `body` is all of it."""

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
NAME_LIMIT = 64
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one argument travels, and under which name."""

    location: Location
    wire_name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as a model sees it, and as a call of it is sent."""

    name: str
    """1 to 64 of `A-Za-z0-9_-`, unique in its document: what every model API accepts."""
    description: str
    method: str
    path: str
    parameters: Json
    """JSON Schema of the object of arguments, self-contained."""
    places: Mapping[str, Place] = field(default_factory=dict[str, Place])
    streaming: bool = False
    """Whether it answers with server-sent events."""
    consequential: bool = True
    """Whether an agent should ask before it calls."""

    @property
    def idempotent(self) -> bool:
        return self.method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")


def read_operations(document: Mapping[str, Any]) -> tuple[list[Operation], dict[str, str]]:
    """Return what a model can call, and, by name, why it cannot call the rest.

    Takes OpenAPI 3.1; of 3.0 what says the same there, and `nullable`.
    """
    operations: list[Operation] = []
    unusable: dict[str, str] = {}
    taken: set[str] = set()
    for path, raw in document.get("paths", {}).items():
        if path.startswith("x-"):
            continue  # an extension, no path
        item = resolve(document, raw)
        for method in METHODS:
            if not isinstance(item.get(method), dict):
                continue
            node: Json = item[method]
            name = _unique(node.get("operationId") or f"{method}_{path.strip('/')}", taken)
            if not path.startswith("/"):  # behind the URL of the service it could name another host
                unusable[name] = f"its path '{path}' does not begin with '/'"
                continue
            parameters = _parameters(document, item, node)
            body = resolve(document, node["requestBody"]) if "requestBody" in node else None
            if body is not None and _JSON not in body.get("content", {}):
                unusable[name] = f"its body is {' or '.join(body.get('content', {})) or 'nothing'}, not JSON"
                continue
            operations.append(_operation(document, (name, method.upper(), path), node, parameters, body))
    return operations, unusable


def _operation(
    document: Mapping[str, Any],
    place: tuple[str, str, str],
    node: Json,
    parameters: list[Json],
    body: Json | None,
) -> Operation:
    name, method, path = place
    properties, required, places = _of_parameters(parameters)
    if body is not None:
        _add_body(document, body, properties, required, places)
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        schema["required"] = required
    consequential = node.get("x-openai-isConsequential")
    return Operation(
        name=name,
        description=str(node.get("description") or node.get("summary") or name.replace("_", " ")).strip(),
        method=method,
        path=path,
        parameters=self_contained(schema, document),
        places=places,
        streaming=_streams(document, node),
        consequential=consequential if isinstance(consequential, bool) else method not in ("GET", "HEAD"),
    )


def _parameters(document: Mapping[str, Any], item: Json, node: Json) -> list[Json]:
    """Return the operation's parameters, those of its path among them unless it has them itself."""
    found: dict[tuple[Any, Any], Json] = {}
    for raw in [*item.get("parameters", ()), *node.get("parameters", ())]:
        described = resolve(document, raw)
        found[described.get("in"), described.get("name")] = described
    return [described for (place, name), described in found.items() if _is_carried(place, name)]


def _is_carried(place: object, name: object) -> bool:
    """Tell whether an argument may be a parameter: some headers are the client's own, says OpenAPI."""
    if place not in ("path", "query", "header", "cookie") or not isinstance(name, str):
        return False
    return place != "header" or name.lower() not in ("accept", "content-type", "authorization")


def _of_parameters(parameters: Iterable[Json]) -> tuple[Json, list[str], dict[str, Place]]:
    properties: Json = {}
    required: list[str] = []
    places: dict[str, Place] = {}
    for described in parameters:
        name = _free(described["name"], properties)
        schema: Json = dict(described.get("schema", {}))
        if "description" in described:
            schema["description"] = described["description"]
        properties[name] = schema
        places[name] = Place(described["in"], described["name"])
        if described.get("required"):
            required.append(name)
    return properties, required, places


def _add_body(
    document: Mapping[str, Any],
    body: Json,
    properties: Json,
    required: list[str],
    places: dict[str, Place],
) -> None:
    """Add the body: its members, if it is an object of known ones that no parameter has the name of."""
    schema: Json = body["content"][_JSON].get("schema", {})
    whole = resolve(document, schema)
    members = whole.get("properties")
    plain = not {"anyOf", "oneOf", "allOf"} & whole.keys() and not whole.get("additionalProperties")
    if isinstance(members, dict) and members and plain and not members.keys() & properties.keys():
        for name, member in cast(Json, members).items():
            properties[name] = member
            places[name] = Place("member", name)
        required += [name for name in whole.get("required", ()) if name in members]
        return
    name = _free("body", properties)
    properties[name] = {"description": body["description"], **schema} if "description" in body else schema
    places[name] = Place("body", name)
    if body.get("required"):
        required.append(name)


def _streams(document: Mapping[str, Any], node: Json) -> bool:
    answers = (
        resolve(document, raw) for status, raw in node.get("responses", {}).items() if status[:1] == "2"
    )
    return any("text/event-stream" in answer.get("content", {}) for answer in answers)


def _unique(operation_id: str, taken: set[str]) -> str:
    clean = re.sub(r"[^A-Za-z0-9_-]+", "_", operation_id).strip("_")[:NAME_LIMIT] or "operation"
    name, number = clean, 2
    while name in taken:
        suffix = f"_{number}"
        name, number = clean[: NAME_LIMIT - len(suffix)] + suffix, number + 1
    taken.add(name)
    return name


def _free(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name
