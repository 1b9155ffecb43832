"""Operations: what one command is at its REST route and at its RPC route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service_kit.contract.codec import BodyCodec
from service_kit.contract.command import AnyCommand
from service_kit.contract.parameters import Parameter
from service_kit.contract.route import RPC_PREFIX, Route
from service_kit.contract.service import ServiceContract
from service_kit.contract.strings import StringCodec
from service_kit.openapi.defaults import show_body_defaults, show_default
from service_kit.openapi.problems import Problems
from service_kit.openapi.responses import failures, success
from service_kit.openapi.schemas import Json, Schemas, Slot, Wanted
from service_kit.openapi.security import own_requirements
from service_kit.openapi.texts import text_schema


@dataclass(frozen=True, slots=True)
class Face:
    """One route of a command, as an operation of the document."""

    declared: AnyCommand
    route: Route
    operation_id: str
    texts: tuple[tuple[Parameter, StringCodec], ...]
    body: BodyCodec | None

    def wanted(self) -> Iterator[Wanted]:
        """Yield the schemas that the operation needs."""
        for p, codec in self.texts:
            # A default beside a reference is more than 3.0, and LangChain, can read.
            inline = _shows_default(p)
            yield Wanted(self._slot(f"text {p.name}"), codec.adapter.core_schema, "validation", inline)
        if self.body is not None:
            inline = self.body.flat is None
            yield Wanted(self._slot("body"), self.body.adapter.core_schema, "validation", inline)
        if not self.declared.codec.returns_nothing:
            yield Wanted(self._slot("output"), self.declared.codec.output.core_schema, "serialization")

    def _slot(self, role: str) -> Slot:
        return Slot(self.operation_id, role)

    def operation(
        self, contract: ServiceContract, schemas: Schemas, problems: Problems, schemes: Mapping[str, str]
    ) -> Json:
        """Return the operation object."""
        declared = self.declared
        operation: Json = {"operationId": self.operation_id}
        if tags := declared.options.get("tags"):
            operation["tags"] = list(tags)
        operation["summary"] = declared.summary
        # LangChain's planner reads descriptions only: an operation always has one.
        operation["description"] = declared.description or declared.summary
        if self.texts:
            operation["parameters"] = [self._parameter(p, codec, schemas) for p, codec in self.texts]
        if self.body is not None:
            operation["requestBody"] = self._request_body(self.body, schemas)
        output = {} if declared.codec.returns_nothing else schemas[self._slot("output")]
        operation["responses"] = {
            **success(declared, output, problems, self.route.method),
            **failures(
                contract,
                declared,
                problems,
                has_body=self.body is not None,
            ),
        }
        security = own_requirements(contract, declared, schemes)
        if security is not None:
            operation["security"] = security
        if getattr(declared.function, "__deprecated__", None) is not None:
            operation["deprecated"] = True
        operation["x-openai-isConsequential"] = declared.consequential
        return operation

    def _parameter(self, p: Parameter, codec: StringCodec, schemas: Schemas) -> Json:
        schema = text_schema(schemas[self._slot(f"text {p.name}")], codec.adapter.core_schema)
        described: Json = {
            "name": p.wire_name,
            "in": p.location,
            "required": p.location == "path" or p.required,
        }
        for keyword in ("description", "deprecated"):
            if keyword in schema:
                described[keyword] = schema.pop(keyword)
        if codec.shape == "list" and p.location == "query":
            described |= {"style": "form", "explode": True}
        if _shows_default(p):
            schema = show_default(schema, codec.adapter.core_schema, p.default)
        return {**described, "schema": schema}

    def _request_body(self, body: BodyCodec, schemas: Schemas) -> Json:
        schema = show_body_defaults(schemas[self._slot("body")], body)
        described: Json = {"content": {"application/json": {"schema": schema}}}
        if any(p.required for p in body.parameters):
            described["required"] = True
        return described


def faces_of(contract: ServiceContract, *, include_rpc: bool) -> list[Face]:
    """Return the faces to show: every REST route, and the RPC routes asked for.

    A command without a REST route shows its RPC route always, or nobody who reads the document could call it.
    """
    faces = [_rest_face(declared) for declared in contract.commands.values() if declared.route]
    taken: dict[str, Any] = dict(contract.commands)
    for name, declared in contract.commands.items():
        if declared.route is None:
            faces.append(_rpc_face(declared, name))
        elif include_rpc:
            operation_id = f"rpc_{name}"
            while operation_id in taken:
                operation_id += "_"
            taken[operation_id] = declared
            faces.append(_rpc_face(declared, operation_id))
    return faces


def _rest_face(declared: AnyCommand) -> Face:
    rest = declared.codec.rest
    assert rest is not None
    return Face(declared, rest.route, declared.name, rest.texts, rest.body)


def _rpc_face(declared: AnyCommand, operation_id: str) -> Face:
    body = declared.codec.rpc if declared.codec.parameters else None
    return Face(declared, Route("POST", f"{RPC_PREFIX}{declared.name}"), operation_id, (), body)


def _shows_default(p: Parameter) -> bool:
    """Tell whether a text parameter has a default that a text could spell."""
    return p.location != "path" and not p.required and p.default is not None
