"""Operations as the function tools of the common model APIs, strict where the API and the schema allow it.

Sources: OpenAI's guide "Function calling"; Anthropic's guides "Tool use" and "Strict tool use", with its limits of
one request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, assert_never

from client_kit.tools.operations import Operation
from client_kit.tools.schemas import Json
from client_kit.tools.strict import ANTHROPIC, OPENAI, Fitted, fit

ToolFormat: TypeAlias = Literal["openai", "anthropic", "json"]

OPENAI_TOOLS = 128
"""The most functions that one request may offer."""
STRICT_TOOLS, OPTIONAL_PARAMETERS, UNION_PARAMETERS = 20, 24, 16
"""What Anthropic compiles for one request: strict tools, and among all of these, optional members and unions."""


@dataclass(slots=True)
class Offer:
    """Tools ready to send to a model API, and what it will not enforce."""

    tools: list[Json]
    not_strict: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Why a tool cannot be strict, by its name."""
    dropped: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Constraints that only the description still tells, by the tool's name; the service enforces them."""
    limits: list[str] = field(default_factory=list[str])
    """What the API refuses in one request."""


def offer_tools(operations: Sequence[Operation], format: ToolFormat, *, strict: bool = True) -> Offer:
    """Return the operations as a model API's tools; `json` is neutral, and says how to call.

    A strict tool of OpenAI has no optional arguments: null stands for an absent one. `without_nulls` takes it out
    of what the model sends.
    """
    match format:
        case "json":
            return Offer([_neutral(operation) for operation in operations])
        case "openai":
            offer = _fitted(operations, _openai, lambda o: fit(o.parameters, OPENAI) if strict else None)
            if len(operations) > OPENAI_TOOLS:
                offer.limits.append(
                    f"{len(operations)} functions, and a request takes {OPENAI_TOOLS}: offer those that are needed"
                )
            return offer
        case "anthropic":
            offer = _fitted(
                operations, _anthropic, lambda o: fit(o.parameters, ANTHROPIC) if strict else None
            )
            offer.limits += _limits_of_a_request(offer.tools)
            return offer
        case _:
            assert_never(format)


def _fitted(
    operations: Sequence[Operation],
    shape: Callable[[Operation, Json, bool], Json],
    fitting: Callable[[Operation], Fitted | None],
) -> Offer:
    offer = Offer([])
    for operation in operations:
        fitted = fitting(operation)
        if fitted is None or fitted.reasons:
            offer.tools.append(shape(operation, operation.parameters, False))
            if fitted is not None:
                offer.not_strict[operation.name] = fitted.reasons
            continue
        offer.tools.append(shape(operation, fitted.schema, True))
        if fitted.dropped:
            offer.dropped[operation.name] = fitted.dropped
    return offer


def _openai(operation: Operation, parameters: Json, strict: bool) -> Json:
    function: Json = {
        "name": operation.name,
        "description": operation.description,
        "parameters": parameters,
        "strict": strict,
    }
    return {"type": "function", "function": function}


def _anthropic(operation: Operation, parameters: Json, strict: bool) -> Json:
    tool: Json = {
        "name": operation.name,
        "description": operation.description,
        "input_schema": parameters,
    }
    return {**tool, "strict": True} if strict else tool


def _neutral(operation: Operation) -> Json:
    return {
        "name": operation.name,
        "description": operation.description,
        "parameters": operation.parameters,
        "consequential": operation.consequential,
        "streaming": operation.streaming,
        "request": {
            "method": operation.method,
            "path": operation.path,
            "arguments": {
                name: {"in": place.location, "name": place.wire_name}
                for name, place in operation.places.items()
            },
        },
    }


def _limits_of_a_request(tools: Sequence[Mapping[str, Any]]) -> list[str]:
    strict = [tool["input_schema"] for tool in tools if tool.get("strict")]
    members = [(schema, name) for schema in strict for name in schema.get("properties", ())]
    optional = sum(name not in schema.get("required", ()) for schema, name in members)
    unions = sum(_is_union(schema["properties"][name]) for schema, name in members)
    measured = (
        (len(strict), STRICT_TOOLS, "strict tools"),
        (optional, OPTIONAL_PARAMETERS, "optional parameters of strict tools"),
        (unions, UNION_PARAMETERS, "parameters of strict tools that are unions"),
    )
    return [
        f"{count} {what}, and a request takes {limit}: offer fewer, or with --no-strict"
        for count, limit, what in measured
        if count > limit
    ]


def _is_union(schema: Mapping[str, Any]) -> bool:
    return "anyOf" in schema or isinstance(schema.get("type"), list)
