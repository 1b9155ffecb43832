"""What is known of a command before it is called: from the class, or from a running service's specification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

from client_kit.errors import CallError
from client_kit.transports import Transport
from client_kit.wire import Request
from service_kit.cli.failures import Unusable
from service_kit.cli.samples import input_schema
from service_kit.contract.security import ApiKey
from service_kit.contract.service import ServiceContract

Location: TypeAlias = Literal["header", "query", "cookie"]


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a service wants its API key."""

    location: Location = "header"
    name: str = "X-API-Key"


@dataclass(frozen=True, slots=True)
class Callee:
    """A command to call."""

    command: str
    schema: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of its arguments; empty if nothing is known."""
    key_place: KeyPlace = KeyPlace()
    commands: tuple[str, ...] = ()
    """All that the service offers, as far as it is known."""

    def near_names(self) -> str:
        """Return the cure for a name that the service does not know."""
        near = get_close_matches(self.command, self.commands, n=1)
        if near:
            return f"did you mean '{near[0]}'?"
        return f"it has {', '.join(self.commands)}" if self.commands else ""


def described_by_contract(contract: ServiceContract, command: str) -> Callee:
    """Return what the class says of a command; raise Unusable if it has none of that name."""
    declared = contract.commands.get(command)
    if declared is None and command in contract.workflows:
        raise Unusable(
            f"'{command}' of service '{contract.name}' is a workflow, and no command",
            f"start it where the service runs: service-kit executions start {command}",
        )
    if declared is None:
        unknown = Callee(command, commands=tuple(contract.commands))
        raise Unusable(f"service '{contract.name}' has no command '{command}'", unknown.near_names())
    keys = (s for s in contract.security_of(declared) if isinstance(s, ApiKey))
    places = (KeyPlace(scheme.location, scheme.parameter) for scheme in keys)
    return Callee(command, input_schema(declared), next(places, KeyPlace()), tuple(contract.commands))


async def described_by_service(
    transport: Transport, url: str, headers: Mapping[str, str], command: str
) -> Callee:
    """Return what a running service's specification says of a command: nothing, if it cannot be read."""
    request = Request(f"{url}/openapi.json", {**headers, "accept": "application/json"}, b"", method="GET")
    try:
        response = await transport.send(request)
        if response.status != 200:
            return Callee(command)
        return _read(json.loads(response.body), command)
    except (CallError, ValueError, LookupError, TypeError, AttributeError):
        # Anything may be there, and any part of it may be malformed: the call itself will tell what is wrong.
        return Callee(command)


def _read(document: Mapping[str, Any], command: str) -> Callee:
    components: Mapping[str, Any] = document.get("components") or {}
    operations = {
        operation["operationId"]: operation
        for item in (document.get("paths") or {}).values()
        for operation in item.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    schemas: Mapping[str, Any] = components.get("schemas") or {}
    properties = _properties(operations.get(command, {}), schemas)
    schemes: Mapping[str, Any] = components.get("securitySchemes") or {}
    places = (
        KeyPlace(scheme["in"], scheme["name"])
        for scheme in schemes.values()
        if scheme.get("type") == "apiKey"
        and scheme["in"] in ("header", "query", "cookie")
        and "x-amazon-apigateway-authtype" not in scheme
    )
    schema = {"properties": properties, "$defs": schemas}
    return Callee(command, schema, next(places, KeyPlace()), tuple(operations))


def _properties(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas of an operation's parameters and of its body's members, by name."""
    found = {p["name"]: p.get("schema", {}) for p in operation.get("parameters", ()) if "name" in p}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in body:
        body = schemas.get(body["$ref"].rpartition("/")[2], {})
    return {**found, **body.get("properties", {})}
