"""Replay made-up histories: `python -m benchmarks.workflows.rehearsal <target>`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from benchmarks.child import answer_questions
from benchmarks.contender import load
from benchmarks.workflows.contest import Rehearsal


def main(target: str) -> None:
    """Replay as long a history as each question says; the first time, make it up and replay it once before."""
    rehearse: Rehearsal = load(target)
    known: dict[int, Callable[[], Awaitable[None]]] = {}
    with asyncio.Runner() as runner:

        def answer(steps: int) -> dict[str, float]:
            if steps not in known:
                known[steps] = rehearse(steps)
                runner.run(_timed(known[steps]))
            return {"seconds": runner.run(_timed(known[steps]))}

        answer_questions(lambda question: answer(question["steps"]))


async def _timed(replay: Callable[[], Awaitable[None]]) -> float:
    begin = time.perf_counter()
    await replay()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(sys.argv[1])
