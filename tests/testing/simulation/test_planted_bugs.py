"""Each planted bug is caught by the invariant that the table in docs/design/simulation.md names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service_kit.testing.simulation.simulation import Plan, simulate
from tests.testing.simulation.planted import BUGS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "design" / "simulation.md"
ROW = re.compile(r"^\| (?P<bug>[^|]+?) \| `(?P<invariant>[^|`]+)` \|$", re.MULTILINE)
SEEDS = 400

CAUGHT = {row["bug"]: row["invariant"] for row in ROW.finditer(PAGE.read_text())}


def test_the_table_names_every_planted_bug() -> None:
    assert list(CAUGHT) == list(BUGS)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught_by_the_invariant_that_the_table_names(
    bug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    BUGS[bug](monkeypatch)
    seen: set[str] = set()
    for seed in range(SEEDS):
        seen.update(violation.invariant for violation in simulate(Plan(seed)).violations)
        if CAUGHT[bug] in seen:
            return
    pytest.fail(f"{SEEDS} seeds broke {sorted(seen) or 'no invariant'}; correct the row of '{bug}'")
