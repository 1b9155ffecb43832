"""Arguments and options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from service_kit.cli.failures import Unusable

LOCAL_URL = "http://127.0.0.1:8000"
"""Where `service-kit dev` and `start` serve by default."""

TargetArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SERVICE", help="The service: module:Service, path/to/file.py:Service, or just the module."
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
DatabaseOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="SQLite file of executions and events. Default: .service-kit/<service>.db here.",
        dir_okay=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service is served."""

    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8000
    url: Annotated[
        str | None, typer.Option(help="Public URL for specification and manifest, such as a tunnel's.")
    ] = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What admits a caller."""

    header: Annotated[
        list[str] | None, typer.Option("-H", "--header", help="'Name: value' to send; may be repeated.")
    ] = None
    bearer: Annotated[
        str | None, typer.Option(envvar="SERVICE_KIT_BEARER", help="Token to send as Authorization: Bearer.")
    ] = None
    api_key: Annotated[
        str | None, typer.Option(envvar="SERVICE_KIT_API_KEY", help="Key to send where the service wants it.")
    ] = None

    def headers(self) -> dict[str, str]:
        """Return the headers that were given; raise Unusable for a line that is none."""
        given: dict[str, str] = {}
        for line in self.header or ():
            name, colon, value = line.partition(":")
            if not colon:
                raise Unusable(f"header '{name}' has no value", "write --header 'Name: value'")
            given[name.strip()] = value.strip()
        if self.bearer:
            given["authorization"] = f"Bearer {self.bearer}"
        return given


@dataclass(frozen=True, slots=True)
class Remote(Credentials):
    """A running service to operate on."""

    url: Annotated[str, typer.Option(envvar="SERVICE_KIT_URL", help="Where the service runs.")] = LOCAL_URL


def check_url(url: str | None) -> None:
    """Raise Unusable for what cannot be the URL of a service."""
    if url is not None and not url.startswith(("http://", "https://")):
        raise Unusable(f"'{url}' is no URL of a service", "write it with its scheme: https://example.com")
