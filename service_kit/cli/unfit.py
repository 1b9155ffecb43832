"""Recorded executions that a new version would break, as changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service_kit.cli.sides import Version
    from service_kit.diff import Change


def broken_executions(before: Version, after: Version) -> tuple[list[Change], list[str]]:
    """Return a change for each history that no longer replays, and notes on those that did not before."""
    from service_kit.diff import Change, Verdict

    changes: list[Change] = []
    notes: list[str] = []
    for file, (workflow, why) in (after.unfit or {}).items():
        if file in (before.unfit or {}):
            notes.append(f"{file} did not replay before, either: {why}")
            continue
        who = f"workflow `{workflow}`" if workflow else "a workflow"
        message = f"{who} breaks the execution recorded in `{file}`: {why}"
        changes.append(Change(Verdict.BREAKING, "execution-breaks", "workflow", workflow, file, message))
    return changes, notes
