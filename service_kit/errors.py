"""The errors of `service_kit`, one tree.

Exception
├── TypeError
│   └── DefinitionError     a declaration is wrong: raised at import, with the cure
├── TimeoutError
│   └── TimedOut            a task, a workflow, or a wait in a workflow took longer than it may
├── ServiceError            a declared error of a service: subclass it, raise it, catch it at the client
│   ├── ExecutionNotFound   ... no execution of the workflow has this id (a LookupError, too)
│   └── ExecutionExists     ... an id was used before, with another workflow or input
├── Refusal                 an HTTP answer outside the contract: middleware and verifiers raise it
├── RemoteError             an exception from elsewhere, of a class that nobody declared
│   ├── TaskFailed          ... that a task raised
│   └── WorkflowFailed      ... that ended an execution
│       ├── WorkflowCancelled
│       └── WorkflowTerminated
├── NonDeterminismError     workflow code does not match its history, or does what a workflow cannot
├── HistoryUnreadable       a history is of a newer engine, or damaged
└── TurnTooLong             a workflow runs without ever waiting

What ends executions derives from the errors of the same names in `client_kit.contracts.errors`: one `except` catches
it, whether a caller has the service's class or a published contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from typing_extensions import dataclass_transform

from client_kit.contracts import errors as callers

__all__ = [
    "DefinitionError",
    "ExecutionExists",
    "ExecutionNotFound",
    "HistoryUnreadable",
    "NonDeterminismError",
    "Refusal",
    "RemoteError",
    "ServiceError",
    "TaskFailed",
    "TimedOut",
    "TurnTooLong",
    "WorkflowCancelled",
    "WorkflowFailed",
    "WorkflowTerminated",
]


class DefinitionError(TypeError):
    """Say what is wrong in a declaration, where, and how to mend it."""

    def __init__(self, where: str, problem: str, cure: str) -> None:
        super().__init__(f"{where}: {problem}; {cure}")
        self.where = where
        self.problem = problem
        self.cure = cure


class Refusal(Exception):
    """Answer a request with an HTTP status that the contract does not declare (401, 403, 429, ...)."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers: dict[str, str] = dict(headers or {})


RESERVED_FIELDS = frozenset({"type", "title", "status", "detail", "instance", "request_id"})
"""Members of every problem (RFC 9457, docs/design/wire.md): an error's fields travel beside them."""


@dataclass_transform(kw_only_default=True, field_specifiers=(Field,))
class ServiceError(Exception):
    """A typed error that a command declares; its annotated fields travel to the client.

    `status` and `title` are class keywords; fields are validated as pydantic would:

        class OutOfStock(ServiceError, status=409):
            sku: str

    At the client the same class is raised, with the same fields. `str(error)` is the problem's `detail`.
    """

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Service error"
    _model: ClassVar[type[BaseModel] | None] = None

    def __init_subclass__(cls, *, status: int | None = None, title: str | None = None) -> None:
        super().__init_subclass__()
        if status is not None:
            cls.status = _checked_status(cls, status)
        cls.title = title or _words(cls.__name__)
        cls._model = None

    def __init__(self, **fields: Any) -> None:
        values = self.fields_model().model_validate(fields, by_name=True, by_alias=False).__dict__
        self.__dict__.update(values)
        Exception.__init__(self, values)  # past bases that take fields

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.fields().items())
        return f"{self.title} ({values})" if values else self.title

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.fields())

    def fields(self) -> dict[str, Any]:
        """Return the declared fields by name."""
        return dict(self.args[0])

    def encode_fields(self) -> dict[str, Any]:
        """Return the fields as JSON values, named as on the wire."""
        model = self.fields_model()
        return model.model_validate(self.fields(), by_name=True).model_dump(mode="json", by_alias=True)

    @classmethod
    def decode_fields(cls, members: Mapping[str, Any]) -> Self:
        """Return the error whose fields are among a problem's members; raise pydantic's ValidationError.

        Members that this version of the error does not know are left out, so that a service may add some.
        """
        model = cls.fields_model()
        names = {_wire_name(name, field) for name, field in model.model_fields.items()}
        decoded = model.model_validate({k: v for k, v in members.items() if k in names})
        error = cls.__new__(cls)
        error.__dict__.update(decoded.__dict__)
        error.args = (decoded.__dict__,)
        return error

    @classmethod
    def fields_model(cls) -> type[BaseModel]:
        """Return the pydantic model of the fields; built at first use, so that annotations may look forward."""
        if cls._model is None:
            cls._model = create_model(
                cls.__name__,
                __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=False),
                __doc__=cls.__doc__,
                __module__=cls.__module__,
                **_field_definitions(cls),
            )
        return cls._model


def _wire_name(name: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else field.alias or name


def _rebuild(cls: type[ServiceError], fields: dict[str, Any]) -> ServiceError:
    return cls(**fields)


def _checked_status(cls: type[ServiceError], status: int) -> int:
    if 400 <= status <= 599:
        return status
    raise DefinitionError(
        f"error '{cls.__name__}'",
        f"status {status} is not an HTTP error",
        "choose one from 400 to 599, such as 409",
    )


def _field_definitions(cls: type[ServiceError]) -> dict[str, Any]:
    hints = {
        name: hint
        for name, hint in get_type_hints(cls, include_extras=True).items()
        if get_origin(hint) is not ClassVar
    }
    for name in sorted(RESERVED_FIELDS & hints.keys()):
        raise DefinitionError(
            f"error '{cls.__name__}', field '{name}'",
            "every problem has a member of this name, with a meaning of its own",
            f"rename it, for example to '{name}_'",
        )
    return {name: (hint, getattr(cls, name, ...)) for name, hint in hints.items()}


def _words(class_name: str) -> str:
    """Return `OutOfStock` as `Out of stock`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", class_name)
    return spaced[:1] + "".join(w if w.isupper() else w.lower() for w in re.split(r"(\s)", spaced[1:]))


class TimedOut(callers.TimedOut):
    """Say what took too long."""


class RemoteError(callers.RemoteError):
    """An exception that happened elsewhere, as data; its traceback text is a note of this one."""


class TaskFailed(RemoteError):
    """A task failed with an error of a class that is not declared."""

    noun = "task"


class WorkflowFailed(RemoteError, callers.WorkflowFailed):
    """An execution ended with an error of a class that is not declared."""


class WorkflowCancelled(WorkflowFailed, callers.WorkflowCancelled):
    """An execution was cancelled."""


class WorkflowTerminated(WorkflowFailed, callers.WorkflowTerminated):
    """An execution was ended at once, without its cleanup."""


class NonDeterminismError(Exception):
    """Workflow code does not match its history, or does what a workflow cannot; `where` is its source line."""

    def __init__(self, problem: str, where: str, recorded: str = "", made: str = "") -> None:
        super().__init__(problem, where, recorded, made)
        self.problem = problem
        self.where = where
        self.recorded = recorded
        """What the history holds; empty if nothing, or if there is nothing to compare."""
        self.made = made
        """What the code did; empty if nothing."""

    def __str__(self) -> str:
        sides = (("history", self.recorded), ("code", self.made), ("at", self.where))
        return "\n".join([self.problem, *(f"  {side}: {text}" for side, text in sides if text)])


class HistoryUnreadable(Exception):
    """A history is of a newer engine, or damaged; the message says which and what to do."""


class TurnTooLong(Exception):
    """A workflow ran an enormous number of steps in one turn without waiting for anything."""


class ExecutionNotFound(ServiceError, callers.ExecutionNotFound, status=404):
    """No execution has this id, or it is of another workflow than the one that was asked for it."""

    def __str__(self) -> str:
        return callers.ExecutionNotFound.__str__(self)


class ExecutionExists(ServiceError, callers.ExecutionExists, status=409):
    """An id was used before, with another workflow or input."""

    def __str__(self) -> str:
        if len(self.args) > 1:
            return str(self.args[1])
        return (
            f"execution '{self.id}' exists already, with another workflow or input; "
            "choose another id, or get its handle"
        )

    def saying(self, text: str) -> Self:
        """Return the same error with another text, for an id that cannot be used for another reason."""
        error = self.decode_fields(self.encode_fields())
        error.args = (self.fields(), text)
        return error
