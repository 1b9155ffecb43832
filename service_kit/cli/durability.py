"""What `service-kit check` finds in workflows, tasks and subscriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from service_kit.cli.finding import Finding, Severity
from service_kit.cli.lint import lint_findings
from service_kit.cli.targets import place_of
from service_kit.cli.uses import Use, uses_of
from service_kit.contract.gather import Declarations, gather
from service_kit.contract.service import ServiceContract
from service_kit.contract.task import Task
from service_kit.contract.workflow import Workflow
from service_kit.errors import DefinitionError
from service_kit.hosts.local.tracebacks import shortened


def durable_findings(contract: ServiceContract, service_module: str) -> list[Finding]:
    """Return what is wrong with what runs beside the commands, and in the source of all of it."""
    try:
        declarations = gather(contract)
    except DefinitionError as error:
        return [definition_finding(error)]
    uses = {name: list(uses_of(found.function)) for name, found in declarations.workflows.items()}
    found = [
        *_unresolved(declarations),
        *_not_gathered(contract, declarations, uses),
        *_unseen_tasks(declarations, uses),
    ]
    return [*found, *lint_findings(contract, declarations, service_module, found)]


def definition_finding(error: DefinitionError) -> Finding:
    """Return a wrong declaration as a finding."""
    return Finding(Severity.ERROR, "definition", place_of(error), error.problem, error.cure)


def _unresolved(declarations: Declarations) -> Iterator[Finding]:
    """Find annotations that look forward to nothing: they are resolved when they are first used."""
    for declared in (*declarations.workflows.values(), *declarations.tasks.values()):
        try:
            declared.codec  # noqa: B018 - resolves, or raises
        except DefinitionError as error:
            yield definition_finding(error)


def _not_gathered(
    contract: ServiceContract, declarations: Declarations, uses: Mapping[str, list[Use]]
) -> Iterator[Finding]:
    told: set[str] = set()
    for workflow, found in uses.items():
        for use in found:
            match use.value:
                case Task() as declared:
                    known: Any = declarations.tasks.get(declared.name)
                case Workflow() as declared:
                    known = declarations.workflows.get(declared.name)
                case _:
                    continue
            if (known is None or known.function is not declared.function) and declared.where not in told:
                told.add(declared.where)
                yield Finding(
                    Severity.ERROR,
                    "not-gathered",
                    _at(use),
                    f"workflow '{workflow}' calls {declared.where}, which is not part of the service",
                    f"list its module: class {contract.title}(Service, include=[{declared.__module__}])",
                )


def _unseen_tasks(declarations: Declarations, uses: Mapping[str, list[Use]]) -> Iterator[Finding]:
    seen = {id(u.value.function) for found in uses.values() for u in found if isinstance(u.value, Task)}
    for workflow in declarations.workflows.values():
        values = workflow.function.__globals__.values()
        seen |= {id(value.function) for value in values if isinstance(value, Task)}
    for task in declarations.tasks.values():
        if id(task.function) not in seen:
            yield Finding(
                Severity.WARNING,
                "unseen-task",
                task.where,
                "no workflow can see it, so it never runs durably",
                "call it in a workflow, or make it a plain function",
            )


def _at(use: Use) -> str:
    return f"{shortened(use.file)}:{use.line}"
