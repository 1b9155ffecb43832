"""What every process does that serves a service: put it together, serve it, say what is wrong."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service_kit.cli.failures import CliError, Unusable

if TYPE_CHECKING:
    from service_kit.cli.options import Address
    from service_kit.hosts.local.service import LocalService

logger: logging.Logger = logging.getLogger("service_kit.cli")


@dataclass(frozen=True, slots=True)
class ServingOptions:
    """How to serve; pickled on its way into a process of its own."""

    service: str
    url: str | None
    database: Path | None
    json_logs: bool
    grace_s: int
    lease_s: float

    def serve(self, listener: socket.socket, announce: Callable[[LocalService], None]) -> None:
        """Serve until told to stop; raise CliError if the service cannot be imported or started."""
        from service_kit.cli.targets import prepare_service
        from service_kit.hosts.local.host import LocalOptions
        from service_kit.hosts.local.logs import configure_logs, show_other_logs
        from service_kit.hosts.local.server import StartFailed, serve
        from service_kit.http import HttpOptions

        configure_logs(as_json=self.json_logs)
        options = LocalOptions(lease_s=self.lease_s, drain_s=self.grace_s)
        prepared = prepare_service(self.service, self.database, options, HttpOptions(url=self.url))
        show_other_logs(as_json=self.json_logs)
        try:
            serve(
                prepared.application,
                listener,
                grace_s=self.grace_s,
                on_started=lambda: announce(prepared),
                on_stopping=prepared.end_within,
            )
        except StartFailed:
            raise CliError("the service did not start: its lifespan failed, as said above") from None

    def tell(self, error: CliError) -> None:
        """Say what is wrong, in the log if that is read by a machine."""
        from service_kit.cli.output import report

        if self.json_logs:
            logger.error("%s", error)
        else:
            report(error)


def listen_at(address: Address) -> socket.socket:
    """Return the listening socket; raise Unusable."""
    from service_kit.hosts.local.listening import AddressUnavailable, listen

    try:
        return listen(address.host, address.port)
    except AddressUnavailable as error:
        raise Unusable(error.problem, error.cure) from None
