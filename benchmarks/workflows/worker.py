"""Run workflows on a new file: `python -m benchmarks.workflows.worker <target>`."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.child import answer_questions
from benchmarks.contender import load
from benchmarks.workflows.contest import Contestant, Opener


def main(target: str) -> None:
    """Open the contender once, check its answer, and then measure as often as asked."""
    opener: Opener = load(target)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        opened = opener(Path(folder))
        contestant = runner.run(opened.__aenter__())
        if (answer := runner.run(_once(contestant))) != 7:
            raise RuntimeError(f"{target} counted to {answer} instead of 7")
        answer_questions(lambda question: runner.run(_answer(contestant, question)))
        runner.run(opened.__aexit__(None, None, None))


async def _once(contestant: Contestant) -> int:
    return await contestant.count(7)


async def _answer(contestant: Contestant, question: dict[str, Any]) -> dict[str, float]:
    match question:
        case {"waiting": executions}:
            return await _let_wait(contestant, executions)
        case {"starts": executions, "concurrency": concurrency}:
            return await _start(contestant, executions, concurrency)
        case {"seconds": seconds, "concurrency": concurrency, "steps": steps}:
            return await _run(contestant, seconds, concurrency, steps)
        case _:
            raise ValueError(f"no question: {question}")


async def _run(contestant: Contestant, seconds: float, concurrency: int, steps: int) -> dict[str, float]:
    """Let so many callers run one workflow after another; the last ones that begin in time are counted."""
    used, begin = time.process_time(), time.perf_counter()

    async def run_until_end() -> int:
        done = 0
        while not done or time.perf_counter() < begin + seconds:
            if await contestant.count(steps) != steps:
                raise RuntimeError("a workflow counted wrong")
            done += 1
        return done

    workflows = sum(await asyncio.gather(*(run_until_end() for _ in range(concurrency))))
    took_s = time.perf_counter() - begin
    return {
        "per_s": workflows / took_s,
        "seconds": took_s / workflows,
        **(
            {"us_per_step": (time.process_time() - used) / workflows / steps * 1e6}
            if contestant.alone
            else {}
        ),
    }


async def _start(contestant: Contestant, executions: int, concurrency: int) -> dict[str, float]:
    """Start so many executions, so many at a time."""
    start = contestant.start
    assert start is not None, "only those who offer it are asked"
    left, begin = iter(range(executions)), time.perf_counter()

    async def start_some() -> None:
        for _ in left:
            await start()

    await asyncio.gather(*(start_some() for _ in range(concurrency)))
    return {"per_s": executions / (time.perf_counter() - begin)}


async def _let_wait(contestant: Contestant, executions: int) -> dict[str, float]:
    """Return by how much memory grows with so many executions that wait."""
    assert contestant.let_wait is not None, "only those who offer it are asked"
    before = _resident_mb()
    await contestant.let_wait(executions)
    return {"mb": _resident_mb() - before}


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main(sys.argv[1])
