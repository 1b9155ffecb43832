"""Default values of parameters, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic_core import SchemaSerializer, SchemaValidator, core_schema

from service_kit.contract.codec import BodyCodec
from service_kit.contract.parameters import Parameter
from service_kit.openapi.schemas import Json


def show_default(schema: Json, core: Any, default: Any) -> Json:
    """Return the schema with the default, encoded through its type; as it is if the default is not of that type.

    A default that a caller could not send (a sentinel, a number out of its own bounds) is no JSON default.
    """
    try:
        encoded = SchemaSerializer(core).to_json(default, by_alias=True, warnings="error")
        SchemaValidator(core).validate_json(encoded)
    except Exception:  # noqa: BLE001 - serializers and validators are the user's code
        return schema
    value = json.loads(encoded)
    if isinstance(default, set | frozenset):
        value.sort(key=json.dumps)  # the order of a set changes from one process to the next
    return {**schema, "default": value}


def show_body_defaults(schema: Json, body: BodyCodec) -> Json:
    """Return the schema of a body with its parameters' defaults in it."""
    if body.flat is not None:
        return (
            schema
            if body.flat.required
            else show_default(schema, body.adapter.core_schema, body.flat.default)
        )
    if all(p.required for p in body.parameters):
        return schema
    properties: Json = dict(schema.get("properties", {}))
    for p, name, core in _fields(body):
        if not p.required and name in properties:
            properties[name] = show_default(properties[name], core, p.default)
    return {**schema, "properties": properties}


def _fields(body: BodyCodec) -> Iterator[tuple[Parameter, str, Any]]:
    """Yield each parameter with its member of the body and the core schema of its values."""
    whole: Any = body.adapter.core_schema
    definitions = whole["definitions"] if whole["type"] == "definitions" else []
    fields = (whole["schema"] if definitions else whole)["fields"]
    for p in body.parameters:
        field = fields[p.name]
        core = field["schema"]
        yield (
            p,
            _member(field.get("validation_alias", p.name)),
            core_schema.definitions_schema(core, definitions) if definitions else core,
        )


def _member(alias: Any) -> str:
    """Return the member that a field is read from, as pydantic's schemas name it."""
    if isinstance(alias, str):
        return alias
    return next((path[0] for path in alias if len(path) == 1 and isinstance(path[0], str)), "")
