"""Operations on a service as a whole: `await manage(client).list_executions(status="failed")`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from client_kit.errors import ProblemError
from client_kit.executions import ExecutionInfo, ExecutionStatus
from client_kit.letters import PAGE_MOST, DeadLetter, DeadLetterPage, Discarded, letter_of
from client_kit.system import ServiceAccess, info_of

if TYPE_CHECKING:
    from client_kit.workflows import BoundWorkflow

__all__ = ["ExecutionPage", "HistoryPage", "Manager", "ScheduleInfo", "manage"]


class Client(Protocol):
    """A client that `connect` gave."""

    _connection: Any


class EventContract(Protocol):
    """An event that can be published: a service's own model."""

    event_name: ClassVar[str]

    def model_dump_json(self, *, by_alias: bool) -> str: ...


@dataclass(frozen=True, slots=True)
class ExecutionPage:
    """One page of a list; `after` leads to the next one, None: there is none."""

    executions: Sequence[ExecutionInfo]
    after: str | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The events of some turns, each with its `kind` and its fields; `after` leads to the next ones, None: to none."""

    events: Sequence[Mapping[str, Any]]
    after: str | None


@dataclass(frozen=True, slots=True)
class ScheduleInfo:
    """The schedule of a workflow; times are seconds since the epoch."""

    workflow: str
    cron: str
    timezone: str
    overlap: str
    catch_up_s: float
    next_at_s: float | None
    """None: it is paused or has no time left, or has just begun or was resumed during a run, and is yet to look."""
    last_at_s: float | None
    """The time of the run that was started last."""
    paused: str | None
    """Why; None: it is not."""
    running: str | None
    """The run that the next one waits for."""
    waiting: int
    """How many times wait for their runs."""


class Manager:
    """The management API of one service. It is closed unless a security scheme of the service admits the client."""

    def __init__(self, access: ServiceAccess) -> None:
        self._access = access

    async def list_executions(
        self,
        *,
        workflow: str | None = None,
        status: ExecutionStatus | None = None,
        attributes: Mapping[str, str] | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> ExecutionPage:
        """Return one page of executions, newest first."""
        found = await self._access.call(
            "list_executions",
            {
                "workflow": workflow,
                "status": status,
                "attribute": [f"{name}={value}" for name, value in (attributes or {}).items()],
                "limit": limit,
                "after": after,
            },
            idempotent=True,
        )
        return ExecutionPage([info_of(one) for one in found["executions"]], found["after"])

    async def executions(
        self,
        *,
        workflow: str | None = None,
        status: ExecutionStatus | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> AsyncIterator[ExecutionInfo]:
        """Iterate over all executions, newest first, page by page."""
        after: str | None = None
        while True:
            page = await self.list_executions(
                workflow=workflow, status=status, attributes=attributes, after=after
            )
            for one in page.executions:
                yield one
            if (after := page.after) is None:
                return

    def workflow(self, name: str) -> BoundWorkflow[..., Any]:
        """Return a workflow by its name, for programs that do not have the service's class.

        It starts executions with arguments by name, and `get` gives handles: to signal, cancel, terminate or follow
        what a list has shown. Results are JSON values, and `result()` raises the errors of `client_kit`, such as
        WorkflowFailed: no declared ones.
        """
        from client_kit.contracts.workflows import NamedWorkflow  # pydantic's part of it, for few programs
        from client_kit.workflows import BoundWorkflow

        return BoundWorkflow(self._access, NamedWorkflow(name))

    async def states(self, id: str) -> dict[str, Any]:
        """Return the latest values of the states that the service's class names, as JSON; without those never set."""
        found: dict[str, Any] = await self._access.call("states", {"id": id}, idempotent=True)
        return found

    async def history_page(self, id: str, *, limit: int = 100, after: str | None = None) -> HistoryPage:
        """Return at most `limit` turns of an execution's present run; `ExecutionHandle.history` has all of them.

        Raises ExecutionNotFound, and ProblemError (409) for a page of a run that is over: begin again, without `after`.
        """
        return HistoryPage(*await self._access.history_page(id, limit, after))

    async def pause(self, id: str, reason: str = "paused by an operator") -> bool:
        """Stop the turns of an execution, what arrives is kept; False: it has ended already."""
        paused: bool = await self._access.call("pause", {"id": id, "reason": reason}, idempotent=True)
        return paused

    async def resume(self, id: str) -> bool:
        """Let a paused execution go on; False: it has ended already."""
        resumed: bool = await self._access.call("resume", {"id": id}, idempotent=True)
        return resumed

    async def fork(self, id: str, turn: int, new_id: str) -> None:
        """Begin an execution with the first turns of this one, and with the service's code of today.

        Tasks and children that had no answer by then are begun again. Raises ExecutionNotFound, ExecutionExists for
        the new id, and ProblemError for a turn that there is not.
        """
        await self._access.call("fork", {"id": id, "turn": turn, "new_id": new_id})

    async def schedules(self) -> list[ScheduleInfo]:
        """Return the schedules of workflows, with their last and next times."""
        found = await self._access.call("list_schedules", {}, idempotent=True)
        known = ScheduleInfo.__dataclass_fields__
        return [ScheduleInfo(**{k: v for k, v in one.items() if k in known}) for one in found]

    async def pause_schedule(self, workflow: str, reason: str = "paused by an operator") -> None:
        """Leave out the times that come, and those that wait; runs that go on are not touched."""
        await self._access.call("pause_schedule", {"workflow": workflow, "reason": reason}, idempotent=True)

    async def resume_schedule(self, workflow: str) -> None:
        """Go on with the times that come from now on."""
        await self._access.call("resume_schedule", {"workflow": workflow}, idempotent=True)

    async def trigger_schedule(self, workflow: str) -> str:
        """Run it now, paused or not; return the id of the run."""
        started: str = await self._access.call("trigger_schedule", {"workflow": workflow})
        return started

    async def backfill_schedule(self, workflow: str, begin: datetime, end: datetime) -> list[str]:
        """Run the times of a range that were not run; return the ids of their runs. A moment needs a time zone.

        They wait in a queue and run one after another, unless the schedule lets them overlap. `pause_schedule` drops
        those that still wait: an id that was returned here may then be of no execution, and asking for it is
        ExecutionNotFound. Resume does not bring them back; a backfill of the same range does.
        """
        started: list[str] = await self._access.call(
            "backfill_schedule",
            {"workflow": workflow, "begin": begin.isoformat(), "end": end.isoformat()},
            idempotent=True,
        )
        return started

    async def emit(self, *events: EventContract) -> None:
        """Publish events, all or none."""
        published = [
            {"name": event.event_name, "payload": json.loads(event.model_dump_json(by_alias=True))}
            for event in events
        ]
        await self._access.call("emit", {"events": published})

    async def complete_task(self, token: str, result: object = None) -> bool:
        """Complete a task by the token that it gave away; `result` is its result as JSON values.

        False: nobody waits for it any more. A result of another type, or a token of somebody else, is ProblemError.
        """
        done: bool = await self._access.call(
            "complete_task", {"token": token, "result": result}, idempotent=True
        )
        return done

    async def fail_task(self, token: str, message: str, type: str = "") -> bool:
        """Fail a task for good by its token; `type` names the error for readers."""
        done: bool = await self._access.call(
            "fail_task", {"token": token, "message": message, "type": type}, idempotent=True
        )
        return done

    async def heartbeat_task(self, token: str, details: object = None) -> bool:
        """Say that a task is being worked on; False: nobody waits for it any more."""
        waits: bool = await self._access.call(
            "heartbeat_task", {"token": token, "details": details}, idempotent=True
        )
        return waits

    async def list_dead_letters(
        self, *, subscription: str | None = None, limit: int = 100, after: str | None = None
    ) -> DeadLetterPage:
        """Return one page of events whose delivery failed for good, the oldest first."""
        found = await self._access.call(
            "list_dead_letters",
            {"subscription": subscription, "limit": limit, "after": after},
            idempotent=True,
        )
        return DeadLetterPage([letter_of(one) for one in found["letters"]], found["after"])

    async def dead_letters(self, *, subscription: str | None = None, limit: int = 100) -> list[DeadLetter]:
        """Return the oldest events whose delivery failed for good: at most `limit`, from as many pages as it takes."""
        found: list[DeadLetter] = []
        after: str | None = None
        while True:
            most = min(limit - len(found), PAGE_MOST)
            page = await self.list_dead_letters(subscription=subscription, limit=most, after=after)
            found += page.letters
            if (after := page.after) is None or len(found) >= limit:
                return found

    async def dead_letter(self, subscription: str, event_id: str) -> DeadLetter:
        """Return one of them; raise ProblemError (404) if this event is no dead letter of this subscription."""
        return letter_of(
            await self._access.call(
                "dead_letter", {"subscription": subscription, "event_id": event_id}, idempotent=True
            )
        )

    async def redrive(self, subscription: str, event_id: str | None = None) -> int:
        """Deliver dead letters of a subscription again, all or one; return how many.

        Raises ProblemError, with those that there are, for a subscription that the service does not have.
        """
        count: int = await self._access.call(
            "redrive", {"subscription": subscription, "event_id": event_id}, idempotent=True
        )
        return count

    async def discard(self, subscription: str, *event_ids: str) -> Discarded:
        """Give dead letters up: these events are not delivered to the subscription again.

        It may be one that the service does not have any more. Raises ProblemError, with those that there are, for
        one that it has never had.
        """
        count, unknown, ids = 0, list[str](), list(dict.fromkeys(event_ids))
        refused: ProblemError | None = None
        for start in range(0, len(ids), PAGE_MOST):
            some = ids[start : start + PAGE_MOST]
            try:
                told = await self._access.call(
                    "discard", {"subscription": subscription, "event_ids": some}, idempotent=True
                )
            except ProblemError as error:
                if not error.type.endswith(":UnknownSubscription"):
                    raise
                # It was never heard of with these events; with others it may be, as a former one.
                refused = error
                unknown += some
            else:
                count += told["count"]
                unknown += told["unknown"]
        if refused is not None and len(unknown) == len(ids):
            raise refused
        return Discarded(count, unknown)


def manage(client: Client) -> Manager:
    """Return the operations on the service of a client that `connect` gave."""
    access: ServiceAccess = client._connection.access
    return Manager(access)
