"""Errors as data: what remains of an exception when it travels between tasks, executions and processes."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, TypeAlias

from ..errors import RemoteError, TaskFailed, TimedOut, WorkflowCancelled, WorkflowFailed, WorkflowTerminated
from .payload import Payload
from .source import is_machinery

__all__ = ["PLAIN", "Failure", "FailureCodec", "FailureKind", "child_error", "describe_error", "task_error"]

FailureKind: TypeAlias = Literal["error", "timeout", "cancelled", "terminated"]

CAUSES_MAX = 8
TRACEBACK_CHARS_MAX = 16_000


@dataclass(frozen=True, slots=True)
class Failure:
    """What an exception was."""

    type: str
    """`module:QualName` of its class."""
    message: str
    kind: FailureKind = "error"
    fields: Payload | None = None
    """Of a declared error, what its class is built again from."""
    traceback: str = ""
    cause: Failure | None = None


class FailureCodec(Protocol):
    """Knows the declared error classes."""

    def fields(self, error: BaseException) -> Payload | None:
        """Return the error's fields, or None if its class is not declared."""
        ...

    def rebuild(self, failure: Failure) -> BaseException | None:
        """Return the declared error that `failure` describes, or None if there is no such class."""
        ...


class PlainFailures:
    """A codec that knows no declared error class."""

    def fields(self, error: BaseException) -> Payload | None:
        return None

    def rebuild(self, failure: Failure) -> BaseException | None:
        return None


PLAIN = PlainFailures()


def describe_error(error: BaseException, codec: FailureCodec = PLAIN, *, depth: int = 0) -> Failure:
    """Return the data of `error` and of its causes."""
    cls = type(error)
    return Failure(
        type=f"{cls.__module__}:{cls.__qualname__}",
        message=message_of(error),
        kind=_kind(error),
        fields=codec.fields(error),
        traceback=_traceback_text(error),
        cause=_cause(error, codec, depth + 1),
    )


def task_error(task: str, failure: Failure, codec: FailureCodec = PLAIN) -> BaseException:
    """Return the exception that `await` of a failed task raises.

    A declared error comes back as its own class, caused by the `TaskFailed` that holds the remote traceback.
    """
    remote = TaskFailed(task, failure.type, failure.message, failure.fields, failure.traceback)
    return _rebuilt(remote, failure, codec)


def child_error(workflow: str, failure: Failure, codec: FailureCodec = PLAIN) -> BaseException:
    """Return the exception that waiting for a failed execution of `workflow` raises; see `task_error`."""
    cls = {"cancelled": WorkflowCancelled, "terminated": WorkflowTerminated}.get(failure.kind, WorkflowFailed)
    remote = cls(workflow, failure.type, failure.message, failure.fields, failure.traceback)
    return _rebuilt(remote, failure, codec)


def _rebuilt(remote: RemoteError, failure: Failure, codec: FailureCodec) -> BaseException:
    remote.__cause__ = _causes(remote.name, failure.cause)
    error = codec.rebuild(failure)
    if error is None and failure.kind == "timeout":
        error = TimedOut(failure.message or f"{remote.noun} '{remote.name}' timed out")
    if error is None:
        return remote
    error.__cause__ = remote
    return error


def _causes(name: str, failure: Failure | None) -> RemoteError | None:
    if failure is None:
        return None
    remote = RemoteError(name, failure.type, failure.message, failure.fields, failure.traceback)
    remote.__cause__ = _causes(name, failure.cause)
    return remote


def _kind(error: BaseException) -> FailureKind:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, asyncio.CancelledError | WorkflowCancelled):
        return "cancelled"
    return "terminated" if isinstance(error, WorkflowTerminated) else "error"


def _cause(error: BaseException, codec: FailureCodec, depth: int) -> Failure | None:
    cause = error.__cause__
    if cause is None and not error.__suppress_context__:
        cause = error.__context__
    if cause is None or depth > CAUSES_MAX:
        return None
    return describe_error(cause, codec, depth=depth)


def _traceback_text(error: BaseException) -> str:
    """Return the error's own stack as text, without its causes: they travel as data."""
    if isinstance(error, RemoteError):
        return error.traceback
    lines = traceback.format_exception(
        type(error), error, _beyond_the_engine(error.__traceback__), chain=False
    )
    text = _writable("".join(lines))
    return text if len(text) <= TRACEBACK_CHARS_MAX else "[...]\n" + text[-TRACEBACK_CHARS_MAX:]


def message_of(error: BaseException) -> str:
    """Return `str(error)`, or why there is none: a failure must be told, whatever its class does."""
    try:
        return _writable(str(error))
    except Exception as failed:  # noqa: BLE001 - the error's own code is wrong, and must not hide the error
        return f"(its message cannot be made: {type(failed).__name__})"


def _writable(text: str) -> str:
    """Return text without lone surrogates, such as file names hold: no store could take the history."""
    return text.encode("utf-8", "backslashreplace").decode()


def _beyond_the_engine(entry: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that begins with the user's code; all of it, if there is none."""
    found = entry
    while found is not None and is_machinery(found.tb_frame):
        found = found.tb_next
    return found or entry
