"""Schemas of problems (RFC 9457): the general one, the framework's own, and one per declared error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service_kit.contract.service import ServiceContract
from service_kit.errors import ServiceError
from service_kit.openapi.names import unique_name
from service_kit.openapi.schemas import REF_TEMPLATE, Json, Schemas, Slot

PROBLEM = Slot("", "problem")
INVALID_INPUT = Slot("", "invalid input")

INVALID_INPUT_TYPE = "urn:problem-type:service-kit:invalid-input"


@dataclass(frozen=True, slots=True)
class Problems:
    """The components of every problem that a document mentions, and their names."""

    components: Mapping[str, Json]
    names: Mapping[Slot, str]

    def ref(self, slot: Slot) -> Json:
        return {"$ref": REF_TEMPLATE.format(model=self.names[slot])}


def error_slot(error: type[ServiceError]) -> Slot:
    return Slot(error.__name__, "error")


def error_type(contract: ServiceContract, error: type[ServiceError]) -> str:
    """Return the URN that names a declared error on the wire (docs/design/wire.md)."""
    return f"urn:problem-type:{contract.name}:{error.__name__}"


def describe_problems(contract: ServiceContract, schemas: Schemas) -> Problems:
    """Return a component per problem, named after it unless a model has that name already."""
    bodies: dict[Slot, tuple[str, Json]] = {
        PROBLEM: ("ProblemDetails", _general()),
        INVALID_INPUT: ("InvalidInput", _invalid_input()),
    }
    for error in contract.errors.values():
        slot = error_slot(error)
        bodies[slot] = (error.__name__, _declared(contract, error, schemas[slot]))
    names: dict[Slot, str] = {}
    components: dict[str, Json] = {}
    for slot, (name, body) in bodies.items():
        taken = {**schemas.components, **components}
        free = name if name not in taken else unique_name(f"{name}Problem", taken)
        names[slot], components[free] = free, body
    return Problems(components, names)


def _problem(title: str, description: str, narrowed: Json, more: Json, required: list[str]) -> Json:
    members: Json = {
        "type": {"type": "string", "format": "uri-reference", "description": "Names the kind of problem."},
        "title": {"type": "string", "description": "The kind of problem in words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What happened this time."},
        "request_id": {"type": "string", "description": "Finds the request in the service's log."},
    }
    return {
        "type": "object",
        "title": title,
        "description": description,
        "properties": {**members, **narrowed, **more},
        "required": list(dict.fromkeys([*members, *required])),
    }


def _general() -> Json:
    return _problem("ProblemDetails", "A failure (RFC 9457).", {}, {}, [])


def _invalid_input() -> Json:
    narrowed = _narrowed(INVALID_INPUT_TYPE, 422)
    errors: Json = {"type": "array", "items": _mistake()}
    return _problem(
        "InvalidInput", "The input does not fit its schema.", narrowed, {"errors": errors}, ["errors"]
    )


def _mistake() -> Json:
    return {
        "type": "object",
        "properties": {
            "loc": {
                "type": "array",
                "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                "description": "The path to the value: names of members and positions in lists.",
            },
            "msg": {"type": "string", "description": "What is wrong with it."},
            "type": {"type": "string", "description": "The kind of mistake."},
        },
        "required": ["loc", "msg", "type"],
    }


def _declared(contract: ServiceContract, error: type[ServiceError], fields: Mapping[str, Any]) -> Json:
    """Return the open object of problem members and fields: a later version of the error may have more."""
    return _problem(
        title=error.__name__,
        description=fields.get("description") or f"{error.title}.",
        narrowed=_narrowed(error_type(contract, error), error.status),
        more=fields.get("properties", {}),
        required=fields.get("required", []),
    )


def _narrowed(urn: str, status: int) -> Json:
    return {"type": {"type": "string", "const": urn}, "status": {"type": "integer", "const": status}}
