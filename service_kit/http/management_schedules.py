"""The management API's part about schedules of workflows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from service_kit.contract.command import AnyCommand, command
from service_kit.errors import ServiceError
from service_kit.http.management import current_management


class UnknownSchedule(ServiceError, status=404):
    """The service has no workflow of this name with a schedule."""

    workflow: str
    problem: str


class InvalidBackfill(ServiceError, status=422):
    """The range is none, lies in the future, or holds too many times."""

    problem: str


@command(method="GET", path="/_system/schedules")
async def list_schedules() -> list[dict[str, Any]]:
    """List the schedules of workflows, with their last and next times."""
    return [dict(schedule) for schedule in await current_management().schedules.list()]


@command(path="/_system/schedules/{workflow}/pause", errors=[UnknownSchedule])
async def pause_schedule(workflow: str, reason: str = "paused by an operator") -> None:
    """Leave out the times that come, and those that wait; runs that go on are not touched."""
    with _known(workflow):
        await current_management().schedules.pause(workflow, reason or "paused")


@command(path="/_system/schedules/{workflow}/resume", errors=[UnknownSchedule])
async def resume_schedule(workflow: str) -> None:
    """Go on with the times that come from now on."""
    with _known(workflow):
        await current_management().schedules.pause(workflow, None)


@command(path="/_system/schedules/{workflow}/trigger", errors=[UnknownSchedule])
async def trigger_schedule(workflow: str) -> str:
    """Run it now, paused or not; tell the id of the run."""
    with _known(workflow):
        return await current_management().schedules.trigger(workflow)


@command(path="/_system/schedules/{workflow}/backfill", errors=[UnknownSchedule, InvalidBackfill])
async def backfill_schedule(
    workflow: str,
    begin: Annotated[AwareDatetime, Field(description="the first moment")],
    end: Annotated[AwareDatetime, Field(description="the last moment; not in the future")],
) -> list[str]:
    """Run the times of a range that were not run; tell the ids of their runs.

    They wait for one another. Pausing the schedule drops those that still wait: their ids are then of no execution.
    """
    with _known(workflow):
        try:
            schedules = current_management().schedules
            return list(await schedules.backfill(workflow, begin.timestamp(), end.timestamp()))
        except ValueError as error:
            raise InvalidBackfill(problem=str(error)) from None


@contextmanager
def _known(workflow: str) -> Generator[None, None, None]:
    try:
        yield
    except LookupError as error:
        raise UnknownSchedule(workflow=workflow, problem=str(error)) from None


SCHEDULE_COMMANDS: tuple[AnyCommand, ...] = (
    list_schedules,
    pause_schedule,
    resume_schedule,
    trigger_schedule,
    backfill_schedule,
)
