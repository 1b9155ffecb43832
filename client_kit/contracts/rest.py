"""Services that are known by their OpenAPI document alone: commands are called at their own REST routes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from client_kit.contracts.commands import AnyCommand
from client_kit.contracts.errors import DocumentedError, ServiceError
from client_kit.contracts.forms import encode_form
from client_kit.contracts.parameters import (
    Body,
    BodyCodec,
    Cookie,
    Header,
    Marker,
    Parameter,
    Path,
    Query,
    TextMarker,
    bind_arguments,
)
from client_kit.contracts.protocols import RestRequest
from client_kit.contracts.request_writer import RequestWriter
from client_kit.contracts.service import Service
from client_kit.contracts.texts import Carried, TextLocation, write_texts

__all__ = ["RestCommand", "RestService"]

_LOCATIONS: Mapping[type[TextMarker], TextLocation] = {
    Path: "path",
    Query: "query",
    Header: "header",
    Cookie: "cookie",
}
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"})


class RestService(Service):
    """Base of contracts that were made from an OpenAPI document, of whatever kind of service."""

    def _bind(self, declared: AnyCommand) -> object:
        bound = self._connection.bind(RestCommand(declared))
        self.__dict__[declared.name] = bound
        return bound


class _Text(NamedTuple):
    """A parameter that travels outside of the body."""

    parameter: Parameter
    marker: TextMarker
    adapter: TypeAdapter[Any]

    @property
    def wire_name(self) -> str:
        if self.marker.alias is not None:
            return self.marker.alias
        name = self.parameter.name
        return name.replace("_", "-") if isinstance(self.marker, Header) else name

    def carried(self, value: Any) -> Carried:
        """Return an argument where it travels; None for one that is absent."""
        plain = None
        if value is not None:
            plain = self.adapter.dump_python(value, mode="json", by_alias=True, warnings="error")
        marker, name = self.marker, self.wire_name
        style, explode = (marker.style, marker.explode) if isinstance(marker, Query) else ("form", True)
        return Carried(_LOCATIONS[type(marker)], self.parameter.name, name, plain, style, explode)


class RestCommand:
    """A published command as a `RestContract`."""

    def __init__(self, declared: AnyCommand) -> None:
        self._declared = declared
        self.name: str = declared.name
        self.path: str = declared.path
        self.streaming: bool = declared.streaming
        self.idempotent: bool = declared.idempotent

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self._declared.parameters

    @property
    def summary(self) -> str:
        return self._declared.summary

    @property
    def description(self) -> str:
        return self._declared.description

    @property
    def consequential(self) -> bool:
        return self._declared.consequential

    @property
    def errors(self) -> Mapping[str, type[ServiceError]]:
        return self._declared.errors

    @cached_property
    def errors_by_status(self) -> Mapping[int, type[ServiceError]]:
        return {e.status: e for e in self.errors.values() if issubclass(e, DocumentedError)}

    def encode_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        """Return the body alone."""
        return self.encode_request(args, kwargs).body

    def encode_request(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> RestRequest:
        """Return the request of a call; raise TypeError for arguments that do not fit the signature."""
        parameters = self._declared.parameters
        bound = bind_arguments(self.name, parameters, args, kwargs)
        # An absent parameter is the null: most services know no other.
        given = {p.name: bound[p.name] for p in parameters if not _is_absent(p, bound)}
        carried = [text.carried(given.get(text.parameter.name)) for text in self._texts]
        target, headers = write_texts(self.name, self.path, carried)
        kind, body = self._encode_body({p.name: given[p.name] for p in self._carried if p.name in given})
        if kind:
            headers["content-type"] = kind
        return RestRequest(self._declared.method, target, headers, body)

    def decode_result(self, body: bytes) -> Any:
        return self._declared.decode_result(body)

    def decode_answer(self, media_type: str, body: bytes) -> Any:
        """Return the result; a text or bytes by itself where the answer is no JSON."""
        if self._declared.returns_nothing:
            return None
        if media_type.endswith("json"):
            return self._declared.decode_result(body)
        if not body:
            return self._declared.result.validate_python(None)
        result = self._declared.hints["return"]
        value: object = body if result is bytes else body.decode("utf-8", "replace")
        return self._declared.result.validate_python(value, strict=True)

    @cached_property
    def _texts(self) -> tuple[_Text, ...]:
        found = ((p, _marker(self._declared, p)) for p in self._declared.parameters)
        return tuple(_Text(p, m, TypeAdapter(p.annotation)) for p, m in found if not isinstance(m, Body))

    @cached_property
    def _carried(self) -> tuple[Parameter, ...]:
        """The parameters of the body."""
        texts = {text.parameter.name for text in self._texts}
        return tuple(p for p in self._declared.parameters if p.name not in texts)

    @cached_property
    def _codec(self) -> BodyCodec:
        if [type(p.marker) for p in self._carried] == [Body]:
            return BodyCodec(RequestWriter(TypeAdapter(self._carried[0].annotation)), self._carried[0].name)
        return BodyCodec.of(f"{self.name}_body", self._carried)

    def _encode_body(self, arguments: Mapping[str, Any]) -> tuple[str, bytes]:
        if not self._carried or not (arguments or any(p.required for p in self._carried)):
            return "", b""
        form = self._declared.options.get("form")
        if form is not None:
            return encode_form(form, self._codec, arguments)
        return "application/json", self._codec.encode(arguments)


def _marker(declared: AnyCommand, parameter: Parameter) -> Marker:
    """Return where a parameter travels."""
    if parameter.marker is not None:
        return parameter.marker
    if re.search(rf"\{{{re.escape(parameter.name)}\}}", declared.path):
        return Path()
    return Query() if declared.method in _BODILESS else Body()


def _is_absent(parameter: Parameter, arguments: Mapping[str, Any]) -> bool:
    if parameter.name not in arguments:
        return True
    return parameter.default is None and arguments[parameter.name] is None
