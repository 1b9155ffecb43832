"""The port through which declarations reach the runtime that they run in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar, Token
from typing import Any, Protocol

from client_kit.executions import ExecutionAccess, ExecutionInfo, ExecutionStatus, StartOptions


class Launcher(Protocol):
    """What begins something: executions and events."""

    async def start(self, workflow: str, input: str, options: StartOptions) -> str:
        """Start an execution, or find the running one of the same id and input; return its id.

        Raises ExecutionExists for an id that was used with another workflow or input.
        """
        ...

    async def emit(self, events: Sequence[tuple[str, str]]) -> None:
        """Publish events, each a name and a payload, all or none."""
        ...


class Gateway(ExecutionAccess, Launcher, Protocol):
    """What commands, tasks, subscriptions and programs can ask of a running service."""


_gateway: ContextVar[Gateway] = ContextVar("service_kit_gateway")


def require_gateway(what: str) -> Gateway:
    """Return the gateway of the host that this code runs in; raise RuntimeError naming `what` needs one."""
    try:
        return _gateway.get()
    except LookupError:
        raise RuntimeError(
            f"{what} needs a running service: call it from a command, task or subscription of one, or inside "
            "'async with LocalHost(Service, path)' or 'TestEnvironment(Service)'"
        ) from None


def set_gateway(gateway: Gateway) -> Token[Gateway]:
    """Make `gateway` the one of this context; for hosts."""
    return _gateway.set(gateway)


def reset_gateway(token: Token[Gateway]) -> None:
    """Undo `set_gateway`."""
    _gateway.reset(token)


class Completion(Protocol):
    """What the holder of a task's token may do; a token that the service did not sign raises ValueError.

    False says that nobody waits for the task any more.
    """

    async def succeed(self, token: str, value: str) -> bool:
        """Complete a task with its result as JSON; raise ValueError for one that is no such result."""
        ...

    async def fail(self, token: str, message: str, type: str = "") -> bool:
        """Fail a task for good."""
        ...

    async def heartbeat(self, token: str, details: str | None = None) -> bool:
        """Say that a task is being worked on."""
        ...


class Schedules(Protocol):
    """What operators can ask of the schedules of workflows; all but `list` raise LookupError for one without."""

    async def list(self) -> Sequence[Mapping[str, Any]]:
        """Return the schedules, each as `client_kit.management.ScheduleInfo` has them."""
        ...

    async def pause(self, workflow: str, reason: str | None) -> None:
        """Leave out the times that come, for a reason, or go on with those after now (None)."""
        ...

    async def trigger(self, workflow: str) -> str:
        """Run it now, paused or not, after the run that goes on if they may not overlap; return the run's id."""
        ...

    async def backfill(self, workflow: str, from_s: float, to_s: float) -> Sequence[str]:
        """Run all times of a range that were not run, paused or not; return the ids of their runs.

        Raises ValueError for a range that is none, or holds too many times.
        """
        ...


class Letters(Protocol):
    """What operators can ask about dead letters: events whose delivery to a subscription failed for good."""

    async def list(
        self, subscription: str | None, limit: int, after: str | None
    ) -> tuple[Sequence[Mapping[str, Any]], str | None]:
        """Return one page with their events and failures, the oldest first, and the cursor of the next one."""
        ...

    async def read(self, subscription: str, event_id: str) -> Mapping[str, Any] | None:
        """Return one; None: this is no dead letter."""
        ...

    async def redrive(self, subscription: str, event_id: str | None) -> int:
        """Deliver dead letters again, all of a subscription or one; return how many."""
        ...

    async def discard(self, subscription: str, event_ids: Sequence[str]) -> tuple[int, Sequence[str]]:
        """Give dead letters up; return how many, and which of these events this subscription is not known to have had.

        What was given up, redriven or handled within the last day is known, and left as it is.
        """
        ...


class Management(Protocol):
    """What operators can ask of a running service, beside its gateway."""

    @property
    def schedules(self) -> Schedules: ...

    @property
    def letters(self) -> Letters: ...

    async def list_executions(
        self,
        workflow: str | None,
        status: ExecutionStatus | None,
        attributes: Mapping[str, str],
        limit: int,
        after: str | None,
    ) -> tuple[Sequence[ExecutionInfo], str | None]:
        """Return one page, newest first, and the cursor of the next one."""
        ...

    async def history_page(
        self, id: str, limit: int, after: str | None, workflow: str | None = None
    ) -> tuple[Sequence[Mapping[str, Any]], str | None] | None:
        """Return the events of some turns of the present run, in order, and the cursor of the next ones.

        At most `limit` turns, and as many as have room in one answer, but one at least. None: the run of this cursor
        is over. Raises ExecutionNotFound, also for an execution of another workflow.
        """
        ...

    async def pause(self, id: str, reason: str | None) -> bool:
        """Stop turns of an execution for a reason, or let them go on (None); False: it has ended already.

        Raises ExecutionNotFound.
        """
        ...

    async def fork(self, id: str, turn: int, new_id: str) -> None:
        """Begin an execution with the first turns of another one.

        Raises ExecutionNotFound, ExecutionExists for the new id, and ValueError for what cannot be forked.
        """
        ...
