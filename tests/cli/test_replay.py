"""`service-kit replay`: histories of a running service, against the code as it is and as it has become."""

from __future__ import annotations

from pathlib import Path

import pytest

from service_kit.cli.targets import load_service
from service_kit.hosts.local.host import LocalHost
from tests.cli.conftest import Serve, Workshop
from tests.cli.durable import SERVICE

CHANGED = SERVICE.replace("box = await pack(order)", "box = await hold(order)")


@pytest.fixture
def history(workshop: Workshop, serve: Serve) -> Path:
    """Record an execution of `ship`; beside it is the service, changed, as `changed.py`."""
    workshop.write("depot.py", SERVICE)
    workshop.write("changed.py", CHANGED)
    url = serve(LocalHost(load_service("depot"), workshop.folder / "depot.db").asgi())
    words = ("--url", url)
    workshop.run("executions", "start", "ship", "order=o-1", "--id", "ship-1", *words)
    workshop.run("executions", "signal", "ship-1", "released", '"me"', *words)
    workshop.run("executions", "result", "ship-1", *words)
    recorded = workshop.run("executions", "history", "ship-1", "--json", *words).stdout
    return workshop.write("histories/ship-1.json", recorded)


def test_a_history_replays_against_the_code_that_made_it(workshop: Workshop, history: Path) -> None:
    result = workshop.run("replay", "depot", str(history))
    assert (result.exit_code, result.stdout) == (0, f"{history}: replays\n")
    assert workshop.run("replay", "depot", "histories").exit_code == 0
    assert workshop.run("replay", "depot", "-", stdin=history.read_text()).stdout == "-: replays\n"


def test_a_change_that_breaks_what_runs_is_told_with_both_sides(workshop: Workshop, history: Path) -> None:
    history.with_name("another.json").write_text("{}")
    result = workshop.run("replay", "changed", "histories")
    assert result.exit_code == 1
    assert f"error: {Path('histories/ship-1.json')}: " in result.stderr
    assert "history: TaskScheduled #1 'pack'" in result.stderr
    assert "code: TaskScheduled #1 'hold'" in result.stderr
    assert "changed.py:43 in ship" in result.stderr
    assert "error: 2 of 2 histories do not replay" in result.stderr


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nothing.json", "cannot read nothing.json"),
        ("empty", "there are no histories (*.json) in empty"),
    ],
)
def test_what_is_no_history_is_told(workshop: Workshop, path: str, said: str) -> None:
    workshop.write("depot.py", SERVICE)
    (workshop.folder / "empty").mkdir()
    result = workshop.run("replay", "depot", path)
    assert result.exit_code == 2
    assert f"error: {said}" in result.stderr
