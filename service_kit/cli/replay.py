"""`service-kit replay`: check recorded histories against today's code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service_kit.cli.failures import CliError, Unusable
from service_kit.cli.options import TargetArgument

if TYPE_CHECKING:
    from service_kit.testing.replayer import Replayer

STDIN = Path("-")


def replay(
    service: TargetArgument,
    histories: Annotated[
        list[Path],
        typer.Argument(
            metavar="HISTORY...",
            help="Files of histories, folders of them, or - for stdin.",
            show_default=False,
        ),
    ],
) -> None:
    """Replay recorded histories: tell, before a release, whose executions it would break.

    Nothing runs but the workflows' own code; what it waited for is in the
    history. The exit status is 1 if any history does not fit.

    [dim]service-kit executions history o-1 --json > histories/o-1.json[/]
    [dim]service-kit replay orders:Orders histories/[/]
    """
    from service_kit.cli.output import report, write
    from service_kit.cli.targets import explained, load_service
    from service_kit.testing.replayer import Replayer

    files = list(history_files(histories))
    loaded = load_service(service)
    with explained(loaded):
        replayer = Replayer(loaded)
    failed = 0
    for file in files:
        problem = _replayed(replayer, file)
        if problem is None:
            write(f"{file}: replays\n")
        else:
            failed += 1
            report(problem)
    if failed:
        plural = "history does" if len(files) == 1 else "histories do"
        raise CliError(f"{failed} of {len(files)} {plural} not replay")


def history_files(given: list[Path]) -> Iterator[Path]:
    """Yield the files that were named, and those of folders; raise Unusable for a folder without any."""
    for path in given:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.rglob("*.json"))
        if not found:
            raise Unusable(
                f"there are no histories (*.json) in {path}",
                "record some: service-kit executions history <id> --json",
            )
        yield from found


def _replayed(replayer: Replayer, file: Path) -> CliError | None:
    """Replay one history; return why it does not fit."""
    from service_kit.cli.output import printable
    from service_kit.errors import HistoryUnreadable, NonDeterminismError, TurnTooLong

    try:
        text = sys.stdin.read() if file == STDIN else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"cannot read {file}: {error}", "name a file of a history") from None
    try:
        replayer.replay(text)
    except (NonDeterminismError, HistoryUnreadable, TurnTooLong, LookupError) as error:
        return CliError(printable(f"{file}: {error}"))
    return None
