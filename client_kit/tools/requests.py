"""Calls of an operation as requests: the contract of what is known by its document alone. JSON in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from client_kit.contracts import ErrorContract, RestRequest
from client_kit.options import check_header_value
from client_kit.tools.operations import Operation
from client_kit.tools.schemas import Json


class WrongArguments(TypeError):
    """Say how the arguments of a call do not fit its operation."""


class OperationContract:
    """An operation as the client calls it. Nothing is declared as a class here: failures are ProblemErrors."""

    errors: Mapping[str, ErrorContract] = {}
    errors_by_status: Mapping[int, ErrorContract] = {}

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.name: str = operation.name
        self.path: str = operation.path
        self.streaming: bool = operation.streaming
        self.idempotent: bool = operation.idempotent

    def encode_request(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> RestRequest:
        """Return the request; raise WrongArguments for those that are unknown, lack, or cannot be in a path."""
        operation = self.operation
        unknown = kwargs.keys() - operation.places.keys()
        if args or unknown:
            raise WrongArguments(f"{self.name}() takes arguments by name, of {sorted(operation.places)}")
        body = _body(operation, kwargs)
        headers = _headers(operation, kwargs)
        if body is not None:
            headers["content-type"] = "application/json"
        return RestRequest(operation.method, _target(operation, kwargs), headers, body or b"")

    def encode_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        return self.encode_request(args, kwargs).body

    def decode_answer(self, media_type: str, body: bytes) -> Any:
        """Return JSON as data, and anything else as text."""
        return (
            self.decode_result(body)
            if media_type.endswith("json")
            else body.decode("utf-8", "replace") or None
        )

    def decode_result(self, body: bytes) -> Any:
        return json.loads(body) if body else None


def _target(operation: Operation, arguments: Mapping[str, Any]) -> str:
    path, query = operation.path, list[tuple[str, str]]()
    for name, place in operation.places.items():
        value = arguments.get(name)
        if place.location == "path":
            path = path.replace(f"{{{place.wire_name}}}", _segment(operation, name, value))
        elif place.location == "query" and value is not None:
            values: list[Any] = value if isinstance(value, list) else [value]
            query += [(place.wire_name, _text(item)) for item in values]
    return f"{path}?{urlencode(query)}" if query else path


def _segment(operation: Operation, name: str, value: Any) -> str:
    if value is None:
        raise WrongArguments(f"{operation.name}() is missing its argument '{name}'")
    text = _text(value)
    if text in ("", ".", ".."):  # it would lead to another operation
        raise WrongArguments(f"{operation.name}() takes a name or number as '{name}', not '{text}'")
    return quote(text, safe="")


def _headers(operation: Operation, arguments: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in arguments.items():
        place = operation.places[name]
        if value is None or place.location not in ("header", "cookie"):
            continue
        text = _text(value)
        check_header_value(f"argument '{name}'", text)
        if place.location == "header":
            found[place.wire_name.lower()] = text
        else:
            cookies.append(f"{place.wire_name}={quote(text, safe='')}")
    return {**found, "cookie": "; ".join(cookies)} if cookies else found


def _body(operation: Operation, arguments: Mapping[str, Any]) -> bytes | None:
    members: Json = {}
    for name, value in arguments.items():
        place = operation.places[name]
        if place.location == "body":
            return json.dumps(value, ensure_ascii=False).encode()
        if place.location == "member":
            members[place.wire_name] = value
    has_body = any(place.location == "member" for place in operation.places.values())
    return json.dumps(members, ensure_ascii=False).encode() if has_body else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
