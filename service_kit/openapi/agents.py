"""What agents' catalogues refuse: GPT Actions and the plugin manifest have limits that OpenAPI has not.

Sources: OpenAI's guides to GPT Actions ("Getting started", "Production notes on GPT Actions") and to function
calling; the plugin manifest, version 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service_kit.contract.service import ServiceContract
from service_kit.openapi import manifest
from service_kit.openapi.document import build_specification
from service_kit.openapi.schemas import Json

SUMMARY_LIMIT = 300
DESCRIPTION_LIMIT = 300
PARAMETER_DESCRIPTION_LIMIT = 700
OPERATIONS_LIMIT = 30
"""A community figure; models choose worse long before it."""
ANSWER_LIMIT_S = 45
PAYLOAD_LIMIT = 100_000
"""Characters of a request, and of an answer."""
NAME_LIMIT = 64
"""Of a function: the name of an operation becomes one."""


@dataclass(frozen=True, slots=True)
class AgentProblem:
    """One limit that a service exceeds, and the cure."""

    where: str
    problem: str
    cure: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.cure}"


def agent_problems(contract: ServiceContract, raw: Mapping[str, Any] | None = None) -> list[AgentProblem]:
    """Return every limit of agents that the service exceeds, once for each command or raw route.

    `raw` is the specification of the routes beside the commands.
    """
    specification = build_specification(contract, url=None, raw=raw)
    components = specification["components"]["schemas"]
    operations = {
        op.get("operationId", f"{method} {path}"): (f"raw route {method.upper()} {path}", op)
        for path, item in specification["paths"].items()
        for method, op in item.items()
    }
    found = [*_service_problems(contract, len(operations)), *_manifest_problems(contract)]
    commands = {
        name: (declared.where, operations.pop(name)[1]) for name, declared in contract.commands.items()
    }
    for name, (where, operation) in (commands | operations).items():
        found += _name_problems(where, name)
        found += _text_problems(where, operation)
        found += _parameter_problems(where, operation, components)
        found += _header_problems(where, operation)
        found += _payload_problems(where, operation, components)
        found += _time_problems(contract, where, name)
    return found


def _time_problems(contract: ServiceContract, where: str, name: str) -> Iterator[AgentProblem]:
    declared = contract.commands.get(name)
    if declared is not None:
        timeout_s = declared.options.get("timeout_s", 0)
        if timeout_s > ANSWER_LIMIT_S:
            problem = f"it may take {timeout_s:g} s, and an agent waits {ANSWER_LIMIT_S} s"
            yield AgentProblem(where, problem, "lower timeout_s, or start a workflow and answer at once")


def _service_problems(contract: ServiceContract, operations: int) -> Iterator[AgentProblem]:
    if operations > OPERATIONS_LIMIT:
        yield AgentProblem(
            f"service '{contract.name}'",
            f"it has {operations} commands, and agents take about {OPERATIONS_LIMIT}",
            "split it, or publish a smaller service of the commands that agents need",
        )


def _manifest_problems(contract: ServiceContract) -> Iterator[AgentProblem]:
    plugin = contract.plugin
    derived = (
        ("name_for_model", manifest.model_name(contract), manifest.NAME_FOR_MODEL_LIMIT),
        ("name_for_human", manifest.human_name(contract), manifest.NAME_FOR_HUMAN_LIMIT),
        (
            "description_for_model",
            manifest.model_description(contract),
            manifest.DESCRIPTION_FOR_MODEL_LIMIT,
        ),
        (
            "description_for_human",
            manifest.human_description(contract),
            manifest.DESCRIPTION_FOR_HUMAN_LIMIT,
        ),
    )
    where = f"service '{contract.name}', manifest"
    for field, text, limit in derived:
        if getattr(plugin, field) is None and len(text) > limit:
            problem = f"{field} was cut from {len(text)} characters to {limit}"
            yield AgentProblem(where, problem, f"set plugin=Plugin({field}=...)")
    schemes = manifest.schemes_in_use(contract)
    if plugin.auth is None and schemes and not any(map(manifest.scheme_auth, schemes)):
        names = ", ".join(f"'{scheme.name}'" for scheme in schemes)
        problem = f"it has no words for the security schemes in use ({names})"
        yield AgentProblem(
            where, problem, "add a Bearer, Jwt or header ApiKey scheme, or set plugin=Plugin(auth=...)"
        )


def _text_problems(where: str, operation: Mapping[str, Any]) -> Iterator[AgentProblem]:
    limits = {"summary": SUMMARY_LIMIT, "description": DESCRIPTION_LIMIT}
    for field, limit in limits.items():
        size = len(operation.get(field, ""))
        inherited = field == "description" and operation.get(field) == operation.get("summary")
        if size > limit and not inherited:
            problem = f"its {field} has {size} characters, and agents read {limit}"
            yield AgentProblem(where, problem, f"shorten it, or give agents a {field}=... of their own")


def _parameter_problems(
    where: str, operation: Mapping[str, Any], components: Mapping[str, Json]
) -> Iterator[AgentProblem]:
    described: list[tuple[str, Mapping[str, Any]]] = [(p["name"], p) for p in operation.get("parameters", ())]
    described += _body_members(operation, components)
    too_long = [
        name for name, node in described if len(node.get("description", "")) > PARAMETER_DESCRIPTION_LIMIT
    ]
    if too_long:
        names = ", ".join(f"'{name}'" for name in too_long)
        problem = f"descriptions of parameters exceed {PARAMETER_DESCRIPTION_LIMIT} characters: {names}"
        yield AgentProblem(where, problem, "shorten their Field(description=...)")


def _body_members(operation: Mapping[str, Any], components: Mapping[str, Json]) -> list[tuple[str, Any]]:
    if "requestBody" not in operation:
        return []
    schema = operation["requestBody"]["content"].get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    return list(schema.get("properties", {}).items())


def _name_problems(where: str, name: str) -> Iterator[AgentProblem]:
    if len(name) > NAME_LIMIT:
        problem = f"its name has {len(name)} characters, and functions have {NAME_LIMIT}"
        yield AgentProblem(where, problem, "give it a shorter name on the service: short_name = its_function")


def _header_problems(where: str, operation: Mapping[str, Any]) -> Iterator[AgentProblem]:
    headers = [
        p["name"] for p in operation.get("parameters", ()) if p["in"] == "header" and p.get("required")
    ]
    if headers:
        names = ", ".join(f"'{name}'" for name in headers)
        yield AgentProblem(
            where,
            f"it requires headers, and actions send none: {names}",
            "give them a default, or use the query",
        )


def _payload_problems(
    where: str, operation: Mapping[str, Any], components: Mapping[str, Json]
) -> Iterator[AgentProblem]:
    """Find texts that alone may exceed what travels; whether many short ones do, a schema does not say."""
    answers = (answer for status, answer in operation.get("responses", {}).items() if status[:1] == "2")
    sides = [("request", operation.get("requestBody", {})), *(("answer", answer) for answer in answers)]
    for side, node in sides:
        longest = max(_lengths(node, components, set()), default=0)
        if longest > PAYLOAD_LIMIT:
            problem = (
                f"its {side} may hold a text of {longest:,} characters, and agents take {PAYLOAD_LIMIT:,}"
            )
            yield AgentProblem(where, problem, "lower max_length, or answer with a link, or in pages")


def _lengths(node: Any, components: Mapping[str, Json], seen: set[str]) -> Iterator[int]:
    match node:
        case {"$ref": str(ref)}:
            if ref not in seen:
                seen.add(ref)
                yield from _lengths(components.get(ref.rpartition("/")[2], {}), components, seen)
        case dict():
            if isinstance(node.get("maxLength"), int):
                yield node["maxLength"]
            for child in node.values():
                yield from _lengths(child, components, seen)
        case list():
            for child in node:
                yield from _lengths(child, components, seen)
        case _:
            return
