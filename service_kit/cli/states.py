"""`service-kit executions state`: what an execution shows of itself."""

from __future__ import annotations

from json import loads
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.failures import CliError
from service_kit.cli.options import JsonOption, Remote

if TYPE_CHECKING:
    from service_kit.cli.operating import Operator


@bundled
def state(
    id: Annotated[str, typer.Argument(metavar="ID", help="The execution.")],
    service: Remote,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only this state; the service need not publish it.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show the states that an execution has set, with their latest values.

    [dim]service-kit executions state o-1 progress --json[/]
    """
    from service_kit.cli.operating import operate
    from service_kit.cli.output import stdout, tell, write_json
    from service_kit.cli.tables import table_of_states

    async def ask(operator: Operator) -> dict[str, Any]:
        if name is None:
            return await operator.manager.states(id)
        text = await operator.access.state(id, name)
        if text is None:
            known = ", ".join(await operator.manager.states(id))
            raise CliError(f"execution '{id}' has set no state '{name}'", f"it has set: {known or 'none'}")
        return {name: loads(text)}

    found = operate(service, ask)
    if json:
        write_json(found)
    elif found:
        stdout().print(table_of_states(found))
    else:
        tell(f"execution '{id}' has set no state")
