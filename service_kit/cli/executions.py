"""`service-kit executions`: what runs at a service, and what can be done about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from json import loads
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from client_kit.ids import new_id
from service_kit.cli.bundles import bundled
from service_kit.cli.failures import Unusable, no_json
from service_kit.cli.options import JsonOption, Remote

if TYPE_CHECKING:
    from client_kit.executions import ExecutionInfo
    from service_kit.cli.operating import Operator

executions: typer.Typer = typer.Typer(
    name="executions",
    no_args_is_help=True,
    help="List, start, follow and steer the executions of a running service.",
)

IdArgument: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="The execution.")]
ReasonOption: TypeAlias = Annotated[str, typer.Option(help="Kept with the execution.")]
AttributeOption: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="Search attribute; may be repeated.")
]


class Status(StrEnum):
    """Of an execution."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    TERMINATED = "terminated"


@executions.command("list")
@bundled
def list_(
    service: Remote,
    workflow: Annotated[str | None, typer.Option(help="Only those of this workflow.")] = None,
    status: Annotated[Status | None, typer.Option(help="Only those of this status.")] = None,
    attribute: AttributeOption = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1)] = 50,
    all: Annotated[bool, typer.Option("--all", help="All of them, whatever --limit says.")] = False,
    json: JsonOption = False,
) -> None:
    """List executions, newest first.

    [dim]service-kit executions list --workflow process_order --status failed[/]
    """
    from dataclasses import asdict

    from service_kit.cli.operating import operate
    from service_kit.cli.output import stdout, tell, write_json
    from service_kit.cli.pages import entries, tell_of_more
    from service_kit.cli.tables import table_of_executions

    attributes = _attributes(attribute)

    async def ask(operator: Operator) -> tuple[list[ExecutionInfo], bool]:
        async def page(most: int, after: str | None) -> tuple[Sequence[ExecutionInfo], str | None]:
            told = await operator.manager.list_executions(
                workflow=workflow,
                status=None if status is None else status.value,
                attributes=attributes,
                limit=most,
                after=after,
            )
            return told.executions, told.after

        return await entries(page, None if all else limit)

    found, more = operate(service, ask)
    if json:
        write_json([asdict(one) for one in found])
    elif found:
        stdout().print(table_of_executions(found))
    else:
        tell("there are no such executions" if workflow or status or attributes else "nothing has run yet")
    if more:
        tell_of_more("newest", len(found))


@executions.command()
@bundled
def show(id: IdArgument, service: Remote, json: JsonOption = False) -> None:
    """Show what is known of an execution."""
    from dataclasses import asdict

    from service_kit.cli.operating import operate
    from service_kit.cli.output import stdout, write_json
    from service_kit.cli.tables import description_of

    async def ask(operator: Operator) -> ExecutionInfo:
        return await operator.access.describe(id)

    info = operate(service, ask)
    if json:
        write_json(asdict(info))
    else:
        stdout().print(description_of(info))


@executions.command()
@bundled
def history(id: IdArgument, service: Remote, json: JsonOption = False) -> None:
    """Show what has happened in an execution's present run.

    With --json it is what `service-kit replay` reads.
    """
    from service_kit.cli.histories import Event, history_lines
    from service_kit.cli.operating import operate
    from service_kit.cli.output import write, write_json

    async def ask(operator: Operator) -> list[Event]:
        return list(await operator.access.history(id))

    events = operate(service, ask)
    if json:
        write_json(events)
    else:
        write("".join(f"{line}\n" for line in history_lines(events)))


@executions.command()
@bundled
def start(
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="The workflow to start.")],
    service: Remote,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ARGUMENTS]...", help="One JSON object, @file, -, or name=value pairs."),
    ] = None,
    id: Annotated[
        str | None,
        typer.Option(help="Id of the execution: the same id and input find the one that runs."),
    ] = None,
    attribute: AttributeOption = None,
    delay: Annotated[float | None, typer.Option(help="Seconds before it begins.", min=0)] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Show what happens in it, and at the end its result.")
    ] = False,
) -> None:
    """Start an execution of a workflow, and print its id.

    [dim]service-kit executions start process_order order_id=o-1 --follow[/]
    """
    from client_kit.executions import StartOptions
    from service_kit.cli.arguments import encode_arguments
    from service_kit.cli.histories import follow as follow_it
    from service_kit.cli.histories import show_outcome
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell, write

    payload = encode_arguments(arguments or [], {}).decode()
    # An id of our own makes the start safe to ask for again when its answer is lost.
    options = StartOptions(id or new_id(), None, delay, _attributes(attribute))

    async def ask(operator: Operator) -> tuple[str, str | None]:
        started = await operator.access.start(workflow, payload, options)
        if not follow:
            return started, None
        tell(f"execution {started}")
        return started, await follow_it(operator.access, started, tell)

    started, outcome = operate(service, ask)
    if outcome is None:
        write(f"{started}\n")
    else:
        show_outcome(started, outcome)


@executions.command()
@bundled
def result(
    id: IdArgument,
    service: Remote,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds to wait; without it, until it ends.", min=0)
    ] = None,
) -> None:
    """Wait for an execution's end and print its result; fail if it has none."""
    from service_kit.cli.histories import show_outcome
    from service_kit.cli.operating import operate

    async def ask(operator: Operator) -> str:
        return await operator.outcome(id, timeout)

    show_outcome(id, operate(service, ask))


@executions.command()
@bundled
def signal(
    id: IdArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The signal.")],
    service: Remote,
    payload: Annotated[str, typer.Argument(metavar="[JSON]", help="What it carries.")] = "null",
    signal_id: Annotated[
        str | None, typer.Option(help="Deliver it once, however often it is sent with this id.")
    ] = None,
) -> None:
    """Send a signal to an execution.

    [dim]service-kit executions signal o-1 approved true[/]
    """
    _check_json(payload)

    async def send(operator: Operator) -> None:
        await operator.signal(id, name, payload, signal_id or new_id())

    _do(service, send, f"sent '{name}' to execution '{id}'")


@executions.command()
@bundled
def cancel(id: IdArgument, service: Remote, reason: ReasonOption = "") -> None:
    """Ask an execution to cancel itself; it may clean up."""

    async def ask(operator: Operator) -> None:
        await operator.end(id, "cancel", reason)

    _do(service, ask, f"asked execution '{id}' to cancel itself")


@executions.command()
@bundled
def terminate(id: IdArgument, service: Remote, reason: ReasonOption = "") -> None:
    """End an execution at once; none of its code runs any more."""

    async def ask(operator: Operator) -> None:
        await operator.end(id, "terminate", reason)

    _do(service, ask, f"terminated execution '{id}'")


@executions.command()
@bundled
def pause(id: IdArgument, service: Remote, reason: ReasonOption = "paused by an operator") -> None:
    """Stop the turns of an execution; what arrives is kept."""

    async def ask(operator: Operator) -> None:
        await operator.pause(id, reason)

    _do(service, ask, f"paused execution '{id}'; `service-kit executions resume {id}` lets it go on")


@executions.command()
@bundled
def resume(id: IdArgument, service: Remote) -> None:
    """Let a paused execution go on."""

    async def ask(operator: Operator) -> None:
        await operator.resume(id)

    _do(service, ask, f"resumed execution '{id}'")


def _do(service: Remote, work: Callable[[Operator], Awaitable[None]], done: str) -> None:
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell

    operate(service, work)
    tell(done)


def _attributes(pairs: list[str] | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs or ():
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise Unusable(f"'{pair}' is no attribute", "write --attribute name=value")
        found[name] = value
    return found


def _check_json(text: str) -> None:
    try:
        loads(text)
    except ValueError as error:
        raise no_json("payload", text, error) from None
