"""Executions of workflows as their callers see them: one handle, wherever the execution runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar

from client_kit.errors import CallError
from client_kit.ids import new_id

__all__ = [
    "ExecutionAccess",
    "ExecutionHandle",
    "ExecutionInfo",
    "ExecutionStatus",
    "SignalContract",
    "StartOptions",
    "StateContract",
    "WorkflowContract",
    "check_typed",
]

R = TypeVar("R")
T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)

ExecutionStatus: TypeAlias = Literal["running", "succeeded", "failed", "cancelled", "timed_out", "terminated"]


def _no_attributes() -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class ExecutionInfo:
    """An execution as seen from outside; times are seconds since the epoch."""

    id: str
    workflow: str
    status: ExecutionStatus
    started_at_s: float
    ended_at_s: float | None = None
    run: int = 0
    """How many times it has continued as new."""
    parent: str | None = None
    paused: bool = False
    paused_reason: str | None = None
    """Why, for operators; None: it is not paused, or the caller is no operator."""
    attributes: Mapping[str, str] = field(default_factory=_no_attributes)
    """Search attributes, given at the start or set by the workflow since."""


@dataclass(frozen=True, slots=True)
class StartOptions:
    """How an execution starts; None keeps what the workflow's definition says."""

    id: str | None = None
    timeout_s: float | None = None
    start_delay_s: float | None = None
    attributes: Mapping[str, str] = field(default_factory=_no_attributes)


class WorkflowContract(Protocol[T_co]):
    """What a handle reads of a workflow."""

    @property
    def name(self) -> str: ...

    def decode_outcome(self, outcome: str) -> T_co:
        """Return the result, or raise the error, that the JSON of an ending describes."""
        ...


class SignalContract(Protocol[T_contra]):
    """What a handle reads of a signal."""

    @property
    def name(self) -> str: ...

    def encode(self, payload: T_contra, /) -> str: ...


class StateContract(Protocol[T_co]):
    """What a handle reads of a published state."""

    @property
    def name(self) -> str: ...

    def decode(self, text: str, /) -> T_co: ...


class ExecutionAccess(Protocol):
    """A way to executions: a service's own runtime, or a connection to one. All raise ExecutionNotFound.

    Where a `workflow` is named, an execution of another one counts as not found: its result, states and signals
    are of other types.
    """

    async def outcome(self, id: str, wait_s: float | None, workflow: str | None = None) -> str | None:
        """Return the JSON of how the execution ended; None if it has not within `wait_s` (None: for ever)."""
        ...

    async def describe(self, id: str, workflow: str | None = None) -> ExecutionInfo: ...

    async def history(self, id: str, workflow: str | None = None) -> Sequence[Mapping[str, Any]]:
        """Return the events of the present run, each with its `kind` and its fields."""
        ...

    async def state(self, id: str, name: str, workflow: str | None = None) -> str | None:
        """Return the latest value of a published state as JSON; None if it was never set."""
        ...

    async def signal(
        self, id: str, name: str, payload: str, signal_id: str, workflow: str | None = None
    ) -> None:
        """Deliver a signal; one `signal_id` is delivered once. An execution that has ended ignores it."""
        ...

    async def cancel(self, id: str, reason: str, workflow: str | None = None) -> None: ...

    async def terminate(self, id: str, reason: str, workflow: str | None = None) -> None: ...


class ExecutionHandle(Generic[R]):
    """One execution of a workflow whose result is an `R`. Cheap to make; nothing is asked before a method is.

    Its methods raise ExecutionNotFound if there is none with this id, or if it is of another workflow.
    """

    __slots__ = ("_access", "_asked", "_workflow", "id")

    def __init__(
        self, access: ExecutionAccess, workflow: WorkflowContract[R], id: str, *, started: bool = False
    ) -> None:
        self._access = access
        self._workflow = workflow
        # Who has just started it knows whose it is: nobody has to look.
        self._asked = None if started else workflow.name
        self.id: str = id

    async def result(self, *, timeout_s: float | None = None) -> R:
        """Wait for the execution's end and return its result.

        Raises what the workflow raised: a declared error as its own class, anything else as WorkflowFailed,
        and WorkflowCancelled, WorkflowTerminated or TimedOut for the other endings. Raises TimeoutError if the
        execution goes on after `timeout_s`, or is paused by then. Who gives up waiting cancels nothing but the wait,
        in workflows, too.
        """
        outcome = await self._access.outcome(self.id, timeout_s, self._asked)
        if outcome is None:
            raise TimeoutError(await self._goes_on(timeout_s))
        return self._workflow.decode_outcome(outcome)

    async def _goes_on(self, timeout_s: float | None) -> str:
        """Say why there is no result: one that is paused never has any, unless somebody resumes it."""
        named = f"execution '{self.id}' of '{self._workflow.name}'"
        with suppress(CallError):  # the wait is over all the same if the service cannot be asked any more
            info = await self.describe()
            if info.paused:
                why = f": {told}" if (told := (info.paused_reason or "").partition("\n")[0]) else ""
                return f"{named} is paused{why}; resume it: 'service-kit executions resume {self.id}'"
        return f"{named} still runs after {timeout_s} s"

    async def status(self) -> ExecutionStatus:
        """Return whether it runs, or how it ended."""
        return (await self.describe()).status

    async def describe(self) -> ExecutionInfo:
        """Return everything that is known of it but its history."""
        return await self._access.describe(self.id, self._asked)

    async def history(self) -> Sequence[Mapping[str, Any]]:
        """Return what has happened in its present run, in order."""
        return await self._access.history(self.id, self._asked)

    async def signal(self, signal: SignalContract[T], payload: T, *, id: str | None = None) -> None:
        """Send a signal; give an `id` to have it delivered once however often it is sent."""
        check_typed("signal", signal)
        text = signal.encode(payload)
        await self._access.signal(self.id, signal.name, text, id or new_id(), self._asked)

    async def cancel(self, reason: str = "") -> None:
        """Ask it to cancel itself: CancelledError in the workflow, which may clean up."""
        await self._access.cancel(self.id, reason, self._asked)

    async def terminate(self, reason: str = "") -> None:
        """End it at once; none of its code runs any more."""
        await self._access.terminate(self.id, reason, self._asked)

    async def state(self, state: StateContract[T]) -> T | None:
        """Return the latest value of a state that it publishes; None if it has not yet."""
        check_typed("state", state)
        text = await self._access.state(self.id, state.name, self._asked)
        return None if text is None else state.decode(text)

    def __repr__(self) -> str:
        return f"<ExecutionHandle {self.id!r} of {self._workflow.name!r}>"


def check_typed(kind: Literal["signal", "state"], given: object) -> None:
    """Raise TypeError for a name where the declaration itself is needed."""
    if isinstance(given, str):
        raise TypeError(
            f"{kind} {given!r}: a name does not say its type; give the {kind.capitalize()} that is declared, "
            f"of the service's class or of the module"
        )
