"""Which functions there are, what each runs, and what it has."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from service_kit.contract.command import AnyCommand
from service_kit.deploy.deployment import Deployment, FunctionOptions, Group
from service_kit.deploy.naming import camel
from service_kit.deploy.permissions import Allow
from service_kit.deploy.values import Value
from service_kit.errors import DefinitionError

API_TIMEOUT_S = {"http": 30, "rest": 29}
"""After which API Gateway gives up, whatever the function does:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html (and `limits.html` for REST)."""


RESERVED = frozenset(
    {"Api", "Documents", "Orchestrator", "Relay", "Timers", "Sweeper", "Tasks", "Subscriptions", "Schedule"}
)
"""Names of functions that are there anyway, and one whose role would have the name of the role of timers."""


@dataclass(frozen=True, slots=True)
class PlannedFunction:
    """One function."""

    name: str
    description: str
    commands: tuple[AnyCommand, ...]
    memory_mb: int
    timeout_s: int
    concurrency: int | None
    environment: Mapping[str, Value]
    permissions: tuple[Allow, ...]
    handler: str = "service_kit.hosts.aws.handler"


def plan(deployment: Deployment, workers: Collection[str] = ()) -> list[PlannedFunction]:
    """Return the functions; the last one serves the documents, and the commands that have no other.

    `workers` are the names that the functions of tasks and subscriptions have.
    """
    groups = list(deployment.groups)
    for group in groups:
        if group.name in workers:
            raise DefinitionError(
                f"deployment of '{deployment.contract.name}'",
                f"there is a function '{group.name}' already",
                "choose another name",
            )
    grouped = {declared.name for group in groups for declared in group.commands}
    others = [declared for name, declared in deployment.contract.commands.items() if name not in grouped]
    if deployment.options.functions == "each":
        taken = {group.name for group in groups} | RESERVED | set(workers)
        groups += [Group(_free(camel(declared.name), taken), (declared,)) for declared in others]
        others = []
    groups.append(Group("Api" if others else "Documents", tuple(others)))
    return [_planned(deployment, group) for group in groups]


def timeout_s(deployment: Deployment, declared: AnyCommand) -> int:
    """Return how long the function of a command may run, by its definition and what is configured."""
    given = deployment.configured.get(declared.name, {}).get("timeout_s")
    if given is not None:
        return given
    limit_s = API_TIMEOUT_S[deployment.options.api]
    own_s = declared.options.get("timeout_s")
    # A second more, so that the service itself answers a caller who is late.
    return limit_s if own_s is None else min(math.ceil(own_s) + 1, limit_s)


def _planned(deployment: Deployment, group: Group) -> PlannedFunction:
    chosen = [deployment.configured.get(declared.name, {}) for declared in group.commands]
    options = deployment.options
    memory = [
        own.get("memory_mb") or declared.options.get("memory_mb") or options.memory_mb
        for declared, own in zip(group.commands, chosen, strict=True)
    ]
    times = [timeout_s(deployment, declared) for declared in group.commands]
    return PlannedFunction(
        group.name,
        _description(deployment, group),
        group.commands,
        max(memory, default=options.memory_mb),
        max(times, default=API_TIMEOUT_S[options.api]),
        _concurrency(deployment, group, chosen),
        {**options.environment, **_environment(deployment, group, chosen)},
        (
            *options.permissions,
            *(allow for own in chosen for allow in own.get("permissions", ())),
            *deployment.granted("command", *(declared.name for declared in group.commands)),
        ),
    )


def _description(deployment: Deployment, group: Group) -> str:
    title = deployment.contract.title
    if len(group.commands) == 1:
        # Lambda's limit is 256 characters.
        return f"{title}: {group.commands[0].summary}"[:256]
    return f"{title}: {'documents' if group.name == 'Documents' else f'{len(group.commands)} commands'}"


def _concurrency(deployment: Deployment, group: Group, chosen: Sequence[FunctionOptions]) -> int | None:
    for declared, own in zip(group.commands, chosen, strict=True):
        if "concurrency" in own and len(group.commands) > 1:
            raise DefinitionError(
                f"deployment of '{deployment.contract.name}', command '{declared.name}'",
                f"its concurrency would hold for all commands of function {group.name}",
                f'give it a function of its own: .group("{camel(declared.name)}", '
                f"{deployment.service.__name__}.{declared.name})",
            )
    return chosen[0].get("concurrency") if chosen else None


def _environment(deployment: Deployment, group: Group, chosen: Sequence[FunctionOptions]) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for name, value in _variables(chosen):
        if merged.setdefault(name, value) != value:
            raise DefinitionError(
                f"deployment of '{deployment.contract.name}', function {group.name}",
                f"two of its commands want different values of {name}",
                "give one of them a function of its own: .group(...)",
            )
    return merged


def _variables(chosen: Sequence[FunctionOptions]) -> Iterator[tuple[str, Value]]:
    for own in chosen:
        yield from own.get("environment", {}).items()


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}{number}"
    taken.add(free)
    return free
