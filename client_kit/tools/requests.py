"""Calls of an operation as requests: the contract of what is known by its document alone. JSON in, JSON out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from client_kit.contracts import ErrorContract, RestRequest
from client_kit.contracts.texts import Carried, WrongArguments, write_texts
from client_kit.tools.operations import Operation
from client_kit.tools.schemas import Json


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
        target, headers = write_texts(self.name, operation.path, _carried(operation, kwargs))
        if body is not None:
            headers["content-type"] = "application/json"
        return RestRequest(operation.method, target, headers, body or b"")

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


def _carried(operation: Operation, arguments: Mapping[str, Any]) -> Iterator[Carried]:
    """Yield what travels outside of the body."""
    for name, place in operation.places.items():
        if place.location != "member" and place.location != "body":
            yield Carried(place.location, name, place.wire_name, arguments.get(name))


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
