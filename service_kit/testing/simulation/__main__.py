"""`python -m service_kit.testing.simulation`: run seeds again, or many new ones."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import get_args

from service_kit.testing.simulation.shrinking import command, shrink
from service_kit.testing.simulation.simulation import Plan, Report, WorldName, simulate

PROGRESS_EVERY = 1_000


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments say; return 1 if an invariant did not hold."""
    parser = argparse.ArgumentParser(prog="python -m service_kit.testing.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=_positive, default=1, help="how many seeds")
    parser.add_argument("--processes", type=_positive, default=1, help="run seeds in so many processes")
    parser.add_argument("--faults", type=_names, default=None, help="only these faults, or 'none'")
    parser.add_argument("--without", type=_numbers, default=frozenset(), help="leave out these steps")
    parser.add_argument(
        "--world", choices=get_args(WorldName), default="local", help="where the service runs"
    )
    parser.add_argument("--trace", action="store_true", help="print everything that happened")
    chosen = parser.parse_args(arguments)
    plans = [
        Plan(chosen.seed + n, chosen.faults, chosen.without, world=chosen.world) for n in range(chosen.count)
    ]
    failed = 0
    for number, report in enumerate(_reports(plans, chosen.processes)):
        if number and number % PROGRESS_EVERY == 0:
            sys.stderr.write(f"{number} of {chosen.count} seeds, {failed} failed\n")
        if chosen.trace:
            _say(*report.trace)
        if report.violations:
            failed += 1
            _tell(report, shrinking=chosen.faults is None and not chosen.without)
        elif chosen.count == 1:
            _say(
                f"seed {report.plan.seed}: all invariants held; {len(report.faults)} faults, run {report.digest}"
            )
            if absent := sorted((chosen.faults or frozenset()).difference(report.faults)):
                _say(f"  these did not happen in this run: {', '.join(absent)}")
    if chosen.count > 1:
        _say(f"{chosen.count} seeds from {chosen.seed}: {failed} failed")
    return 1 if failed else 0


def _reports(plans: list[Plan], processes: int) -> Iterator[Report]:
    if processes == 1:
        yield from map(simulate, plans)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(simulate, plans, chunksize=50)


def _tell(report: Report, shrinking: bool) -> None:
    _say(f"seed {report.plan.seed} failed:", *(f"  {violation}" for violation in report.violations[:5]))
    small = shrink(report) if shrinking else report
    _say(f"  with {len(small.faults)} faults: {', '.join(small.faults)}", f"  again: {command(small.plan)}")


def _names(text: str) -> frozenset[str]:
    return frozenset() if text == "none" else frozenset(text.split(","))


def _numbers(text: str) -> frozenset[int]:
    return frozenset(int(part) for part in text.split(","))


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; give 1 or more")
    return number


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
