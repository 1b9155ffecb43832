"""`service-kit tools`: the commands of a service as function tools of the model APIs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service_kit.cli.documents import OutputOption, deliver, indented
from service_kit.cli.failures import CliError, Unusable

if TYPE_CHECKING:
    from client_kit.tools import Offer, Operation


class ToolFormat(StrEnum):
    """Whose tools."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    JSON = "json"


def tools(
    service: Annotated[
        str | None,
        typer.Argument(metavar="SERVICE", help="The service: module:Service, or path/to/file.py:Service."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="A running service instead, or the URL of its OpenAPI document.")
    ] = None,
    format: Annotated[
        ToolFormat, typer.Option(help="The model API; json is neutral, and says how each call is sent.")
    ] = ToolFormat.JSON,
    strict: Annotated[
        bool, typer.Option(help="Have the API enforce the schemas, of tools whose schemas it can enforce.")
    ] = True,
    name: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Only this command; may be repeated.")
    ] = None,
    output: OutputOption = None,
) -> None:
    """Write the commands of a service as the function tools of a model API.

    Tools go to stdout; what the API will not enforce, and why, to stderr.
    In a strict tool of OpenAI null stands for an absent argument.

    [dim]service-kit tools orders:Orders --format openai > tools.json[/]
    """
    from client_kit.tools import offer_tools

    operations, unusable = _operations(service, url)
    offer = offer_tools(_chosen(operations, name or []), format.value, strict=strict)
    deliver(indented(offer.tools), output)
    for line in _remarks(offer, unusable):
        typer.echo(line, err=True)


def _operations(service: str | None, url: str | None) -> tuple[list[Operation], dict[str, str]]:
    if (service is None) == (url is None):
        raise Unusable(
            "tools needs one service", "name it: orders:Orders, or --url https://orders.example.com"
        )
    return _of_module(service) if service is not None else _of_url(url or "")


def _of_module(service: str) -> tuple[list[Operation], dict[str, str]]:
    from client_kit.tools import read_operations
    from service_kit.cli.targets import create_application
    from service_kit.openapi import build_specification

    application = create_application(service).application
    raw = application.raw.specification() if application.raw else None
    return read_operations(build_specification(application.contract, url=None, raw=raw))


def _of_url(url: str) -> tuple[list[Operation], dict[str, str]]:
    from client_kit.errors import CallError, InvalidOption
    from client_kit.tools import RemoteService

    try:
        with RemoteService(url) as remote:
            return remote.operations, remote.unusable
    except InvalidOption as error:
        raise Unusable(f"{error.option} {error.problem}", error.cure) from None
    except CallError as error:
        raise CliError(f"the document of {url} cannot be read: {error}") from None


def _chosen(operations: list[Operation], names: list[str]) -> list[Operation]:
    known: Mapping[str, Any] = {operation.name: operation for operation in operations}
    for name in names:
        if name not in known:
            raise Unusable(f"there is no command '{name}'", f"it has {', '.join(known)}")
    return [operation for operation in operations if not names or operation.name in names]


def _remarks(offer: Offer, unusable: Mapping[str, str]) -> list[str]:
    return [
        *(f"left out: {name}: {reason}" for name, reason in unusable.items()),
        *(f"not strict: {name}: {'; '.join(reasons)}" for name, reasons in offer.not_strict.items()),
        *(f"only described: {name}: {', '.join(dropped)}" for name, dropped in offer.dropped.items()),
        *(f"over a limit: {limit}" for limit in offer.limits),
    ]
