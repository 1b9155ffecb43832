"""Examples of calls: values that fit a schema, and the curl command that sends them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from pydantic.errors import PydanticInvalidForJsonSchema

from service_kit.contract.command import AnyCommand
from service_kit.contract.route import RPC_PREFIX
from service_kit.contract.security import AnyScheme, ApiKey, AwsIam, Bearer, Jwt
from service_kit.contract.service import ServiceContract

_DEEPEST = 6
_FORMATS = {
    "date": "2030-01-31",
    "date-time": "2030-01-31T12:00:00Z",
    "time": "12:00:00",
    "duration": "PT1H",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "somebody@example.com",
    "uri": "https://example.com",
    "binary": "",
}


def curl(contract: ServiceContract, declared: AnyCommand, url: str) -> str:
    """Return the shell command that calls a command's RPC route with sample arguments."""
    body = json.dumps(sample_of(declared), ensure_ascii=False)
    proof = [part for scheme in contract.security_of(declared)[:1] for part in _credentials(scheme)]
    parts = ["curl", *(["-N"] if declared.streaming else []), f"{url}{RPC_PREFIX}{declared.name}"]
    return shlex.join([*parts, *proof, "-H", "content-type: application/json", "-d", body])


def sample_of(declared: AnyCommand) -> Any:
    """Return a body for a command: its required parameters, each with an example or the plainest value."""
    schema = input_schema(declared)
    return sample(schema, schema.get("$defs", {}))


def input_schema(declared: AnyCommand) -> dict[str, Any]:
    """Return the schema of a command's RPC body; empty for types that JSON Schema cannot describe."""
    try:
        return declared.codec.rpc.adapter.json_schema()
    except PydanticInvalidForJsonSchema:
        return {}


def sample(schema: object, definitions: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a value that fits a schema, as far as its keywords say; null where it is too deep."""
    if depth > _DEEPEST:
        return None
    return _sample(resolved(schema, definitions), definitions, depth)


def resolved(schema: object, definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a `$ref` among `definitions` stands for, or the schema itself; empty for one that says nothing."""
    seen = 0
    while isinstance(schema, Mapping) and "$ref" in schema and seen < _DEEPEST:
        schema, seen = definitions.get(schema["$ref"].rpartition("/")[2], {}), seen + 1
    return schema if isinstance(schema, Mapping) else {}  # JSON Schema has `true` and `false` as well


def _sample(schema: Mapping[str, Any], definitions: Mapping[str, Any], depth: int) -> Any:
    for keyword in ("examples", "enum"):
        if schema.get(keyword):
            return schema[keyword][0]
    for keyword in ("const", "default"):
        if keyword in schema:
            return schema[keyword]
    for keyword in ("anyOf", "oneOf", "allOf"):
        choices = schema.get(keyword)
        if choices:
            return None if {"type": "null"} in choices else sample(choices[0], definitions, depth + 1)
    match schema.get("type"):
        case "object":
            members = schema.get("properties", {})
            return {n: sample(members.get(n, {}), definitions, depth + 1) for n in schema.get("required", ())}
        case "array" if "prefixItems" in schema:
            return [sample(item, definitions, depth + 1) for item in schema["prefixItems"]]
        case "array":
            return [sample(schema.get("items", {}), definitions, depth + 1)] * min(
                schema.get("minItems", 0), 3
            )
        case "string":
            return _text(schema)
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
        case _:
            return None


def _text(schema: Mapping[str, Any]) -> str:
    known = _FORMATS.get(schema.get("format", ""))
    if known is not None:
        return known
    return "text"[: schema.get("maxLength", 4)].ljust(schema.get("minLength", 0), "x")


def _credentials(scheme: AnyScheme) -> list[str]:
    match scheme:
        case Bearer() | Jwt():
            return ["-H", "authorization: Bearer <token>"]
        case ApiKey(location="header"):
            return ["-H", f"{scheme.parameter}: <key>"]
        case ApiKey(location="cookie"):
            return ["-b", f"{scheme.parameter}=<key>"]
        case ApiKey():
            return ["--url-query", f"{scheme.parameter}=<key>"]
        case AwsIam():
            return []
