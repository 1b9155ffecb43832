"""OpenAPI of 200 commands, each time in a fresh process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.child import Child
from benchmarks.contender import Contender, present
from benchmarks.measurement import Budget, Pace, Result, Series, paired_ratio
from benchmarks.openapi.source import COUNT, write_modules

OURS = "service_kit"
FASTAPI = "FastAPI"
CONTENDERS = (
    Contender(OURS, "benchmarks.openapi.ours:GENERATOR"),
    Contender(FASTAPI, "benchmarks.openapi.fastapi_spec:GENERATOR", ("fastapi",)),
)
GENERATION = "generation"
PARTS = (GENERATION, "with definition")


def run(pace: Pace, say: Callable[[str], None]) -> Result:
    """Specify the same models with each framework, in turns."""
    result = Result("openapi")
    contenders = present(CONTENDERS, result.notes.append)
    series = {(part, c.label): Series(part, c.label, "ms") for part in PARTS for c in contenders}
    say(f"openapi: {COUNT} commands")
    with tempfile.TemporaryDirectory() as folder:
        write_modules(Path(folder))
        for contender in contenders:  # bytecode is compiled
            _specify(contender, folder)
        for _ in range(pace.starts):
            for contender in contenders:
                for part, ms in _specify(contender, folder).items():
                    series[part, contender.label].samples.append(ms)
    result.series += series.values()
    if pace.judged:
        budget = Budget(f"OpenAPI of {COUNT} commands, generation", "<=", 0.35, "x FastAPI")
        result.judge(budget, paired_ratio(result.series, GENERATION, OURS, FASTAPI))
    return result


def _specify(contender: Contender, folder: str) -> dict[str, float]:
    with Child("benchmarks.openapi.worker", contender.target, folder) as child:
        times: dict[str, float] = child.hear()
        return times
