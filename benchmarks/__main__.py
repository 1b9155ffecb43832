"""Run the benchmarks: `python -m benchmarks [--smoke] [--only http,client,...] [--json FILE] [--write]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.aws_emulator import area as aws_emulator
from benchmarks.aws_lambda import area as aws_lambda
from benchmarks.client import area as client
from benchmarks.http import area as http
from benchmarks.machine import describe
from benchmarks.measurement import FULL, SMOKE, CannotMeasure, Pace, Result
from benchmarks.openapi import area as openapi
from benchmarks.report import as_data, render
from benchmarks.workflows import area as workflows

AREAS: dict[str, Callable[[Pace, Callable[[str], None]], Result]] = {
    "http": http.run,
    "client": client.run,
    "lambda": aws_lambda.run,
    "openapi": openapi.run,
    "workflows": workflows.run,
    "emulator": aws_emulator.run,
}
RESULTS = Path(__file__).with_name("RESULTS.md")
HEADING = """# Results

Written by `python -m benchmarks --write`. Contenders run side by side, in processes of their own, in interleaved
rounds; a ratio is the median over rounds of both sides' values in the same round.
"""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the report, and return 1 if a budget was missed, 2 if it could not measure."""
    options = _parse(arguments)
    pace = SMOKE if options.smoke else FULL
    when, machine = f"{datetime.now(UTC):%Y-%m-%d}", describe()
    try:
        results = [AREAS[name](pace, _say) for name in options.only]
    except CannotMeasure as reason:
        print(f"error: {reason}", file=sys.stderr)
        return 2
    report = render(results, machine, when, judged=pace.judged)
    print(report)
    if options.json:
        text = json.dumps(as_data(results, machine, when), indent=2)
        options.json.write_text(f"{text}\n", encoding="utf-8")
    if options.write:
        RESULTS.write_text(f"{HEADING}\n{report}", encoding="utf-8")
    return 0 if all(verdict.kept for result in results for verdict in result.verdicts) else 1


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure us beside our peers.")
    parser.add_argument(
        "--smoke", action="store_true", help="only see that everyone runs and answers rightly"
    )
    parser.add_argument("--only", type=_areas, default=list(AREAS), help=f"some of {','.join(AREAS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample as JSON")
    parser.add_argument("--write", action="store_true", help="write benchmarks/RESULTS.md")
    options = parser.parse_args(arguments)
    if options.write and (options.smoke or options.only != list(AREAS)):
        parser.error("--write wants the full run: leave out --smoke and --only")
    return options


def _areas(text: str) -> list[str]:
    names = text.split(",")
    unknown = sorted(set(names) - set(AREAS))
    if unknown:
        raise argparse.ArgumentTypeError(f"no area {', '.join(unknown)}; there are {', '.join(AREAS)}")
    return names


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
