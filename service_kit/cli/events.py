"""`service-kit events`: publish events at a running service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.failures import Unusable
from service_kit.cli.options import Remote

if TYPE_CHECKING:
    from service_kit.cli.operating import Operator

events: typer.Typer = typer.Typer(
    name="events", no_args_is_help=True, help="Publish events at a running service."
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
