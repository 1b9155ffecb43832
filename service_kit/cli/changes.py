"""Reports of what has changed: for a terminal, for a page or a comment, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rich.text import Text

from service_kit.cli.output import printable, stdout, tell, write, write_json
from service_kit.diff import Change, Verdict


def report_text(changes: Sequence[Change], notes: Sequence[str]) -> None:
    """Print a line for each change, the breaking ones first."""
    console = stdout()
    for change in changes:
        colour = "bold red" if change.verdict is Verdict.BREAKING else "green"
        line = Text().append(f"{change.verdict.value:<9} ", style=colour)
        console.print(line.append(printable(change.message)))
    for note in notes:
        tell(f"note: {note}")
    console.print(_summary(changes), style="bold", markup=False)


def report_markdown(old: str, new: str, changes: Sequence[Change], notes: Sequence[str]) -> None:
    """Print a section for each verdict."""
    lines = [f"**{_summary(changes)}** from `{old}` to `{new}`"]
    for verdict, title in ((Verdict.BREAKING, "Breaking changes"), (Verdict.SAFE, "Safe changes")):
        found = [change for change in changes if change.verdict is verdict]
        if found:
            lines += ["", f"## {title}", "", *(f"* {printable(change.message)}" for change in found)]
    if notes:
        lines += ["", *(f"> {printable(note)}" for note in notes)]
    write("\n".join(lines) + "\n")


def report_json(old: str, new: str, changes: Sequence[Change], notes: Sequence[str]) -> None:
    """Print everything as one object."""
    write_json(
        {
            "old": old,
            "new": new,
            "breaking": _count(changes, Verdict.BREAKING),
            "safe": _count(changes, Verdict.SAFE),
            "changes": [asdict(change) for change in changes],
            "notes": list(notes),
        }
    )


def _summary(changes: Sequence[Change]) -> str:
    if not changes:
        return "nothing has changed"
    breaking, safe = _count(changes, Verdict.BREAKING), _count(changes, Verdict.SAFE)
    parts = [(breaking, "breaking change"), (safe, "safe change")]
    return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in parts if n)


def _count(changes: Sequence[Change], verdict: Verdict) -> int:
    return sum(change.verdict is verdict for change in changes)
