"""Responses of an operation: its result, and every failure that a caller must expect."""

from __future__ import annotations

from collections.abc import Mapping

from service_kit.contract.command import AnyCommand
from service_kit.contract.service import ServiceContract
from service_kit.errors import ServiceError
from service_kit.openapi.problems import (
    INVALID_INPUT,
    INVALID_INPUT_TYPE,
    PROBLEM,
    Problems,
    error_slot,
    error_type,
)
from service_kit.openapi.schemas import Json

PROBLEM_MEDIA_TYPE = "application/problem+json"

_ALWAYS = frozenset({500, 503, 504})
"""The framework may answer any call with these, whatever the command declares."""
_WITH_BODY = frozenset({400, 413, 415})
"""As before, a request that has a body."""

_INVALID = "The input does not fit its schema."
_STREAM = (
    "Server-sent events, each with one item as JSON in its data. "
    "The last one is named `end`, or `error` with a problem as its data."
)


def success(declared: AnyCommand, output: Json, problems: Problems, method: str) -> Json:
    """Return the response of a call that went well, by its status."""
    if declared.streaming:
        schema = _event_schema(output, problems)
        return {"200": {"description": _STREAM, "content": {"text/event-stream": {"schema": schema}}}}
    if declared.codec.returns_nothing:
        return {"204": {"description": "Done; there is nothing to return."}}
    response: Json = {"description": "The result."}
    if method != "HEAD":
        response["content"] = {"application/json": {"schema": output}}
    return {"200": response}


def _event_schema(item: Json, problems: Problems) -> Json:
    """Return the schema of one event, its fields as members: OpenAPI 3.2 reads event streams so."""
    return {
        "oneOf": [
            _event("message", item, "The next item."),
            _event("end", {"type": "object"}, "Every item was sent."),
            _event("error", problems.ref(PROBLEM), "The stream failed; there are no more items."),
        ]
    }


def _event(name: str, data: Json, description: str) -> Json:
    return {
        "type": "object",
        "description": description,
        "properties": {
            "event": {"type": "string", "const": name},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": data},
        },
        "required": ["event", "data"],
    }


def failures(contract: ServiceContract, declared: AnyCommand, problems: Problems, *, has_body: bool) -> Json:
    """Return the responses of calls that fail, in the order of their statuses, and `default` for the rest."""
    errors: dict[int, dict[str, type[ServiceError]]] = {}
    for error in declared.errors.values():
        errors.setdefault(error.status, {})[error_type(contract, error)] = error
    secured = bool(contract.security_of(declared))
    # Every command can get 422: members and query parameters that it does not know are invalid, too.
    statuses = {*errors, 422, *([401] if secured else [])}
    general = (
        _ALWAYS | (_WITH_BODY if has_body else frozenset()) | (frozenset({401}) if secured else frozenset())
    )
    responses: Json = {}
    for status in sorted(statuses):
        here = errors.get(status, {})
        refs = {urn: problems.ref(error_slot(error)) for urn, error in here.items()}
        titles = [error.title for error in here.values()]
        if status == 401 and secured:
            titles.insert(0, "The credentials are missing or wrong")
        if status == 422:
            titles.insert(0, _INVALID.rstrip("."))
            refs = {INVALID_INPUT_TYPE: problems.ref(INVALID_INPUT), **refs}
        other = problems.ref(PROBLEM) if status in general else None
        responses[str(status)] = _response(f"{'; or: '.join(titles)}.", _one_of(refs, other))
    responses["default"] = _response("Any other failure.", problems.ref(PROBLEM))
    return responses


def invalid_input(problems: Problems) -> Json:
    """Return the response to input that does not fit its schema, and nothing else."""
    return _response(_INVALID, problems.ref(INVALID_INPUT))


def _one_of(refs: Mapping[str, Json], other: Json | None) -> Json:
    """Return the schema of exactly one of these problems, told apart by `type`, or of any other one."""
    if other is not None:
        return {"anyOf": [*refs.values(), other]} if refs else other
    if len(refs) == 1:
        return next(iter(refs.values()))
    mapping = {urn: ref["$ref"] for urn, ref in refs.items()}
    return {"oneOf": list(refs.values()), "discriminator": {"propertyName": "type", "mapping": mapping}}


def _response(description: str, schema: Json) -> Json:
    return {"description": description, "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}}}
