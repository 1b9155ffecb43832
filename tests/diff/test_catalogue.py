"""The verdicts of oasdiff's catalogue, rule by rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from service_kit.diff import compare
from tests.diff.catalogue import CATALOGUE, Case
from tests.diff.documents import breaks

REASONS = (Path(__file__).parents[2] / "docs/design/diff.md").read_text("utf-8")


@pytest.mark.parametrize("case", CATALOGUE, ids=lambda case: case.id)
def test_the_verdict_is_that_of_the_catalogue_or_the_page_says_why(case: Case) -> None:
    agreed = breaks(compare(case.old, case.new)) == (case.level != "INFO")
    if case.because:
        assert not agreed, "we agree by now: take the reason away"
        assert f"**{case.because}.**" in REASONS
        assert case.id in REASONS
    else:
        assert agreed, [change.message for change in compare(case.old, case.new)]


def test_enough_of_the_catalogue_is_covered_and_each_rule_once() -> None:
    ids = [case.id for case in CATALOGUE]
    assert len(set(ids)) == len(ids)
    assert sum(not case.because for case in CATALOGUE) >= 100
