"""`service-kit schedules`: when workflows begin by themselves, and what can be done about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.failures import Unusable
from service_kit.cli.options import JsonOption, Remote

if TYPE_CHECKING:
    from client_kit.management import ScheduleInfo
    from service_kit.cli.operating import Operator

schedules: typer.Typer = typer.Typer(
    name="schedules", no_args_is_help=True, help="List, pause, run and catch up on schedules of workflows."
)

WorkflowArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="WORKFLOW", help="The workflow with the schedule.")
]


@schedules.command("list")
@bundled
def list_(service: Remote, json: JsonOption = False) -> None:
    """List schedules, with their last and next times."""
    from dataclasses import asdict

    from service_kit.cli.operating import operate
    from service_kit.cli.output import stdout, tell, write_json
    from service_kit.cli.tables import table_of_schedules

    async def ask(operator: Operator) -> list[ScheduleInfo]:
        return await operator.manager.schedules()

    found = operate(service, ask)
    if json:
        write_json([asdict(one) for one in found])
    elif found:
        stdout().print(table_of_schedules(found))
    else:
        tell("no workflow of this service has a schedule")


@schedules.command()
@bundled
def pause(
    workflow: WorkflowArgument,
    service: Remote,
    reason: Annotated[str, typer.Option(help="Shown in the list.")] = "paused by an operator",
) -> None:
    """Leave out the times that come, and those that wait."""
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell

    async def ask(operator: Operator) -> None:
        await operator.manager.pause_schedule(workflow, reason)

    operate(service, ask)
    tell(f"paused the schedule of '{workflow}'; `service-kit schedules resume {workflow}` lets it go on")


@schedules.command()
@bundled
def resume(workflow: WorkflowArgument, service: Remote) -> None:
    """Go on with the times that come from now on."""
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell

    async def ask(operator: Operator) -> None:
        await operator.manager.resume_schedule(workflow)

    operate(service, ask)
    tell(f"resumed the schedule of '{workflow}'")


@schedules.command()
@bundled
def trigger(workflow: WorkflowArgument, service: Remote) -> None:
    """Run a workflow now, paused or not, and print the id of the run."""
    from service_kit.cli.operating import operate
    from service_kit.cli.output import write

    async def ask(operator: Operator) -> str:
        return await operator.manager.trigger_schedule(workflow)

    write(f"{operate(service, ask)}\n")


@schedules.command()
@bundled
def backfill(
    workflow: WorkflowArgument,
    service: Remote,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="The first moment.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="The last moment, now otherwise.")] = "",
) -> None:
    """Run the times of a range that were not run, and print the ids of their runs.

    They wait for one another; pausing the schedule drops those that still wait.

    [dim]service-kit schedules backfill remind --from 2025-03-01 --to 2025-03-08T12:00+01:00[/]
    """
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell, write

    first, last = _moment(begin), _moment(end) if end else datetime.now(UTC)

    async def ask(operator: Operator) -> list[str]:
        return await operator.manager.backfill_schedule(workflow, first, last)

    found = operate(service, ask)
    if found:
        write("".join(f"{run}\n" for run in found))
    else:
        tell(f"the schedule of '{workflow}' has no time in this range")


def _moment(text: str) -> datetime:
    """Return a moment; one without a time zone is of this machine's."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise Unusable(f"'{text}' is no moment", "write it as 2025-03-08 or 2025-03-08T12:00+01:00") from None
