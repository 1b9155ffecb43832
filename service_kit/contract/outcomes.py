"""Endings of executions as their callers meet them: results and exceptions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from service_kit.contract.declared import declared_in, find_declared
from service_kit.engine.failure import Failure, child_error
from service_kit.engine.history import (
    Ending,
    ExecutionCancelled,
    ExecutionRaised,
    ExecutionSucceeded,
    ExecutionTerminated,
    ExecutionTimedOut,
)
from service_kit.engine.wire import decode_events, encode_events
from service_kit.errors import ExecutionExists, ExecutionNotFound, ServiceError

if TYPE_CHECKING:
    from service_kit.contract.workflow import Workflow


_SYSTEM: Mapping[str, type[ServiceError]] = {
    f"{cls.__module__}:{cls.__qualname__}": cls for cls in (ExecutionExists, ExecutionNotFound)
}
"""Errors that every service has."""


class DeclaredFailures:
    """Take declared errors apart and build them again.

    `known` are the classes by `module:QualName`; others are looked for from the service's own `namespaces`, and
    imported from their packages where failures are the service's own.
    """

    def __init__(
        self,
        known: Mapping[str, type[ServiceError]],
        namespaces: Sequence[Mapping[str, Any]] = (),
        *,
        imports: bool = False,
    ) -> None:
        self._known = known
        self._namespaces = namespaces
        self._imports = imports

    def fields(self, error: BaseException) -> str | None:
        return json.dumps(error.encode_fields()) if isinstance(error, ServiceError) else None

    def rebuild(self, failure: Failure) -> BaseException | None:
        if failure.fields is None:
            return None
        cls = self._known.get(failure.type) or _SYSTEM.get(failure.type)
        cls = cls or find_declared(failure.type, self._namespaces, imports=self._imports)
        if cls is None:
            return None
        try:
            error = cls.decode_fields(json.loads(failure.fields))
        except ValueError:
            return None  # the class has changed since; the failure itself is what is left
        # A child's id may be taken by the same workflow and input: who refused it has said so.
        return error.saying(failure.message) if isinstance(error, ExecutionExists) else error


def encode_outcome(ending: Ending) -> str:
    """Return the JSON of an ending: a history that holds nothing else."""
    return encode_events([ending])


def result_of(workflow: Workflow[..., Any], outcome: str) -> Any:
    """Return the result that an ending's JSON describes; raise what it says was raised."""
    ending = decode_events(outcome)[0]
    namespace = workflow.function.__globals__
    failures = DeclaredFailures(declared_in(namespace), [namespace])
    match ending:
        case ExecutionSucceeded(value=value):
            return workflow.calls.result.decode(value)
        case ExecutionRaised(failure=failure):
            raise child_error(workflow.name, failure, failures)
        case ExecutionCancelled(reason=reason):
            raise child_error(workflow.name, Failure("", reason or "it was cancelled", "cancelled"), failures)
        case ExecutionTerminated(reason=reason):
            raise child_error(
                workflow.name, Failure("", reason or "it was terminated", "terminated"), failures
            )
        case ExecutionTimedOut(timeout_s=timeout_s):
            message = f"workflow '{workflow.name}' did not end within {timeout_s:g} s"
            raise child_error(workflow.name, Failure("", message, "timeout"), failures)
        case _:
            raise ValueError(f"{type(ending).__name__} is no ending of an execution")
