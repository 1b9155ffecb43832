"""The management API: executions and events of a running service, as commands of a contract of its own.

Each is served at `POST /rpc/_system.<name>`, as clients call it, and at a route under `/_system` for people. They are
one contract with its errors, and stand together, though long.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, Field, JsonValue, ValidationError
from pydantic_core import PydanticCustomError, to_json

from client_kit.executions import ExecutionInfo
from service_kit.contract.command import AnyCommand, command
from service_kit.contract.gateway import Completion, Management, require_gateway
from service_kit.contract.options import ID_MOST
from service_kit.errors import ExecutionExists, ExecutionNotFound, ServiceError

PREFIX = "_system."
WAIT_MOST_S = 20.0
"""Of one long poll over a network; callers ask again."""

ID_MOST_BYTES = 2046
"""In UTF-8: a key of DynamoDB has no more, and it answers who asks for a longer one with an error of its own."""


def _fit_key(id: str) -> str:
    if len(id.encode()) > ID_MOST_BYTES:
        raise PydanticCustomError(
            "too_long", "String should have at most {most} bytes", {"most": ID_MOST_BYTES}
        )
    return id


Id: TypeAlias = Annotated[str, Field(min_length=1, max_length=2 * ID_MOST), AfterValidator(_fit_key)]
"""Of what exists: ids of children are longer than those that were chosen."""
ChosenId: TypeAlias = Annotated[str, Field(min_length=1, max_length=ID_MOST)]
Workflow: TypeAlias = Annotated[
    str | None, Field(description="Of which it has to be; an execution of another one counts as not found.")
]
Status: TypeAlias = Literal["running", "succeeded", "failed", "cancelled", "timed_out", "terminated"]

_management: ContextVar[Management] = ContextVar("service_kit_management")
_wait_most_s: ContextVar[float] = ContextVar("service_kit_wait_most_s", default=WAIT_MOST_S)
_completion: ContextVar[Completion] = ContextVar("service_kit_completion")


def set_management(management: Management, completion: Completion, wait_most_s: float = WAIT_MOST_S) -> None:
    """Make these the ones of this request's context; for hosts."""
    _management.set(management)
    _completion.set(completion)
    _wait_most_s.set(wait_most_s)


def current_management() -> Management:
    """Return the one of this request's host."""
    return _management.get()


_hidden: ContextVar[Callable[[str], bool]] = ContextVar("service_kit_hidden")


def hide_from_caller(hidden: Callable[[str], bool]) -> None:
    """Say which executions this request's caller may not touch."""
    _hidden.set(hidden)


def is_hidden(id: str) -> bool:
    """Return whether this request's caller may not touch an execution."""
    return _hidden.get()(id)


_operates: ContextVar[Callable[[], Awaitable[bool]]] = ContextVar("service_kit_operates")


def tell_operators(operates: Callable[[], Awaitable[bool]]) -> None:
    """Say how to find out whether this request's caller is an operator."""
    _operates.set(operates)


def touchable(id: str) -> str:
    """Return an execution's id; raise ExecutionNotFound if it is hidden from this request's caller."""
    if is_hidden(id):
        raise ExecutionNotFound(id=id)
    return id


class UnknownWorkflow(ServiceError, status=404):
    """The service has no public workflow of this name."""

    workflow: str
    known: list[str]


class InvalidWorkflowInput(ServiceError, status=422):
    """The input does not fit the workflow's parameters."""

    errors: list[dict[str, JsonValue]]


class UnknownEvent(ServiceError, status=422):
    """The service knows no event of this name."""

    event: str
    known: list[str]


class InvalidEvent(ServiceError, status=422):
    """The payload does not fit the event's fields."""

    event: str
    errors: list[dict[str, JsonValue]]


class InvalidSignal(ServiceError, status=422):
    """The payload is not of the type that the service's class declares for this signal."""

    signal: str
    errors: list[dict[str, JsonValue]]


class InvalidTaskCompletion(ServiceError, status=422):
    """The token is none of this service's, or the result is not of the task's type."""

    problem: str


class RunOver(ServiceError, status=409):
    """The run of this cursor is over: the execution has continued as new. Begin again, without a cursor."""

    id: str
    after: str


class InvalidFork(ServiceError, status=422):
    """The execution has no such turn, or cannot be forked from there."""

    id: str
    problem: str


Pair: TypeAlias = Annotated[str, Field(pattern="^[^=]+=")]


class Page(BaseModel):
    """One page of a list."""

    executions: Sequence[ExecutionInfo]
    after: str | None


class HistoryPage(BaseModel):
    """The events of some turns."""

    events: Sequence[dict[str, Any]]
    after: str | None


class EmittedEvent(BaseModel):
    """An event to publish."""

    name: str
    payload: dict[str, JsonValue]


@command(method="GET", path="/_system/executions")
async def list_executions(
    workflow: str | None = None,
    status: Status | None = None,
    attribute: Annotated[list[Pair], Field(description="name=value; all must hold")] = [],  # noqa: B006 - read only
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
    after: Annotated[str, Field(pattern=r"^\d+(\.\d+)?/")] | None = None,
) -> Page:
    """List executions, newest first."""
    pairs = (pair.partition("=") for pair in attribute)
    attributes = {name: value for name, _, value in pairs}
    found, cursor = await _management.get().list_executions(workflow, status, attributes, limit, after)
    return Page(executions=found, after=cursor)


@command(method="GET", path="/_system/executions/{id}", errors=[ExecutionNotFound])
async def describe(id: Id, workflow: Workflow = None) -> ExecutionInfo:
    """Tell what is known of an execution; why it is paused, operators only: it may tell of the service's inside."""
    info = await require_gateway("this").describe(touchable(id), workflow)
    return info if not info.paused or await _operates.get()() else replace(info, paused_reason=None)


@command(method="GET", path="/_system/executions/{id}/outcome", errors=[ExecutionNotFound])
async def outcome(
    id: Id, wait_s: Annotated[float, Field(ge=0)] = 0.0, workflow: Workflow = None
) -> str | None:
    """Wait for an execution's end, and tell how it ended; null if it goes on."""
    return await require_gateway("this").outcome(touchable(id), min(wait_s, _wait_most_s.get()), workflow)


@command(method="GET", path="/_system/executions/{id}/history", errors=[ExecutionNotFound])
async def history(id: Id, workflow: Workflow = None) -> list[dict[str, Any]]:
    """Tell what has happened in an execution's present run."""
    return [dict(event) for event in await require_gateway("this").history(id, workflow)]


@command(method="GET", path="/_system/executions/{id}/turns", errors=(ExecutionNotFound, RunOver))
async def history_page(
    id: Id,
    limit: Annotated[int, Field(ge=1, le=1000, description="turns at most; large ones come in fewer")] = 100,
    after: Annotated[str, Field(pattern="^[0-9]{1,8}/[0-9]{1,8}$")] | None = None,
    workflow: Workflow = None,
) -> HistoryPage:
    """Tell some turns of an execution's present run, in order."""
    page = await current_management().history_page(id, limit, after, workflow)
    if page is None:
        raise RunOver(id=id, after=after or "")
    events, cursor = page
    return HistoryPage(events=[dict(event) for event in events], after=cursor)


@command(method="GET", path="/_system/executions/{id}/states/{name}", errors=[ExecutionNotFound])
async def state(id: Id, name: str, workflow: Workflow = None) -> str | None:
    """Tell the latest value of a published state, as JSON text."""
    return await require_gateway("this").state(touchable(id), name, workflow)


@command(path="/_system/executions/{id}/cancel", errors=[ExecutionNotFound])
async def cancel(id: Id, reason: str = "", workflow: Workflow = None) -> bool:
    """Ask an execution to cancel itself; false: it has ended already."""
    runs = await _runs(touchable(id), workflow)
    if runs:
        await require_gateway("this").cancel(id, reason)
    return runs


@command(path="/_system/executions/{id}/terminate", errors=[ExecutionNotFound])
async def terminate(id: Id, reason: str = "", workflow: Workflow = None) -> bool:
    """End an execution at once; false: it has ended already."""
    runs = await _runs(id, workflow)
    if runs:
        await require_gateway("this").terminate(id, reason)
    return runs


async def _runs(id: str, workflow: str | None) -> bool:
    return (await require_gateway("this").describe(id, workflow)).status == "running"


@command(path="/_system/executions/{id}/pause", errors=[ExecutionNotFound])
async def pause(id: Id, reason: str = "paused by an operator") -> bool:
    """Stop the turns of an execution, what arrives is kept; false: it has ended already."""
    return await _management.get().pause(id, reason or "paused")


@command(path="/_system/executions/{id}/resume", errors=[ExecutionNotFound])
async def resume(id: Id) -> bool:
    """Let a paused execution go on; false: it has ended already."""
    return await _management.get().pause(id, None)


@command(path="/_system/executions/{id}/fork", errors=[ExecutionNotFound, ExecutionExists, InvalidFork])
async def fork(id: Id, turn: Annotated[int, Field(ge=1)], new_id: ChosenId) -> None:
    """Begin an execution with the first turns of this one, tasks and children without an answer begun again."""
    try:
        await _management.get().fork(id, turn, new_id)
    except ValueError as error:
        raise InvalidFork(id=id, problem=str(error)) from None


@command(path="/_system/tasks/succeed", errors=[InvalidTaskCompletion])
async def complete_task(token: str, result: JsonValue = None) -> bool:
    """Complete a task by its token; false: nobody waits for it any more."""
    with _completing():
        return await _completion.get().succeed(token, to_json(result).decode())


@command(path="/_system/tasks/fail", errors=[InvalidTaskCompletion])
async def fail_task(token: str, message: str, type: str = "") -> bool:
    """Fail a task for good by its token."""
    with _completing():
        return await _completion.get().fail(token, message, type)


@command(path="/_system/tasks/heartbeat", errors=[InvalidTaskCompletion])
async def heartbeat_task(token: str, details: JsonValue = None) -> bool:
    """Say that a task is being worked on; false: nobody waits for it any more."""
    with _completing():
        return await _completion.get().heartbeat(
            token, None if details is None else to_json(details).decode()
        )


@contextmanager
def _completing() -> Generator[None, None, None]:
    try:
        yield
    except ValidationError as error:
        raise InvalidTaskCompletion(problem=f"the result does not fit: {error.errors()[0]['msg']}") from None
    except ValueError as error:
        raise InvalidTaskCompletion(problem=str(error)) from None


COMMANDS: tuple[AnyCommand, ...] = (
    list_executions,
    describe,
    outcome,
    history,
    history_page,
    state,
    cancel,
    terminate,
    pause,
    resume,
    fork,
    complete_task,
    fail_task,
    heartbeat_task,
)
"""What needs no knowledge of the service."""

FOR_CALLERS = frozenset(
    {
        "start",
        "describe",
        "outcome",
        "state",
        "states",
        "signal",
        "cancel",
        "complete_task",
        "fail_task",
        "heartbeat_task",
    }
)
"""Who knows an execution's id, or a task's token, was given it: neither can be guessed, but for what is hidden."""
