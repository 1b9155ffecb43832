"""Which faults happen: drawn from the seed, numbered, so that any of them can be left out of the next run."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Fault: TypeAlias = Literal[
    "fails", "reply lost", "slow", "dies", "freezes", "lost", "doubled", "late", "jumps", "partly"
]

STAGES: Mapping[str, tuple[Fault, ...]] = {
    "before": ("fails", "dies", "slow", "freezes"),
    "after": ("reply lost", "dies", "slow", "freezes"),
    "hint": ("lost", "doubled", "late"),
    "death": ("dies",),
    "freeze": ("freezes",),
    "clock": ("jumps",),
}
"""When faults happen: around a store's method, at a hint, once in the life of a process, at a tick of the clock."""

RATES = (0.0, 0.0, 0.01, 0.03, 0.1)
RATES_OF: Mapping[str, Sequence[float]] = {
    "hint": (0.0, 0.05, 0.3),
    "death": (0.0, 0.5),
    "freeze": (0.0, 0.5),
    "clock": (0.0, 0.1, 0.3),
}
"""How often a fault of a stage happens: one of these, or of `RATES`, for each kind in each run."""
MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Drawn:
    """A fault that happens, with a number from [0, 1) that says how much."""

    fault: Fault
    amount: float


@dataclass(slots=True)
class Chances:
    """Draws faults. `only` admits these alone, by the names that `happened` lists."""

    seed: int
    only: frozenset[str] | None = None
    calm: bool = False
    """Whether faults have stopped."""
    stages: Mapping[str, tuple[Fault, ...]] = field(default_factory=lambda: STAGES)
    happened: list[str] = field(default_factory=list[str])
    _opportunities: Counter[str] = field(default_factory=Counter[str])
    _rates: dict[str, Sequence[tuple[Fault, float]]] = field(
        default_factory=dict[str, Sequence[tuple[Fault, float]]]
    )

    def __post_init__(self) -> None:
        # Swarm testing (Groce et al. 2012): each run has some kinds of faults and lacks others.
        swarm = random.Random(f"faults {self.seed}")  # noqa: S311 - reproducible, not secret
        for stage, faults in self.stages.items():
            rates = RATES_OF.get(stage, RATES)
            self._rates[stage] = [(fault, swarm.choice(rates)) for fault in faults]

    def draw(self, stage: str) -> Drawn | None:
        """Return the fault that happens at this opportunity, if one does."""
        self._opportunities[stage] += 1
        if self.calm:
            return None
        value = self.number(stage)
        for fault, rate in self._rates[stage]:
            if value < rate:
                name = f"{stage}:{self._opportunities[stage]}"
                if self.only is not None and name not in self.only:
                    return None
                self.happened.append(name)
                return Drawn(fault, value / rate)
            value -= rate
        return None

    def number(self, what: str) -> float:
        """Return a number from [0, 1) that depends on the seed, `what`, and how often that was counted."""
        mixed = self.seed * 0x9E3779B97F4A7C15 + self._opportunities[what] * 0xD1B54A32D192ED03
        for byte in what.encode():
            mixed = (mixed ^ byte) * 0x100000001B3 & MASK
        return _mix(mixed) / (MASK + 1)

    def next_number(self, what: str) -> float:
        """Count, and return a number."""
        self._opportunities[what] += 1
        return self.number(what)


def _mix(value: int) -> int:
    """Scatter the bits of a number: the finalizer of SplitMix64 (Steele et al. 2014)."""
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
    return value ^ value >> 31
