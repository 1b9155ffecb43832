"""`service-kit events` and `service-kit dead-letters`: publish, and look after what nobody could handle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.failures import CliError, Unusable
from service_kit.cli.options import JsonOption, Remote

if TYPE_CHECKING:
    from client_kit.management import DeadLetter
    from service_kit.cli.operating import Operator

events: typer.Typer = typer.Typer(
    name="events", no_args_is_help=True, help="Publish events at a running service."
)
dead_letters: typer.Typer = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    help="List events whose delivery failed for good, and deliver them again.",
)


@events.command()
@bundled
def emit(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The event.")],
    service: Remote,
    fields: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FIELDS]...", help="One JSON object, @file, -, or name=value pairs."),
    ] = None,
) -> None:
    """Publish an event.

    [dim]service-kit events emit OrderPlaced '{"order_id": "o-1"}'[/]
    """
    from json import loads

    from service_kit.cli.arguments import encode_arguments
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell

    payload = loads(encode_arguments(fields or [], {}) or b"{}")
    if not isinstance(payload, dict):
        raise Unusable(f"the fields of event '{name}' are no JSON object", "write '{\"field\": ...}'")

    async def publish(operator: Operator) -> None:
        await operator.access.call("emit", {"events": [{"name": name, "payload": payload}]})

    operate(service, publish)
    tell(f"published {name}")


@dead_letters.command("list")
@bundled
def list_(
    service: Remote,
    subscription: Annotated[str | None, typer.Option(help="Only those of this subscription.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=1000)] = 100,
    json: JsonOption = False,
) -> None:
    """List dead letters, the oldest first."""
    from dataclasses import asdict

    from service_kit.cli.operating import operate
    from service_kit.cli.output import stdout, tell, write_json
    from service_kit.cli.tables import table_of_letters

    async def ask(operator: Operator) -> list[DeadLetter]:
        return await operator.manager.dead_letters(subscription=subscription, limit=limit)

    found = operate(service, ask)
    if json:
        write_json([asdict(letter) for letter in found])
    elif found:
        stdout().print(table_of_letters(found))
        if len(found) == limit:
            tell(f"these are the oldest {limit}; --limit shows more")
    else:
        tell("there are no dead letters")


@dead_letters.command()
@bundled
def redrive(
    subscription: Annotated[str, typer.Argument(metavar="SUBSCRIPTION", help="Whose dead letters.")],
    service: Remote,
    event: Annotated[str | None, typer.Option(metavar="ID", help="Only this event.")] = None,
) -> None:
    """Deliver dead letters of a subscription again, all or one."""
    from service_kit.cli.operating import operate
    from service_kit.cli.output import tell

    async def ask(operator: Operator) -> int:
        return await operator.manager.redrive(subscription, event)

    count = operate(service, ask)
    if not count:
        of_event = f" for event '{event}'" if event is not None else ""
        raise CliError(
            f"subscription '{subscription}' has no dead letter{of_event}",
            "`service-kit dead-letters list` has them",
        )
    tell(f"{count} {'letter is' if count == 1 else 'letters are'} delivered again to '{subscription}'")
