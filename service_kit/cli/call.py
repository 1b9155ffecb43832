"""`service-kit call`: one call of a command, in this process or of a running service."""

from __future__ import annotations

from typing import Annotated

import typer

from service_kit.cli.bundles import bundled
from service_kit.cli.options import Credentials, DatabaseOption


@bundled
def call(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[SERVICE] COMMAND [ARGUMENTS]...",
            help="The service (may be left out with --url), the command, and its arguments.",
            show_default=False,
        ),
    ],
    url: Annotated[str | None, typer.Option(help="Call the running service at this URL.")] = None,
    *,
    database: DatabaseOption = None,
    credentials: Credentials,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds to wait. Default: 30 for an answer, without end for a stream.", min=0.001),
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="Let the service do this once, however often it is called.")
    ] = None,
) -> None:
    """Call a command, in this process or, with --url, of a running service.

    Arguments are one JSON object, or name=value pairs, whose values are taken
    as the parameters' types say. [cyan]@file[/] reads the object from a file,
    [cyan]-[/] from stdin. Items of a stream are printed as they come.

    A service with workflows, tasks or events runs on its file meanwhile, as
    with dev: what the command starts is kept, and goes on where dev or start
    run on the same file.

    [dim]service-kit call orders:Orders place_order '{"sku": "s-1"}'[/]
    [dim]service-kit call orders:Orders place_order sku=s-1 quantity=2[/]
    [dim]service-kit call --url https://orders.example.com place_order sku=s-1[/]
    """
    from service_kit.cli.calling import Wish, perform

    perform(Wish(tuple(words), url, database, credentials, timeout, idempotency_key))
