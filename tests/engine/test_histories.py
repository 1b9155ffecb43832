"""Histories that were once recorded replay for ever, whatever the Python and its hash seed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from service_kit.engine.instance import replay
from service_kit.engine.wire import encode_events
from tests.engine.driving import code_of
from tests.engine.golden import FOLDER, STORIES, recorded, tell


@pytest.mark.parametrize("name", STORIES)
def test_golden_history_replays(name: str) -> None:
    instance = replay(code_of(STORIES[name].function), recorded(name))
    assert instance.ending in (None, recorded(name)[-1])


@pytest.mark.parametrize("name", STORIES)
def test_execution_of_today_writes_the_same_history(name: str) -> None:
    assert tell(STORIES[name]) == recorded(name)
    assert encode_events(tell(STORIES[name])) == (FOLDER / f"{name}.json").read_text().rstrip("\n")


def test_every_history_has_its_story() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(STORIES)


@pytest.mark.parametrize("seed", ["0", "1", "42", "4294967295"])
def test_golden_histories_replay_under_any_hash_seed(seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from tests.engine.golden import replay_all; replay_all()"],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(FOLDER.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
