"""`service-kit start`: run a service on this machine for its users."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.failures import CliError
from service_kit.cli.options import Address, DatabaseOption, TargetArgument, check_url
from service_kit.cli.serving import ServingOptions, listen_at

if TYPE_CHECKING:
    from service_kit.hosts.local.service import LocalService

logger: logging.Logger = logging.getLogger("service_kit.start")

LEASE_S = 30.0


@bundled
def start(
    service: TargetArgument,
    address: Address,
    database: DatabaseOption = None,
    workers: Annotated[
        int, typer.Option(help="Processes that share the socket and the database.", min=1, max=256)
    ] = 1,
    grace: Annotated[
        int, typer.Option(help="Seconds that what is in flight may take to end when told to stop.", min=1)
    ] = 30,
    json_logs: Annotated[
        bool, typer.Option("--json-logs/--text-logs", help="Log JSON lines, or text for people.")
    ] = True,
) -> None:
    """Run a service on this machine for its users.

    Like dev, without reloading. With several workers, one that dies is
    replaced; if they do not stay alive, the command fails. A task's rate_per_s
    and concurrency hold in each of them. SIGTERM, or Ctrl+C,
    lets requests, tasks and handlers in flight finish; what is cut off then is
    tried again by the next start.

    [dim]service-kit start orders:Orders --workers 4 --database /var/lib/orders.db[/]
    """
    from service_kit.cli.targets import parse_target
    from service_kit.hosts.local.logs import configure_logs

    parse_target(service)
    check_url(address.url)
    configure_logs(as_json=json_logs)
    options = ServingOptions(service, address.url, database, json_logs, grace, LEASE_S)
    try:
        with listen_at(address) as listener:
            if workers == 1:
                options.serve(listener, lambda prepared: _announce(_described(prepared), listener, 1))
            else:
                _supervise(Worker(options), listener, workers)
    except CliError as error:
        options.tell(error)
        raise typer.Exit(error.exit_code) from None


@dataclass(frozen=True, slots=True)
class Worker:
    """What each of several processes does; pickled on its way there."""

    options: ServingOptions

    def __call__(self, listener: socket.socket, announce: Callable[[str], None]) -> None:
        """Serve; exit with its code for a failure that was told."""
        from service_kit.hosts.local.processes import BROKEN

        try:
            self.options.serve(
                listener, lambda prepared: announce(_described(prepared) + _limits_of(prepared))
            )
        except CliError as error:
            self.options.tell(error)
            sys.exit(BROKEN)


def _supervise(worker: Worker, listener: socket.socket, count: int) -> None:
    from service_kit.hosts.local.workers import Workers, WorkersBroken, WorkersFailed

    grace_s = worker.options.grace_s
    try:
        Workers(worker, listener, count, grace_s, lambda text: _announce(text, listener, count)).supervise()
    except WorkersBroken:
        raise typer.Exit(1) from None
    except WorkersFailed as error:
        raise CliError(
            str(error), "see above why; the log of one worker may tell more: --workers 1"
        ) from None


def _described(prepared: LocalService) -> str:
    title = prepared.application.application.contract.title
    return title if prepared.file is None else f"{title}, kept in {prepared.file},"


def _limits_of(prepared: LocalService) -> str:
    """Return what each worker keeps to by itself, so that all of them together may do a multiple of it."""
    declared = prepared.declarations
    limits = [
        f"{name}: {option}={value:g}"
        for name, definition in (
            *((name, task.definition) for name, task in declared.tasks.items()),
            *((name, handler.definition) for name, handler in declared.subscriptions.items()),
        )
        for option in ("concurrency", "rate_per_s")
        if isinstance(value := definition.get(option), int | float)
    ]
    return f" each worker within limits of its own ({', '.join(limits)})," if limits else ""


def _announce(what: str, listener: socket.socket, count: int) -> None:
    from service_kit.hosts.local.listening import url_of

    processes = "one process" if count == 1 else f"{count} workers"
    logger.info("serving %s at %s with %s", what, url_of(listener), processes)
