"""`service-kit routes`: every route of a service, and what may come back from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from service_kit.cli.options import JsonOption, TargetArgument

if TYPE_CHECKING:
    from service_kit.contract.command import AnyCommand
    from service_kit.contract.service import ServiceContract
    from service_kit.http import AsgiApplication


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One route."""

    method: str
    path: str
    command: str | None
    """None for a raw route."""
    summary: str
    streaming: bool
    errors: list[str]
    security: list[str]
    """Schemes any of which admits a caller."""


def routes(service: TargetArgument, json: JsonOption = False) -> None:
    """List the routes of a service: REST and RPC routes of its commands, and raw routes.

    [dim]service-kit routes orders:Orders[/]
    """
    from service_kit.cli.output import stdout, write_json
    from service_kit.cli.targets import create_application

    rows = route_rows(create_application(service))
    if json:
        write_json([asdict(row) for row in rows])
    else:
        stdout().print(_table(rows))


def route_rows(application: AsgiApplication) -> list[RouteRow]:
    """Return the routes: REST and RPC route of each command together, raw routes at the end."""
    contract = application.application.contract
    rows = [row for declared in contract.commands.values() for row in _of_command(contract, declared)]
    raw = application.application.raw
    return rows if raw is None else rows + list(_of_document(contract, raw.specification()))


def _of_command(contract: ServiceContract, declared: AnyCommand) -> Iterator[RouteRow]:
    from service_kit.contract.route import RPC_PREFIX

    places = [(declared.route.method, declared.route.path)] if declared.route else []
    for method, path in [*places, ("POST", RPC_PREFIX + declared.name)]:
        yield RouteRow(
            method=method,
            path=path,
            command=declared.name,
            summary=declared.summary,
            streaming=declared.streaming,
            errors=[f"{error.status} {name}" for name, error in declared.errors.items()],
            security=[scheme.name for scheme in contract.security_of(declared)],
        )


def _of_document(contract: ServiceContract, document: Mapping[str, Any]) -> Iterator[RouteRow]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield RouteRow(
                method=method.upper(),
                path=path,
                command=None,
                summary=operation.get("summary", ""),
                streaming=False,
                errors=[],
                security=[scheme.name for scheme in contract.security],
            )


def _table(rows: list[RouteRow]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("Method", "Path", "Command", "Summary", "Errors", "Security"):
        table.add_column(title, overflow="fold", no_wrap=title in ("Method", "Path", "Command"))
    before = None
    for row in rows:
        again = row.command is not None and row.command == before
        before = row.command
        stream = " (stream)" if row.streaming else ""
        command = "" if again else (row.command or "(raw route)") + stream
        cells = [row.method, row.path, command]
        cells += ["", "", ""] if again else [row.summary, "\n".join(row.errors), _schemes(row)]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _schemes(row: RouteRow) -> str:
    return " or ".join(row.security) or "open"
