"""Simulations hold their invariants, and are the same run for the same seed."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import get_args

import pytest

from service_kit.testing.simulation.__main__ import main
from service_kit.testing.simulation.chances import STAGES
from service_kit.testing.simulation.programs import Op, scenario, walk
from service_kit.testing.simulation.shrinking import command, shrink
from service_kit.testing.simulation.simulation import Plan, Report, simulate
from tests.testing.simulation.planted import BUGS

SEEDS = 240
LONG_SEEDS = 100_000


def test_the_runtime_keeps_its_promises_whatever_fails() -> None:
    reports = [simulate(Plan(seed)) for seed in range(SEEDS)]
    failed = [report for report in reports if report.violations]
    assert not failed, _told(failed[0])
    faulty = [report for report in reports if len(report.faults) >= 3]
    assert len(faulty) > SEEDS / 3, "a simulation without faults shows nothing"


@pytest.mark.long
def test_the_runtime_keeps_its_promises_in_a_hundred_thousand_runs() -> None:
    ran = _simulation("--count", str(LONG_SEEDS), "--processes", "2")
    assert ran.returncode == 0, ran.stdout[-4_000:]
    assert f"{LONG_SEEDS} seeds from 0: 0 failed" in ran.stdout


def test_every_kind_of_fault_and_every_operation_is_simulated() -> None:
    happened = {name.partition(":")[0] for seed in range(60) for name in simulate(Plan(seed)).faults}
    assert happened == set(STAGES)
    scenarios = [scenario(seed) for seed in range(SEEDS)]
    roots = [root for made in scenarios for root in made.roots]
    assert {step.op for root in roots for step in walk(root.program)} == set(get_args(Op))
    assert sum(made.scheduled for made in scenarios) > 10
    assert sum(root.forked for root in roots) > 20


def test_a_seed_is_one_run_in_every_process() -> None:
    runs = {_simulation("--seed", "23", "--trace", hashes=hashes).stdout for hashes in ("1", "2")}
    assert len(runs) == 1
    assert runs.pop().count("\n") > 50


def test_a_run_without_faults_has_none() -> None:
    report = simulate(Plan(7, only=frozenset()))
    assert (report.faults, report.violations) == ((), ())


def test_a_failing_seed_is_shrunk_to_a_command_that_fails_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    BUGS["nobody looks for lost wake-ups"](monkeypatch)
    failing = next(report for seed in range(SEEDS) if (report := simulate(Plan(seed))).violations)
    small = shrink(failing)
    assert len(small.faults) <= 3
    assert len(small.faults) <= len(failing.faults)
    assert simulate(small.plan) == small
    assert main(command(small.plan).split()[3:]) == 1
    assert command(small.plan) in capsys.readouterr().out


def test_a_seed_is_run_again_by_one_command() -> None:
    ran = _simulation("--seed", "5")
    assert ran.returncode == 0
    assert f"run {simulate(Plan(5)).digest}" in ran.stdout


def test_a_fault_that_did_not_happen_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    happens = simulate(Plan(5)).faults[0]
    assert main(["--seed", "5", "--faults", f"{happens},hint:0"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["  these did not happen in this run: hint:0"]


def test_no_seeds_are_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--count", "0"])
    assert "0 is too few; give 1 or more" in capsys.readouterr().err


def _simulation(*arguments: str, hashes: str = "0") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service_kit.testing.simulation", *arguments],
        env={**os.environ, "PYTHONHASHSEED": hashes},
        capture_output=True,
        text=True,
        check=False,
    )


def _told(report: Report) -> str:
    broken = "\n".join(str(violation) for violation in report.violations)
    return f"{broken}\nrun it again: {command(shrink(report).plan)}"
