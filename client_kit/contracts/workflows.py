"""Published workflows: signatures of what can be started at the service, and how its endings are read."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, cast, overload

from pydantic_core import to_json
from typing_extensions import TypedDict, Unpack

from client_kit.contracts.commands import Signature
from client_kit.contracts.errors import (
    ExecutionExists,
    ExecutionNotFound,
    RemoteError,
    ServiceError,
    TimedOut,
    WorkflowCancelled,
    WorkflowFailed,
    WorkflowTerminated,
)

if TYPE_CHECKING:
    from client_kit.contracts.service import Service
    from client_kit.workflows import BoundWorkflow

__all__ = ["Workflow", "WorkflowOptions", "workflow"]

P = ParamSpec("P")
R = TypeVar("R")


class WorkflowOptions(TypedDict, total=False, closed=True):
    """What a published workflow says beside its signature."""

    errors: Sequence[type[ServiceError]]
    """Declared errors that it may end with."""
    timeout_s: float
    """Of a whole execution; past it the execution ends as timed out."""


class Workflow(Signature, Generic[P, R]):
    """A workflow of the service; on a client it is a `BoundWorkflow`."""

    def __init__(self, function: Callable[..., Any], options: WorkflowOptions) -> None:
        super().__init__(function)
        self.options = options

    @property
    def errors(self) -> Mapping[str, type[ServiceError]]:
        """What asking for its executions may raise."""
        return {"ExecutionNotFound": ExecutionNotFound, "ExecutionExists": ExecutionExists}

    def decode_outcome(self, outcome: str) -> R:
        """Return the result, or raise the error, that the JSON of an ending describes."""
        kind, *values = json.loads(outcome)["events"][0]
        match kind:
            case "ExecutionSucceeded":
                return cast(R, self.result.validate_json(values[0]))
            case "ExecutionRaised":
                raise self._failure(values[0])
            case "ExecutionCancelled":
                raise WorkflowCancelled(self.name, "", _first(values) or "it was cancelled")
            case "ExecutionTerminated":
                raise WorkflowTerminated(self.name, "", _first(values) or "it was terminated")
            case "ExecutionTimedOut":
                raise TimedOut(f"workflow '{self.name}' did not end within {values[0]:g} s")
            case _:
                raise ValueError(f"{kind} is no ending of an execution; upgrade client_kit")

    def _failure(self, row: Sequence[Any]) -> BaseException:
        """Return the declared error that a failure describes, or one that says what it was."""
        type_, message, kind, fields, traceback, *causes = row
        cls = {"cancelled": WorkflowCancelled, "terminated": WorkflowTerminated}.get(kind, WorkflowFailed)
        remote = cls(self.name, type_, message, fields, traceback)
        remote.__cause__ = self._cause(causes)
        error = self._declared(type_, fields)
        if error is None and kind == "timeout":
            error = TimedOut(message or f"workflow '{self.name}' timed out")
        if error is None:
            return remote
        error.__cause__ = remote
        return error

    def _declared(self, type_: str, fields: str | None) -> BaseException | None:
        name = type_.rpartition(":")[2].rpartition(".")[2]
        declared = next((e for e in self.options.get("errors", ()) if e.__name__ == name), None)
        if declared is None or fields is None:
            return None
        try:
            return declared.decode_fields(json.loads(fields))
        except ValueError:
            return None  # the class is another one by now; the failure itself is what is left

    def _cause(self, rows: Sequence[Any]) -> RemoteError | None:
        if not rows:
            return None
        type_, message, _, fields, traceback, *causes = rows[0]
        remote = RemoteError(self.name, type_, message, fields, traceback)
        remote.__cause__ = self._cause(causes)
        return remote

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> BoundWorkflow[P, R]: ...
    def __get__(self, instance: Service | None, owner: type[Any]) -> Self | BoundWorkflow[P, R]:
        return self if instance is None else cast("BoundWorkflow[P, R]", instance._bind_workflow(self))


class NamedWorkflow(Workflow[..., Any]):
    """A workflow of which only the name is known: arguments by name, and what it ends with as JSON values."""

    def __init__(self, name: str) -> None:
        super().__init__(_nameless, {})
        self.name = name

    def encode_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        if args:
            raise TypeError(f"workflow '{self.name}' is known by its name alone; give its arguments by name")
        return to_json(dict(kwargs))


async def _nameless(self: object) -> Any: ...


class WorkflowDeclaration:
    """`@workflow(...)`, waiting for its signature."""

    def __init__(self, options: WorkflowOptions) -> None:
        self._options = options

    def __call__(self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /) -> Workflow[P, R]:
        return Workflow(function, self._options)


def workflow(**options: Unpack[WorkflowOptions]) -> WorkflowDeclaration:
    """Publish a workflow: a method of a `Service` whose body is never run."""
    return WorkflowDeclaration(options)


def _first(values: Sequence[Any]) -> str:
    return str(values[0]) if values and values[0] else ""
