"""The report: budgets first, then every measurement, as Markdown that a terminal shows just as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from benchmarks.measurement import Result, Series, Verdict


def render(results: Sequence[Result], machine: Mapping[str, str], when: str, *, judged: bool) -> str:
    """Return the whole report."""
    parts = [f"Measured {when}.", "", *(f"- {name}: {value}" for name, value in machine.items()), ""]
    if not judged:
        parts += ["A smoke run: everyone ran and answered rightly. Its numbers say nothing.", ""]
    verdicts = [verdict for result in results for verdict in result.verdicts]
    if verdicts:
        parts += [
            "## Budgets",
            "",
            *table(["what", "budget", "measured", ""], map(_verdict_row, verdicts)),
            "",
        ]
    for result in results:
        parts += [f"## {result.area}", ""]
        for _, group in groupby(result.series, key=lambda s: (s.scenario, s.unit)):
            parts += _scenario(list(group))
        parts += [f"- {note}" for note in dict.fromkeys(result.notes)]
        parts += [""] if result.notes else []
    return "\n".join(parts).rstrip() + "\n"


def as_data(results: Sequence[Result], machine: Mapping[str, str], when: str) -> dict[str, Any]:
    """Return everything measured, for `--json`."""
    return {
        "when": when,
        "machine": dict(machine),
        "budgets": [
            {
                "what": v.budget.what,
                "budget": f"{v.budget.side} {v.budget.limit} {v.budget.unit}",
                "measured": v.value,
                "kept": v.kept,
            }
            for result in results
            for v in result.verdicts
        ],
        "measurements": [
            {
                "area": result.area,
                "scenario": s.scenario,
                "contender": s.label,
                "unit": s.unit,
                "samples": s.samples,
            }
            for result in results
            for s in result.series
        ],
        "notes": [note for result in results for note in result.notes],
    }


def _verdict_row(verdict: Verdict) -> list[str]:
    budget = verdict.budget
    return [
        budget.what,
        f"{budget.side} {budget.limit:g} {budget.unit}",
        f"{verdict.value:.3g} {budget.unit}",
        "pass" if verdict.kept else "FAIL",
    ]


def _scenario(series: list[Series]) -> list[str]:
    first = series[0]
    rows = [
        [
            s.label,
            _number(s.median),
            f"{_number(min(s.samples))} .. {_number(max(s.samples))}",
            _beside(first, s),
        ]
        for s in series
    ]
    return [
        f"### {first.scenario}",
        "",
        *table(["", f"median, {first.unit}", "range", f"{first.label} / this"], rows),
        "",
    ]


def _beside(first: Series, other: Series) -> str:
    return "" if other is first else f"{first.median / other.median:.2f}x"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def table(header: Sequence[str], rows: Any) -> list[str]:
    """Return a table whose columns are as wide as they must be."""
    cells = [list(header), *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
