"""The functions on AWS keep their promises between simulated streams and queues, and a seed is one run there, too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service_kit.testing.simulation.aws.faults import STAGES
from service_kit.testing.simulation.shrinking import command, shrink
from service_kit.testing.simulation.simulation import Plan, Report, simulate
from tests.testing.simulation.planted_aws import BUGS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "design" / "simulation.md"
ROW = re.compile(r"^\| (?P<bug>[^|]+?) \| `(?P<invariant>[^|`]+)`, on AWS \|$", re.MULTILINE)
CAUGHT = {row["bug"]: row["invariant"] for row in ROW.finditer(PAGE.read_text())}

SEEDS, LONG_SEEDS, PLANTED_SEEDS = 60, 10_000, 400
FOUND = (650, 903, 949, 1389, 1585, 1727, 2305, 6704, 6864, 6868, 5_004_670, 5_007_065)
"""Seeds that have found something in the functions; those before are among the first."""


def test_the_functions_keep_their_promises_whatever_fails() -> None:
    reports = [simulate(Plan(seed, world="aws")) for seed in (*range(SEEDS), *FOUND)]
    failed = [report for report in reports if report.violations]
    assert not failed, _told(failed[0])
    assert len([report for report in reports if len(report.faults) >= 3]) > SEEDS / 2
    happened = {name.partition(":")[0] for report in reports for name in report.faults}
    assert happened >= STAGES.keys() - {"schedule"}  # few programs sleep for so long


@pytest.mark.long
def test_the_functions_keep_their_promises_in_ten_thousand_runs() -> None:
    ran = _simulation("--count", str(LONG_SEEDS), "--processes", "2")
    assert ran.returncode == 0, ran.stdout[-4_000:]


def test_without_faults_functions_do_what_the_local_runtime_does() -> None:
    for seed in range(SEEDS, SEEDS + 20):
        report = simulate(Plan(seed, only=frozenset(), world="aws"))
        assert (report.faults, report.violations) == ((), ())


def test_the_local_runtime_keeps_its_promises_over_a_table_that_it_polls() -> None:
    reports = [simulate(Plan(seed, world="polled")) for seed in range(30)]
    failed = [report for report in reports if report.violations]
    assert not failed, _told(failed[0])


def test_a_seed_is_one_run_in_every_process() -> None:
    runs = {_simulation("--seed", "23", "--trace", hashes=hashes).stdout for hashes in ("1", "2")}
    assert len(runs) == 1
    assert runs.pop().count("\n") > 50


def test_a_failing_seed_is_shrunk_to_a_command_that_fails_again(monkeypatch: pytest.MonkeyPatch) -> None:
    BUGS["the relay acknowledges before it sends"](monkeypatch)
    failing = next(
        report for seed in range(SEEDS) if (report := simulate(Plan(seed, world="aws"))).violations
    )
    small = shrink(failing)
    assert len(small.faults) <= len(failing.faults)
    assert simulate(small.plan) == small
    assert "--world aws" in command(small.plan)


def test_the_table_names_every_planted_bug() -> None:
    assert list(CAUGHT) == list(BUGS)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught_by_the_invariant_that_the_table_names(
    bug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    BUGS[bug](monkeypatch)
    seen: set[str] = set()
    for seed in range(PLANTED_SEEDS):
        seen.update(violation.invariant for violation in simulate(Plan(seed, world="aws")).violations)
        if CAUGHT[bug] in seen:
            return
    pytest.fail(f"{PLANTED_SEEDS} seeds broke {sorted(seen) or 'no invariant'}; correct the row of '{bug}'")


def _simulation(*arguments: str, hashes: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service_kit.testing.simulation", "--world", "aws", *arguments],
        env={**os.environ, "PYTHONHASHSEED": hashes},
        capture_output=True,
        text=True,
        check=False,
    )


def _told(report: Report) -> str:
    broken = "\n".join(str(violation) for violation in report.violations)
    return f"{broken}\nrun it again: {command(shrink(report).plan)}"
