"""The entry point of every chore: what it says, what it refuses, and what it does not do twice."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

import chores


def test_help_lists_every_chore(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        chores.main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    for name in chores.CHORES:
        assert f"    {name} " in said


def test_arguments_that_a_chore_does_not_know_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        chores.main(["bench", "--fast"])
    assert left.value.code == 2
    assert "unknown arguments for 'bench': --fast" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("python", "problem", "cure"),
    [
        ("no-such-python", "no-such-python does not start", "--python python3.12"),
        ("false", "false cannot make a virtual environment", "apt-get install python3-venv"),
    ],
)
def test_an_interpreter_that_makes_no_environment_is_an_error_with_a_cure(
    python: str, problem: str, cure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chores.main(["--venv", str(tmp_path / "venv"), "--python", python, "demo"]) == 1
    said = capsys.readouterr().err
    assert problem in said
    assert cure in said
    assert not (tmp_path / "venv").exists()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record installations and commands instead of doing them."""
    done: list[str] = []

    def create(folder: Path, python: str) -> None:
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/python").touch()

    def install(python: str, extra: str, *, newest: bool) -> None:
        done.append(f"install {extra}" + (" newest" if newest else ""))

    def run(what: str, python: str, *command: str, cure: str) -> None:
        done.append(" ".join(command))

    monkeypatch.setattr(chores, "_create", create)
    monkeypatch.setattr(chores, "_install", install)
    monkeypatch.setattr(chores, "_run", run)
    return done


def test_nothing_is_installed_twice(calls: list[str], tmp_path: Path) -> None:
    for chore in ("demo", "demo", "test", "demo", "docs"):
        assert chores.main(["--venv", str(tmp_path), chore]) == 0
    assert [call for call in calls if call.startswith("install")] == ["install server", "install dev"]


def test_other_versions_are_installed_anew(calls: list[str], tmp_path: Path) -> None:
    chores.main(["--venv", str(tmp_path), "docs"])
    chores.main(["--venv", str(tmp_path), "--newest", "docs"])
    assert [call for call in calls if call.startswith("install")] == ["install dev", "install dev newest"]


def test_the_whole_suite_is_spread_and_a_selection_is_not(calls: list[str], tmp_path: Path) -> None:
    chores.main(["--venv", str(tmp_path), "test"])
    chores.main(["--venv", str(tmp_path), "test", "tests/http", "-k", "cors"])
    chores.main(["--venv", str(tmp_path), "test", "--long"])
    spread = "-n auto --dist loadfile --no-loadscope-reorder"
    assert calls[1:] == [
        f"-m pytest {spread}",
        "-m pytest tests/http -k cors",
        f"-m pytest {spread} --long",
    ]


def test_the_rooms_in_which_histories_replay_need_little(calls: list[str], tmp_path: Path) -> None:
    assert chores.main(["--venv", str(tmp_path), "replay"]) == 0
    rooms = " ".join(f"tests/{room}" for room in chores.REPLAYING)
    left_out = " ".join(f"--ignore=tests/{file}" for file in chores.PLANTED)
    assert calls == ["install replay", f"-m pytest {' '.join(chores.SPREAD)} {rooms} {left_out}"]


def test_what_is_run_on_one_python_is_there() -> None:
    assert [place for place in chores.ONCE if not (chores.ROOT / "tests" / place).exists()] == []


@pytest.fixture
def stages(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the chores that CI runs as commands of their own; Python 3.12 is not there."""
    begun: list[str] = []

    def again(options: argparse.Namespace, venv: Path, *chore: str) -> None:
        begun.append(f"{venv.name}: {' '.join(chore)}")

    def find(version: str) -> str | None:
        return None if version == "3.12" else f"python{version}"

    monkeypatch.setattr(chores, "_again", again)
    monkeypatch.setattr(chores, "_find_python", find)
    return begun


def test_ci_makes_every_environment_before_it_checks_and_says_which_python_is_not_there(
    stages: list[str], calls: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert chores.main(["--venv", str(tmp_path / "venv"), "ci"]) == 0
    assert sorted(calls[:2]) == ["install dev", "install dev,bench"]
    assert calls[2] == "-m ruff check ."
    assert stages[:2] == ["demo: demo", "venv: test"]
    newest, smoke = sorted(stages[2:])
    assert newest.startswith(
        f"3.13: test {' '.join(chores.SPREAD)} --ignore=tests/typing --ignore=tests/aws "
    )
    assert smoke == "venv: bench --smoke"
    assert "Python 3.12: not run, no such interpreter was found" in capsys.readouterr().out


def test_an_environment_that_cannot_be_made_ends_ci_and_says_which(
    stages: list[str],
    calls: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def install(python: str, extra: str, *, newest: bool) -> None:
        if "3.13" in python:
            raise chores.ChoreError(f"pip could not install for {python}", "try again")

    monkeypatch.setattr(chores, "_install", install)
    assert chores.main(["--venv", str(tmp_path / "venv"), "ci"]) == 1
    assert "/3.13/bin/python" in capsys.readouterr().err
    assert stages == ["demo: demo"]


def test_both_type_checkers_run_though_the_first_complains(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []

    def run(what: str, python: str, *command: str, cure: str) -> None:
        begun.append(what)
        if what == "mypy --strict":
            raise chores.ChoreError(f"{what} failed", cure)

    monkeypatch.setattr(chores, "_run", run)
    assert chores.main(["--venv", str(tmp_path / "venv"), "check"]) == 1
    assert {"mypy --strict", "pyright strict"} <= set(begun)
    assert "mypy --strict failed" in capsys.readouterr().err


def test_coverage_is_measured_and_judged_for_each_room(calls: list[str], tmp_path: Path) -> None:
    assert chores.main(["--venv", str(tmp_path), "coverage"]) == 0
    for room in chores.COVERED:
        assert any(
            f"--source={room} " in call and call.startswith("-m coverage run --branch") for call in calls
        )
    assert len([call for call in calls if "--fail-under=97" in call]) == len(chores.COVERED)


def test_mutants_are_made_in_an_environment_of_their_own(calls: list[str], tmp_path: Path) -> None:
    assert chores.main(["--venv", str(tmp_path / "venv"), "mutate", "--sample", "7"]) == 0
    assert (tmp_path / "venv-mutation/bin/python").exists()
    assert calls == [
        "install dev",
        f"-m pip install --quiet --disable-pip-version-check {chores.MUTATION_TOOL}",
        f"-m tests.engine.mutation --python {tmp_path / 'venv/bin/python'} --sample 7",
    ]


def test_only_an_interpreter_that_starts_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chores._find_python(version) is None

    broken = tmp_path / f"python{version}"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    assert chores._find_python(version) is None

    (tmp_path / "versions" / f"{version}.0" / "bin").mkdir(parents=True)
    (tmp_path / "versions" / f"{version}.0" / "bin/python").symlink_to(sys.executable)
    assert chores._find_python(version) is not None
