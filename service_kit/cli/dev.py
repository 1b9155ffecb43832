"""`service-kit dev`: run a service on this machine, and again after every save."""

from __future__ import annotations

import logging
import socket
import sys
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.failures import CliError
from service_kit.cli.options import Address, DatabaseOption, TargetArgument, check_url
from service_kit.cli.serving import ServingOptions, listen_at

if TYPE_CHECKING:
    from service_kit.hosts.local.service import LocalService

logger: logging.Logger = logging.getLogger("service_kit.dev")

GRACE_S = 10
LEASE_S = 10.0
"""Short: what a process ran that was killed here is wanted again soon."""


@bundled
def dev(
    service: TargetArgument,
    address: Address,
    database: DatabaseOption = None,
    reload: Annotated[bool, typer.Option("--reload/--no-reload", help="Start anew after every save.")] = True,
    reload_dir: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder to watch; may be repeated. Default: the current one, and the file's.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    json_logs: Annotated[bool, typer.Option("--json-logs", help="Log JSON lines instead of text.")] = False,
) -> None:
    """Run a service on this machine, and again after every save.

    Workflows, tasks and subscriptions run in the same process, on one SQLite
    file; they go on where they were after a save or a crash. A mistake in the
    source is shown with its cure; the next save tries again. Ctrl+C, or
    SIGTERM, lets what is in flight finish; a second Ctrl+C does not wait.

    [dim]service-kit dev orders:Orders --port 0[/]
    """
    from service_kit.cli.targets import parse_target
    from service_kit.hosts.local.logs import configure_logs

    target = parse_target(service)
    check_url(address.url)
    configure_logs(as_json=json_logs)
    listener = listen_at(address)
    folders = [folder.resolve() for folder in reload_dir or (Path.cwd(), target.folder)]
    options = ServingOptions(service, address.url, database, json_logs, GRACE_S, LEASE_S)
    server = DevServer(options, tuple(dict.fromkeys(folders)) if reload else ())
    with listener:
        if reload:
            _watch(server, listener)
        else:
            _serve_once(server, listener)


def _watch(server: DevServer, listener: socket.socket) -> None:
    from service_kit.hosts.local.reloader import Reloader, WatchFailed

    try:
        Reloader(server, listener, server.watched, server.options.grace_s).watch()
    except WatchFailed as error:
        raise CliError(
            f"the source cannot be watched: {error}",
            "watch fewer folders (--reload-dir src), or serve without reloading (--no-reload)",
        ) from None


def _serve_once(server: DevServer, listener: socket.socket) -> None:
    try:
        server.serve(listener)
    except CliError as error:
        server.options.tell(error)
        raise typer.Exit(error.exit_code) from None


@dataclass(frozen=True, slots=True)
class DevServer:
    """What a serving process does; pickled on its way into a process of its own."""

    options: ServingOptions
    watched: tuple[Path, ...]

    def __call__(self, listener: socket.socket, announced: Event) -> None:
        """Serve as the child of a reloader; exit with its code for a failure that was told."""
        from service_kit.hosts.local.processes import BROKEN

        try:
            self.serve(listener, announced)
        except CliError as error:
            self.options.tell(error)
            sys.exit(BROKEN)

    def serve(self, listener: socket.socket, announced: Event | None = None) -> None:
        """Serve until told to stop; raise CliError if the service cannot be imported or started."""

        def started(prepared: LocalService) -> None:
            self._announce(prepared, listener, anew=announced is not None and announced.is_set())
            if announced is not None:
                announced.set()

        self.options.serve(listener, started)

    def _announce(self, prepared: LocalService, listener: socket.socket, *, anew: bool) -> None:
        from service_kit.cli.output import write
        from service_kit.cli.welcome import welcome
        from service_kit.hosts.local.listening import url_of

        url = url_of(listener)
        if anew:
            logger.info("reloaded")
        elif self.options.json_logs:
            logger.info("serving %s at %s", prepared.application.application.contract.title, url)
        else:
            write(welcome(prepared, url, self.options.url, self.watched))
