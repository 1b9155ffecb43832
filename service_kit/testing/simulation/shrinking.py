"""Making a failing simulation small: fewer faults, fewer steps, as long as it breaks the same invariant."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from service_kit.testing.simulation.programs import scenario
from service_kit.testing.simulation.simulation import Plan, Report, simulate

K = TypeVar("K", bound=Hashable)

TRIES = 300
"""Simulations that one shrinking may take."""


def shrink(report: Report, run: Callable[[Plan], Report] = simulate) -> Report:
    """Return the report of a smaller plan that breaks the first of the same invariants."""
    broken = report.violations[0].invariant
    best = report
    left = TRIES

    def breaks(plan: Plan) -> bool:
        nonlocal best, left
        if left <= 0:
            return False
        left -= 1
        tried = run(plan)
        if all(violation.invariant != broken for violation in tried.violations):
            return False
        best = tried
        return True

    plan = replace(report.plan, only=frozenset(report.faults))
    if not breaks(plan):
        return report
    _fewest(list(report.faults), lambda kept: breaks(replace(best.plan, only=frozenset(kept))))
    nodes = scenario(plan.seed).without(plan.without).nodes()
    _fewest(nodes, lambda kept: breaks(replace(best.plan, without=plan.without | _others(nodes, kept))))
    _fewest(list(best.faults), lambda kept: breaks(replace(best.plan, only=frozenset(kept))))
    return best


def command(plan: Plan) -> str:
    """Return the command that runs a plan again."""
    parts = [f"python -m service_kit.testing.simulation --seed {plan.seed}"]
    if plan.world != "local":
        parts.append(f"--world {plan.world}")
    if plan.only is not None:
        parts.append(f"--faults {','.join(sorted(plan.only)) or 'none'}")
    if plan.without:
        parts.append(f"--without {','.join(map(str, sorted(plan.without)))}")
    return " ".join(parts)


def _fewest(items: Sequence[K], enough: Callable[[Sequence[K]], bool]) -> Sequence[K]:
    """Return a small part of `items` that is enough: delta debugging (Zeller and Hildebrandt 2002)."""
    kept = list(items)
    size = max(len(kept) // 2, 1)
    while kept:
        removed = False
        start = 0
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            if enough(fewer):
                kept, removed = fewer, True
            else:
                start += size
        if size == 1 and not removed:
            break
        size = max(size // 2, 1)
    return kept


def _others(nodes: Sequence[int], kept: Iterable[int]) -> frozenset[int]:
    return frozenset(nodes).difference(kept)
