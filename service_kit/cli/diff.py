"""`service-kit diff`: what has changed between two versions of a service, and whom it breaks."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service_kit.cli.failures import Unusable

if TYPE_CHECKING:
    from service_kit.cli.sides import Version
    from service_kit.diff import Change


class Format(StrEnum):
    """Of the report."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class FailOn(StrEnum):
    """What makes the exit status 1."""

    BREAKING = "breaking"
    ANY = "any"
    NONE = "none"


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The version that is used now.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The version that shall replace it.")],
    histories: Annotated[
        Path | None,
        typer.Option(
            help="Folder of recorded histories: replay them, too, and name those that NEW would break.",
            exists=True,
        ),
    ] = None,
    format: Annotated[Format, typer.Option(help="Of the report.")] = Format.TEXT,
    fail_on: Annotated[FailOn, typer.Option(help="Which changes make the exit status 1.")] = FailOn.BREAKING,
) -> None:
    """Tell what has changed between two versions of a service, and whom it breaks.

    A version is a module ([cyan]orders:Orders[/]), the URL of a running service, an
    OpenAPI document in JSON or YAML, or one of these files and modules at a
    revision of git: [cyan]main~3:orders:Orders[/], [cyan]v1.2:openapi.json[/]. Between
    modules, events, signals, states, workflows and tasks are compared, too.

    The exit status is 0 if nothing breaks, 1 for breaking changes, 2 if a
    version cannot be read.

    [dim]service-kit diff main:orders:Orders orders:Orders --histories histories/[/]
    [dim]service-kit diff https://orders.example.com orders:Orders --format markdown[/]
    """
    from service_kit.cli.changes import report_json, report_markdown, report_text
    from service_kit.cli.sides import read_version

    before, after = read_version(old, histories), read_version(new, histories)
    if histories is not None and after.unfit is None:
        raise Unusable(
            f"histories cannot be replayed against '{new}'", "name the new version as a module: orders:Orders"
        )
    changes, notes = _compare(before, after)
    match format:
        case Format.JSON:
            report_json(old, new, changes, notes)
        case Format.MARKDOWN:
            report_markdown(old, new, changes, notes)
        case Format.TEXT:
            report_text(changes, notes)
    from service_kit.diff import Verdict

    failing = [c for c in changes if fail_on is FailOn.ANY or c.verdict is Verdict.BREAKING]
    if failing and fail_on is not FailOn.NONE:
        raise typer.Exit(1)


def _compare(before: Version, after: Version) -> tuple[list[Change], list[str]]:
    """Return the changes, and what was left out."""
    from service_kit.cli.unfit import broken_executions
    from service_kit.diff import UnreadableDocument, compare

    try:
        changes: list[Any] = compare(before.document, after.document, before.durable, after.durable)
    except UnreadableDocument as error:
        raise Unusable(str(error)) from None
    notes: list[str] = []
    if before.durable is None or after.durable is None:
        side = before if before.durable is None else after
        notes.append(
            f"events, signals, workflows and tasks were not compared: '{side.text}' is a document, "
            "which has no words for them"
        )
    broken, more = broken_executions(before, after)
    return [*broken, *changes], [*notes, *more]
