"""A service as this machine runs it: durably, on one file, if anything of it is durable; its HTTP face otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service_kit.contract.gather import Declarations, gather
from service_kit.contract.service import Service, contract_of
from service_kit.hosts.asgi import create_application
from service_kit.hosts.local.files import check_file, default_file
from service_kit.hosts.local.host import LocalHost, LocalOptions
from service_kit.http import AsgiApplication, HttpOptions


@dataclass(frozen=True, slots=True)
class LocalService:
    """What a serving process needs to know; nothing of it runs before its application's lifespan does."""

    application: AsgiApplication
    declarations: Declarations
    file: Path | None
    """None: nothing of the service is durable, and nobody asked for a file."""
    end_within: Callable[[float], None]
    """Says, in the event loop, that the process is to end in so many seconds."""


def create_local_service(
    service: type[Service],
    file: Path | None = None,
    *,
    options: LocalOptions | None = None,
    http: HttpOptions | None = None,
) -> LocalService:
    """Return the service, ready to serve, on `file` or the service's own one in the current directory.

    Raises DefinitionError for declarations that do not fit together, FileUnavailable for the file.
    """
    contract = contract_of(service)
    declarations = gather(contract)
    resolve_annotations(declarations)
    if file is None and not is_durable(declarations):
        return LocalService(create_application(contract, http), declarations, None, lambda _: None)
    chosen = file.absolute() if file is not None else default_file(contract.name)
    host = LocalHost(service, chosen, options)
    application = host.asgi(http)
    check_file(chosen)
    return LocalService(application, declarations, chosen, host.end_within)


def is_durable(declarations: Declarations) -> bool:
    """Tell whether a service has anything that an HTTP face alone cannot run."""
    kinds = (
        declarations.workflows,
        declarations.tasks,
        declarations.subscriptions,
        declarations.events,
    )
    return any(kinds)


def resolve_annotations(declarations: Declarations) -> None:
    """Raise DefinitionError for an annotation of a workflow or task that looks forward to nothing.

    They are resolved when they are first used: inside an execution, which is late to hear of it.
    """
    for declared in (*declarations.workflows.values(), *declarations.tasks.values()):
        declared.codec  # noqa: B018 - resolves, or raises
