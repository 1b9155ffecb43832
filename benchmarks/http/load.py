"""Load by wrk, which costs so little that the server is what is measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measurement import CannotMeasure

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 32
PATIENCE_S = 30
"""A machine that is busy with other things makes answers late, not wrong."""


def wrk_path() -> str | None:
    """Return where wrk is, if it is installed."""
    return shutil.which("wrk")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one load brought about."""

    requests: int
    seconds: float


def make_load(wrk: str, url: str, body: bytes, seconds: float) -> Outcome:
    """Post `body` over 32 connections for some seconds (at least one: wrk counts in whole ones).

    Raises CannotMeasure if any request failed or was refused.
    """
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        load = [f"-c{CONNECTIONS}", "-t1", f"-d{max(1, round(seconds))}s", "--timeout", f"{PATIENCE_S}s"]
        done = subprocess.run(
            [wrk, *load, "-s", SCRIPT, url, "--", file.name], check=True, capture_output=True, text=True
        )
    outcome = json.loads(done.stdout.strip().splitlines()[-1])
    if outcome["failed"] or not outcome["requests"]:
        raise CannotMeasure(f"load on {url} failed: {outcome}; see the server's own output")
    return Outcome(outcome["requests"], outcome["duration_us"] / 1e6)
