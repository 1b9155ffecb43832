"""`service-kit dev`: serve a service on this machine, and again after every save."""

from __future__ import annotations

import logging
import socket
import sys
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service_kit.cli.failures import CliError, Unusable
from service_kit.cli.options import TargetArgument, check_url

if TYPE_CHECKING:
    from service_kit.http import AsgiApplication

logger = logging.getLogger("service_kit.dev")


def dev(
    service: TargetArgument,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 8000,
    reload: Annotated[bool, typer.Option("--reload/--no-reload", help="Start anew after every save.")] = True,
    reload_dir: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder to watch; may be repeated. Default: the current one, and the file's.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Public URL for specification and manifest, such as a tunnel's.")
    ] = None,
    json_logs: Annotated[bool, typer.Option("--json-logs", help="Log JSON lines instead of text.")] = False,
) -> None:
    """Serve a service on this machine, and again after every save.

    A mistake in the source is shown with its cure; the next save tries again.
    Ctrl+C, or SIGTERM, lets what is in flight finish; a second Ctrl+C does not
    wait.

    [dim]service-kit dev orders:Orders --port 0[/]
    """
    from service_kit.cli.targets import parse_target
    from service_kit.hosts.local.listening import AddressUnavailable, listen
    from service_kit.hosts.local.logs import configure_logs

    target = parse_target(service)
    check_url(url)
    configure_logs(as_json=json_logs)
    try:
        listener = listen(host, port)
    except AddressUnavailable as error:
        raise Unusable(error.problem, error.cure) from None
    folders = [folder.resolve() for folder in reload_dir or (Path.cwd(), target.folder)]
    server = DevServer(service, url, json_logs, tuple(dict.fromkeys(folders)) if reload else ())
    with listener:
        if reload:
            _watch(server, listener)
        else:
            _serve_once(server, listener)


def _watch(server: DevServer, listener: socket.socket) -> None:
    from service_kit.hosts.local.reloader import Reloader, WatchFailed

    try:
        Reloader(server, listener, server.watched).watch()
    except WatchFailed as error:
        raise CliError(
            f"the source cannot be watched: {error}",
            "watch fewer folders (--reload-dir src), or serve without reloading (--no-reload)",
        ) from None


def _serve_once(server: DevServer, listener: socket.socket) -> None:
    try:
        server.serve(listener)
    except CliError as error:
        server.tell(error)
        raise typer.Exit(error.exit_code) from None


@dataclass(frozen=True, slots=True)
class DevServer:
    """What a serving process does; pickled on its way into a process of its own."""

    service: str
    url: str | None
    json_logs: bool
    watched: tuple[Path, ...]

    def __call__(self, listener: socket.socket, announced: Event) -> None:
        """Serve as the child of a reloader; exit with its code for a failure that was told."""
        from service_kit.hosts.local.reloader import BROKEN

        try:
            self.serve(listener, announced)
        except CliError as error:
            self.tell(error)
            sys.exit(BROKEN)

    def serve(self, listener: socket.socket, announced: Event | None = None) -> None:
        """Serve until told to stop; raise CliError if the service cannot be imported or started."""
        from service_kit.cli.targets import create_application
        from service_kit.hosts.local.logs import configure_logs, show_other_logs
        from service_kit.hosts.local.server import GRACE_S, StartFailed, serve
        from service_kit.http import HttpOptions

        configure_logs(as_json=self.json_logs)
        application = create_application(self.service, HttpOptions(url=self.url))
        show_other_logs(as_json=self.json_logs)

        def started() -> None:
            self._announce(application, listener, anew=announced is not None and announced.is_set())
            if announced is not None:
                announced.set()

        try:
            serve(application, listener, grace_s=GRACE_S, on_started=started)
        except StartFailed:
            raise CliError("the service did not start: its lifespan failed, as said above") from None

    def tell(self, error: CliError) -> None:
        """Say what is wrong, in the log if that is read by a machine."""
        from service_kit.cli.output import report

        if self.json_logs:
            logger.error("%s", error)
        else:
            report(error)

    def _announce(self, application: AsgiApplication, listener: socket.socket, *, anew: bool) -> None:
        from service_kit.cli.output import write
        from service_kit.cli.welcome import welcome
        from service_kit.hosts.local.listening import url_of

        contract, url = application.application.contract, url_of(listener)
        if anew:
            logger.info("reloaded")
        elif self.json_logs:
            logger.info("serving %s at %s", contract.title, url)
        else:
            write(welcome(contract, url, self.url, self.watched))
