"""What belongs to a service beside its public contract: its tasks, subscriptions and private workflows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service_kit.contract.declared import declared_in
from service_kit.contract.event import Event, Subscription
from service_kit.contract.outcomes import DeclaredFailures
from service_kit.contract.schedule import Schedule
from service_kit.contract.service import ServiceContract
from service_kit.contract.signal import State
from service_kit.contract.task import Task
from service_kit.contract.workflow import Workflow
from service_kit.errors import DefinitionError, ServiceError


@dataclass(slots=True)
class Declarations:
    """Everything of a service that the runtime runs, by name."""

    service: str
    workflows: dict[str, Workflow[..., Any]] = field(default_factory=dict[str, "Workflow[..., Any]"])
    tasks: dict[str, Task[..., Any]] = field(default_factory=dict[str, "Task[..., Any]"])
    subscriptions: dict[str, Subscription[Any]] = field(default_factory=dict[str, "Subscription[Any]"])
    events: dict[str, type[Event]] = field(default_factory=dict[str, type[Event]])
    errors: dict[str, type[ServiceError]] = field(default_factory=dict[str, type[ServiceError]])
    """Declared error classes by `module:QualName`."""
    states: set[str] = field(default_factory=set[str])
    """Names of what executions show."""
    namespaces: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    """Where all of it was found."""

    @property
    def failures(self) -> DeclaredFailures:
        return DeclaredFailures(self.errors, self.namespaces, imports=True)

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """The schedules of its workflows, by their names."""
        found = {name: declared.schedule for name, declared in self.workflows.items()}
        return {name: schedule for name, schedule in found.items() if schedule is not None}

    def task(self, name: str) -> Task[..., Any]:
        """Return a task; raise LookupError with the cure if the service has none of this name."""
        if name not in self.tasks:
            raise LookupError(
                f"task '{name}' is not part of service '{self.service}'; define or import it in the module of the "
                f"service or of its workflow, or list its module: include=[...]"
            )
        return self.tasks[name]

    def workflow(self, name: str) -> Workflow[..., Any]:
        """Return a workflow; raise LookupError with the cure if the service has none of this name."""
        if name not in self.workflows:
            from service_kit.contract.scheduler import SCHEDULER, scheduler  # needed by few services

            if name == SCHEDULER:
                return scheduler
            raise LookupError(
                f"workflow '{name}' is not part of service '{self.service}'; import it in the module of the service, "
                f"or list its module: include=[...]; one that was removed has to come back, or its executions "
                f"be terminated"
            )
        return self.workflows[name]


def gather(contract: ServiceContract) -> Declarations:
    """Return the declarations of the service's own module, of `include`, and of its workflows' modules.

    Raises DefinitionError for two of one kind and name.
    """
    found = Declarations(contract.name)
    pending: list[Mapping[str, Any]] = [contract.scope, *(vars(module) for module in contract.include)]
    pending.append(contract.workflows)
    pending += [declared.function.__globals__ for declared in contract.commands.values()]
    for error in contract.errors.values():
        found.errors[f"{error.__module__}:{error.__qualname__}"] = error
    seen: set[int] = set()
    while pending:
        namespace = pending.pop(0)
        if id(namespace) in seen:
            continue
        seen.add(id(namespace))
        found.namespaces.append(namespace)
        found.errors |= declared_in(namespace)
        for value in list(namespace.values()):
            if _take(found, value) and isinstance(value, Workflow):
                pending.append(value.function.__globals__)
    found.schedules  # noqa: B018 - those whose annotations look forward are checked now
    return found


def _take(found: Declarations, value: Any) -> bool:
    match value:
        case Workflow():
            return _add(found.workflows, value.name, value, value.function)
        case Task():
            return _add(found.tasks, value.name, value, value.function)
        case Subscription():
            for name, event in value.events.items():
                _add(found.events, name, event, event)
            return _add(found.subscriptions, value.name, value, value.function)
        case State():
            found.states.add(value.name)
            return True
        case type() if issubclass(value, Event) and value is not Event:
            return _add(found.events, value.event_name, value, value)
        case _:
            return False


def _add(known: dict[str, Any], name: str, value: Any, source: Any) -> bool:
    other = known.setdefault(name, value)
    # The same function twice is one declaration: an import, or `.options(...)` kept in a variable.
    if other is not value and getattr(other, "function", other) is not source:
        kind = getattr(value, "kind", "event")
        raise DefinitionError(
            f"{kind} '{name}'",
            f"two of this name belong to one service ({other.__module__} and {value.__module__})",
            "rename one: the name is what is stored",
        )
    return True
