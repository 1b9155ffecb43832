"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

TargetArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SERVICE", help="The service: module:Service, path/to/file.py:Service, or just the module."
    ),
]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
