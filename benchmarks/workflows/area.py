"""Workflows: ten steps at 1, 50 and 200 at a time, thousands in one, ten thousand that wait, starts, replays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.child import Child
from benchmarks.contender import Contender, present
from benchmarks.measurement import Budget, Pace, Result, Series, paired_ratio
from benchmarks.workflows import replays

OURS = "service_kit on SQLite"
DBOS = "DBOS on SQLite"
RESTATE = "Restate"
CONTENDERS = (
    Contender(OURS, "benchmarks.workflows.ours:open_host"),
    Contender(DBOS, "benchmarks.workflows.with_dbos:open_dbos", ("dbos",)),
    Contender(
        RESTATE,
        "benchmarks.workflows.with_restate:open_restate",
        ("restate-sdk", "hypercorn", "aiohttp"),
        "restate-server",
    ),
)
SCENARIOS = {"1 at a time": 1, "50 at a time": 50, "200 at a time": 200}
RATES = (
    (Budget("workflows of 10 steps, 1 at a time", ">=", 3.0, "x DBOS"), "10 steps, 1 at a time", DBOS),
    (Budget("workflows of 10 steps, 50 at a time", ">=", 25.0, "x DBOS"), "10 steps, 50 at a time", DBOS),
    (
        Budget("workflows of 10 steps, 50 at a time", ">=", 9.0, "x Restate"),
        "10 steps, 50 at a time",
        RESTATE,
    ),
)
LONG = 1_000
LONGER = 10_000
"""Measured once: it takes a peer the better part of a minute."""
LONG_BUDGET = Budget("one workflow of 1,000 steps", "<=", 0.5, "x the time of DBOS")
STORED = 100_000
STARTS = 2_000
STARTERS = 50
WAITING = 10_000
WAITING_BUDGET = Budget("10,000 waiting executions", "<=", 100.0, "MB")


def run(pace: Pace, say: Callable[[str], None]) -> Result:
    """Let every contender run the same workflows, in turns, each in its own process on its own file."""
    result = Result("workflows")
    with ExitStack() as stack:
        children = {
            c.label: stack.enter_context(Child("benchmarks.workflows.worker", c.target))
            for c in present(CONTENDERS, result.notes.append)
        }
        for name, concurrency in SCENARIOS.items():
            say(f"workflows: 10 steps, {name}")
            result.series += _short(children, f"10 steps, {name}", concurrency, pace)
        for steps, rounds in ((LONG, pace.rounds), (LONGER if pace.judged else LONGER // 100, 1)):
            say(f"workflows: {_in_one(steps)}")
            result.series += _long(children, steps, rounds)
    say(f"workflows: {WAITING:,} that wait")
    waiting = _waiting(pace)
    if waiting is None:
        result.notes.append("not measured: memory of waiting executions: this system has no /proc")
    else:
        result.series.append(waiting)
    say(f"workflows: starts with {STORED:,} executions in the store")
    result.series += _starts(pace)
    replayed = replays.run(pace, say)
    result.series += replayed.series
    result.verdicts += replayed.verdicts
    result.notes += replayed.notes
    if pace.judged:
        for budget, scenario, peer in RATES:
            result.judge(budget, paired_ratio(result.series, scenario, OURS, peer))
        result.judge(LONG_BUDGET, paired_ratio(result.series, _in_one(LONG), OURS, DBOS))
        result.judge(WAITING_BUDGET, waiting.median if waiting else None)
    return result


def _short(children: dict[str, Child], scenario: str, concurrency: int, pace: Pace) -> list[Series]:
    """Return workflows per second, and the processor time of one step: the same in calmer numbers."""
    rates = [Series(scenario, label, "workflows/s") for label in children]
    costs = [Series(f"{scenario}, processor time", label, "us per step") for label in children]
    for child in children.values():  # statements are prepared, caches fill
        child.ask(seconds=pace.seconds / 4, concurrency=concurrency, steps=10)
    for _ in range(pace.rounds):
        for child, rate, cost in zip(children.values(), rates, costs, strict=True):
            answer = child.ask(seconds=pace.seconds, concurrency=concurrency, steps=10)
            rate.samples.append(answer["per_s"])
            cost.samples += [answer["us_per_step"]] if "us_per_step" in answer else []
    return [*rates, *(cost for cost in costs if cost.samples)]


def _long(children: dict[str, Child], steps: int, rounds: int) -> list[Series]:
    times = [Series(_in_one(steps), label, "s") for label in children]
    for _ in range(rounds):
        for child, time in zip(children.values(), times, strict=True):
            time.samples.append(child.ask(seconds=0.0, concurrency=1, steps=steps)["seconds"])
    return times


def _in_one(steps: int) -> str:
    return f"{steps:,} steps in one workflow"


def _waiting(pace: Pace) -> Series | None:
    """Return the memory of executions that wait, in a process that has done nothing before."""
    if not Path("/proc/self/statm").exists():
        return None
    count = WAITING if pace.judged else WAITING // 100
    series = Series(f"{count:,} waiting executions", OURS, "MB")
    with Child("benchmarks.workflows.worker", CONTENDERS[0].target) as child:
        series.samples.append(child.ask(waiting=count)["mb"])
    return series


def _starts(pace: Pace) -> list[Series]:
    """Return starts per second on an empty store and on a full one; each start is a commit of its own."""
    size = 1 if pace.judged else 100
    empty = Series("starts, in an empty store", OURS, "starts/s")
    full = Series(f"starts, with {STORED // size:,} executions in the store", OURS, "starts/s")
    with Child("benchmarks.workflows.worker", CONTENDERS[0].target) as child:
        for series in (empty, full):
            for _ in range(pace.rounds):
                answer = child.ask(starts=STARTS // size, concurrency=STARTERS)
                series.samples.append(answer["per_s"])
            if series is empty:
                child.ask(starts=(STORED - pace.rounds * STARTS) // size, concurrency=4 * STARTERS)
    return [empty, full]
