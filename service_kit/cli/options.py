"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from service_kit.cli.failures import Unusable

TargetArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SERVICE", help="The service: module:Service, path/to/file.py:Service, or just the module."
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]


def check_url(url: str | None) -> None:
    """Raise Unusable for what cannot be the URL of a service."""
    if url is not None and not url.startswith(("http://", "https://")):
        raise Unusable(f"'{url}' is no URL of a service", "write it with its scheme: https://example.com")
