"""`service-kit executions fork`: go another way from a turn of an execution."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.options import Remote

if TYPE_CHECKING:
    from service_kit.cli.operating import Operator


@bundled
def fork(
    id: Annotated[str, typer.Argument(metavar="ID", help="The execution.")],
    turn: Annotated[
        int,
        typer.Argument(metavar="TURN", help="How many of its turns are kept; `history` counts them.", min=1),
    ],
    service: Remote,
    new_id: Annotated[str, typer.Option("--id", help="Id of the fork; one is made up otherwise.")] = "",
) -> None:
    """Begin an execution with the first turns of another one, and print its id.

    It goes on with the service's code of today. Tasks and children that had
    no answer by then are begun again.
    [dim]service-kit executions fork o-1 3 --id o-1-again[/]
    """
    from service_kit.cli.operating import operate
    from service_kit.cli.output import write

    chosen = new_id or f"{id}-{uuid.uuid4().hex[:8]}"

    async def ask(operator: Operator) -> None:
        await operator.manager.fork(id, turn, chosen)

    operate(service, ask)
    write(f"{chosen}\n")
