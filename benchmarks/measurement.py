"""Measurements and budgets, as data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal


class CannotMeasure(Exception):
    """A contender, or what the measurement needs, does not do its part."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure; the smoke pace shows that everything runs, and nothing about speed."""

    rounds: int
    seconds: float
    """Of load, per contender and round."""
    starts: int
    """Fresh processes per contender, where a start is what is measured."""
    judged: bool
    """Whether the numbers are worth a verdict."""


FULL = Pace(rounds=7, seconds=2.0, starts=11, judged=True)
SMOKE = Pace(rounds=1, seconds=0.1, starts=1, judged=False)


@dataclass(slots=True)
class Series:
    """One contender's samples in one scenario, in the order of the rounds."""

    scenario: str
    label: str
    unit: str
    samples: list[float] = field(default_factory=list[float])

    @property
    def median(self) -> float:
        return median(self.samples)


@dataclass(frozen=True, slots=True)
class Budget:
    """A promise of DESIGN section 8."""

    what: str
    side: Literal[">=", "<="]
    limit: float
    unit: str
    """`x FastAPI` for a ratio, `us` for a duration."""

    def judge(self, value: float) -> Verdict:
        """Return the verdict on a measured value."""
        kept = value >= self.limit if self.side == ">=" else value <= self.limit
        return Verdict(self, value, kept)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A budget with what was measured."""

    budget: Budget
    value: float
    kept: bool


@dataclass(slots=True)
class Result:
    """What one area measured."""

    area: str
    series: list[Series] = field(default_factory=list[Series])
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    notes: list[str] = field(default_factory=list[str])

    def judge(self, budget: Budget, value: float | None) -> None:
        """Add a verdict; a value of None, where a contender was left out, becomes a note."""
        if value is None:
            self.notes.append(f"not judged: {budget.what}: a contender is missing")
        else:
            self.verdicts.append(budget.judge(value))


def find(series: Iterable[Series], scenario: str, label: str) -> Series | None:
    """Return the series of one contender in one scenario."""
    return next((s for s in series if (s.scenario, s.label) == (scenario, label)), None)


def paired_ratio(series: Sequence[Series], scenario: str, of: str, to: str) -> float | None:
    """Return the median over rounds of one contender's value divided by another's in the same round.

    Rounds are interleaved, so a machine that is busy for a while is busy for both sides of a pair.
    """
    numerator, denominator = find(series, scenario, of), find(series, scenario, to)
    if numerator is None or denominator is None:
        return None
    return median(a / b for a, b in zip(numerator.samples, denominator.samples, strict=True))
