"""The specification as a REST API of API Gateway takes it: OpenAPI 3.0, operations that lead to functions.

What API Gateway does not know is left out, and what it would judge otherwise than the service is left open: it may
refuse only what the specification refuses, and the function looks at everything again. Its limits:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from service_kit.contract.service import ServiceContract
from service_kit.openapi import build_specification, downgrade

Json = dict[str, Any]

_KNOWN = (
    "type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "minItems", "maxItems", "uniqueItems", "required",
)  # fmt: skip
"""Keywords of JSON Schema draft 4, which models of API Gateway are written in, that mean the same there."""

_PARAMETER = re.compile(r"\{([^{}]*)\}")


class RestBody:
    """The body under construction: paths by the names that API Gateway wants them to have."""

    def __init__(self, contract: ServiceContract) -> None:
        document = downgrade(build_specification(contract, url=None, include_rpc=True))
        self._operations: dict[tuple[str, str], Json] = {
            (method.upper(), _PARAMETER.sub("{}", path)): operation
            for path, item in document["paths"].items()
            for method, operation in item.items()
        }
        self._schemas: Json = document["components"].get("schemas", {})
        self._names = _alphanumeric(self._schemas)
        self._siblings: dict[str, str] = {}
        self._used: set[str] = set()
        self._info: Json = document["info"]
        self._paths: Json = {}

    def add(self, method: str, path: str, integration: Any, *, iam: bool = False) -> None:
        """Add an operation that leads to a function; `ANY` stands for all methods that have none of their own."""
        described = self._operations.get((method, _PARAMETER.sub("{}", path)), {})
        known = self._sibling_names(path)
        operation: Json = {"responses": {"default": {"description": "What the service answers"}}}
        if described:
            operation = {"operationId": described["operationId"], **operation}
        names = dict(zip(_PARAMETER.findall(path), _PARAMETER.findall(known), strict=True))
        if parameters := self._parameters(described, names):
            operation["parameters"] = parameters
        if "requestBody" in described:
            operation["requestBody"] = self._request_body(described["requestBody"])
        operation["security"] = [{"sigv4": []}] if iam else []
        operation["x-amazon-apigateway-integration"] = integration
        verb = "x-amazon-apigateway-any-method" if method == "ANY" else method.lower()
        self._paths.setdefault(known, {})[verb] = operation

    def document(self, *, validate: bool) -> Json:
        """Return the whole body."""
        pending, schemas = list(self._used), dict[str, Json]()
        while pending:
            name = pending.pop()
            if name not in schemas:
                schemas[name] = self._schema(self._schemas[name])
                pending += self._used - schemas.keys()
        document: Json = {"openapi": "3.0.1", "info": self._info, "paths": self._paths}
        components: Json = {}
        if schemas:
            components["schemas"] = {self._names[name]: schemas[name] for name in sorted(schemas)}
        if any(op["security"] for item in self._paths.values() for op in item.values()):
            components["securitySchemes"] = {"sigv4": _SIGV4}
        if components:
            document["components"] = components
        if validate:
            document["x-amazon-apigateway-request-validators"] = {
                "all": {"validateRequestBody": True, "validateRequestParameters": True}
            }
            document["x-amazon-apigateway-request-validator"] = "all"
        return document

    def _sibling_names(self, path: str) -> str:
        """Return the path with the parameters' names that its siblings have: API Gateway allows one per place."""
        known = ""
        for segment in path.split("/")[1:]:
            if _PARAMETER.fullmatch(segment):
                segment = self._siblings.setdefault(known, segment)
            known = f"{known}/{segment}"
        return known

    def _parameters(self, described: Mapping[str, Any], names: Mapping[str, str]) -> list[Json]:
        return [
            {
                "name": names.get(p["name"], p["name"]) if p["in"] == "path" else p["name"],
                "in": p["in"],
                "required": p.get("required", False),
                "schema": {"type": "string"},
            }
            for p in described.get("parameters", ())
            if p["in"] != "cookie"  # API Gateway has none
        ]

    def _request_body(self, body: Mapping[str, Any]) -> Json:
        content = {
            media_type: {"schema": self._schema(described.get("schema", {}))}
            for media_type, described in body["content"].items()
        }
        return {"required": body.get("required", False), "content": content}

    def _schema(self, schema: Mapping[str, Any]) -> Json:
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            self._used.add(name)
            return {"$ref": f"#/components/schemas/{self._names[name]}"}
        if schema.get("nullable"):
            return {}  # API Gateway knows no null
        kept: Json = {keyword: schema[keyword] for keyword in _KNOWN if keyword in schema}
        for keyword, rewrite in self._nested().items():
            if keyword in schema:
                kept[keyword] = rewrite(schema[keyword])
        return kept

    def _nested(self) -> dict[str, Callable[[Any], Any]]:
        def each(schemas: list[Any]) -> list[Json]:
            return [self._schema(schema) for schema in schemas]

        def by_name(schemas: Mapping[str, Any]) -> Json:
            return {name: self._schema(schema) for name, schema in schemas.items()}

        def maybe(schema: Any) -> Any:
            return schema if isinstance(schema, bool) else self._schema(schema)

        return {
            "properties": by_name, "items": self._schema, "additionalProperties": maybe,
            "anyOf": each, "allOf": each,
        }  # fmt: skip


_SIGV4: Json = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def _alphanumeric(schemas: Mapping[str, Any]) -> dict[str, str]:
    """Return the name that each schema has as a model of API Gateway."""
    names: dict[str, str] = {}
    for name in schemas:
        base = free = re.sub(r"[^A-Za-z0-9]", "", name) or "Model"
        number = 1
        while free in names.values():
            number += 1
            free = f"{base}{number}"
        names[name] = free
    return names
