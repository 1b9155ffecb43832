"""Replays: the histories of one workflow of 1,000 steps, and of one of 10,000, from the beginning to the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.child import Child
from benchmarks.contender import Contender, present
from benchmarks.measurement import Budget, Pace, Result, Series, find

OURS = "service_kit's Replayer"
TEMPORAL = "Temporal's Replayer"
CONTENDERS = (
    Contender(OURS, "benchmarks.workflows.ours:rehearse"),
    Contender(TEMPORAL, "benchmarks.workflows.with_temporal:rehearse", ("temporalio",)),
)
STEPS = (1_000, 10_000)
LONG_ROUNDS = 1
"""Of 10,000 steps: Temporal's takes minutes for one."""
BUDGET = Budget("replay of 1,000 steps", "<=", 50.0, "ms")
GROWTH = Budget("growth of a replay from 1,000 steps to 10,000", "<=", 1.1, "as exponent")


def run(pace: Pace, say: Callable[[str], None]) -> Result:
    """Let every contender replay the same steps, in turns, each in its own process."""
    result = Result("replays")
    with ExitStack() as stack:
        children = {
            c.label: stack.enter_context(Child("benchmarks.workflows.rehearsal", c.target))
            for c in present(CONTENDERS, result.notes.append)
        }
        for steps in STEPS:
            say(f"workflows: replay of {steps:,} steps")
            rounds = pace.rounds if steps == STEPS[0] else LONG_ROUNDS
            result.series += _replayed(children, steps, rounds, pace)
    if pace.judged:
        short, long = (find(result.series, _scenario(steps), OURS) for steps in STEPS)
        assert short is not None, "this project needs nothing that could be missing"
        assert long is not None, "this project needs nothing that could be missing"
        result.judge(BUDGET, short.median)
        result.judge(GROWTH, math.log10(long.median / short.median))
    return result


def _scenario(steps: int) -> str:
    return f"replay of {steps:,} steps"


def _replayed(children: dict[str, Child], steps: int, rounds: int, pace: Pace) -> list[Series]:
    series = [Series(_scenario(steps), label, "ms") for label in children]
    for _ in range(rounds):
        for child, times in zip(children.values(), series, strict=True):
            asked = steps if pace.judged else steps // 100
            times.samples.append(1e3 * child.ask(steps=asked)["seconds"])
    return series
