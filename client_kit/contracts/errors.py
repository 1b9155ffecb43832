"""Declared errors as their callers have them, and the endings of executions that were none.

Exception
├── TimeoutError
│   └── TimedOut                an execution took longer than it may
├── ServiceError                a declared error of a service: caught by its own class
│   ├── DocumentedError         ... that an OpenAPI document describes by its status: `body` is all of it
│   ├── ExecutionNotFound       ... no execution has this id (a LookupError, too)
│   └── ExecutionExists         ... an id was used before, with another workflow or input
└── RemoteError                 an exception inside the service, of a class that nobody declared
    └── WorkflowFailed          ... that ended an execution
        ├── WorkflowCancelled
        └── WorkflowTerminated
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo
from typing_extensions import dataclass_transform

__all__ = [
    "DocumentedError",
    "ExecutionExists",
    "ExecutionNotFound",
    "RemoteError",
    "ServiceError",
    "TimedOut",
    "WorkflowCancelled",
    "WorkflowFailed",
    "WorkflowTerminated",
]


@dataclass_transform(kw_only_default=True, field_specifiers=(Field,))
class ServiceError(Exception):
    """A typed error that a service declares: `except OutOfStock as error: print(error.left)`.

    It is built as at the service, `OutOfStock(sku="sku-1", left=0)`, so that tests and fakes can raise it.
    """

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Service error"
    _model: ClassVar[type[BaseModel] | None] = None

    def __init_subclass__(cls, *, status: int | None = None, title: str | None = None) -> None:
        super().__init_subclass__()
        cls.status = cls.status if status is None else status
        cls.title = title or _words(cls.__name__)
        cls._model = None

    def __init__(self, **fields: Any) -> None:
        values = self.fields_model().model_validate(fields, by_name=True, by_alias=False).__dict__
        self.__dict__.update(values)
        super().__init__(values)

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.fields().items())
        return f"{self.title} ({values})" if values else self.title

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.fields())

    def fields(self) -> dict[str, Any]:
        """Return the declared fields by name."""
        return dict(self.args[0])

    @classmethod
    def decode_fields(cls, members: Mapping[str, Any]) -> Self:
        """Return the error whose fields are among a problem's members; raise pydantic's ValidationError.

        Members that this contract does not know are left out, so that a service may add some.
        """
        model = cls.fields_model()
        names = {_wire_name(name, field) for name, field in model.model_fields.items()}
        decoded = model.model_validate({k: v for k, v in members.items() if k in names}).__dict__
        error = cls.__new__(cls)
        error.__dict__.update(decoded)
        error.args = (decoded,)
        return error

    @classmethod
    def fields_model(cls) -> type[BaseModel]:
        """Return the pydantic model of the fields; built at first use, so that annotations may look forward."""
        if cls._model is None:
            hints = get_type_hints(cls, include_extras=True)
            definitions: dict[str, Any] = {
                name: (hint, getattr(cls, name, ...))
                for name, hint in hints.items()
                if get_origin(hint) is not ClassVar
            }
            cls._model = create_model(
                cls.__name__,
                __config__=ConfigDict(extra="forbid"),
                __doc__=cls.__doc__,
                __module__=cls.__module__,
                **definitions,
            )
        return cls._model


def _wire_name(name: str, field: FieldInfo) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else field.alias or name


def _rebuild(cls: type[ServiceError], fields: dict[str, Any]) -> ServiceError:
    return cls(**fields)


def _words(class_name: str) -> str:
    """Return `OutOfStock` as `Out of stock`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", class_name)
    return spaced[:1] + "".join(w if w.isupper() else w.lower() for w in re.split(r"(\s)", spaced[1:]))


class DocumentedError(ServiceError):
    """An error that a service's OpenAPI document describes by its status; a subclass types its `body`."""

    @classmethod
    def decode_fields(cls, members: Mapping[str, Any]) -> Self:
        return super().decode_fields({"body": members})


class ExecutionNotFound(ServiceError, LookupError, status=404):
    """No execution has this id, or it is of another workflow than the one that was asked for it."""

    id: str
    belongs_to: str | None = None
    """The workflow whose execution it is; None: nobody has the id."""

    def __str__(self) -> str:
        if self.belongs_to is not None:
            return (
                f"execution '{self.id}' is one of workflow '{self.belongs_to}', not of the workflow that was asked "
                f"for it; use {self.belongs_to}.get('{self.id}')"
            )
        return f"there is no execution '{self.id}'; start it, or look for its id in the list of executions"


class ExecutionExists(ServiceError, status=409):
    """An id was used before, with another workflow or input."""

    id: str


class TimedOut(TimeoutError):
    """An execution took longer than it may."""


class RemoteError(Exception):
    """An exception inside the service, as data; its traceback text is a note of this one."""

    noun: ClassVar[str] = "the cause"
    end: ClassVar[str] = "failed"

    def __init__(
        self, name: str, type: str, message: str, fields: str | None = None, traceback: str = ""
    ) -> None:
        super().__init__(name, type, message, fields, traceback)
        self.name = name
        """Of the task or workflow that failed."""
        self.type = type
        """`module:QualName` of the exception's class."""
        self.message = message
        self.fields = fields
        """Of a declared error whose class is unknown here, its fields as JSON text."""
        self.traceback = traceback
        if traceback:
            self.add_note(traceback.rstrip())

    def __str__(self) -> str:
        what = ": ".join(part for part in (self.type.rpartition(":")[2], self.message) if part)
        told = f"{self.noun} '{self.name}' {self.end}"
        return told if what == f"it {self.end}" else f"{told}: {what}"


class WorkflowFailed(RemoteError):
    """An execution ended with an error of a class that is not declared."""

    noun = "workflow"


class WorkflowCancelled(WorkflowFailed):
    """An execution was cancelled."""

    end = "was cancelled"


class WorkflowTerminated(WorkflowFailed):
    """An execution was ended at once, without its cleanup."""

    end = "was terminated"
