"""What agents' catalogues refuse: GPT Actions and the plugin manifest have limits that OpenAPI has not."""

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


@dataclass(frozen=True, slots=True)
class AgentProblem:
    """One limit that a service exceeds, and the cure."""

    where: str
    problem: str
    cure: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}; {self.cure}"


def agent_problems(contract: ServiceContract) -> list[AgentProblem]:
    """Return every limit of agents that the service exceeds, once for each command."""
    specification = build_specification(contract, url=None)
    operations = [op for item in specification["paths"].values() for op in item.values()]
    found = [*_service_problems(contract, len(operations)), *_manifest_problems(contract)]
    by_name = {op["operationId"]: op for op in operations}
    for name, declared in contract.commands.items():
        where = declared.where
        found += _text_problems(where, by_name[name])
        found += _parameter_problems(where, by_name[name], specification["components"]["schemas"])
        timeout_s = declared.options.get("timeout_s", 0)
        if timeout_s > ANSWER_LIMIT_S:
            problem = f"it may take {timeout_s:g} s, and an agent waits {ANSWER_LIMIT_S} s"
            found.append(
                AgentProblem(where, problem, "lower timeout_s, or start a workflow and answer at once")
            )
    return found


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
        size = len(operation[field])
        inherited = field == "description" and operation[field] == operation["summary"]
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
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    return list(schema.get("properties", {}).items())
