"""Call a server for some seconds: `python -m benchmarks.client.worker <target> <url>`.

The target opens a caller: `caller(url)` is an async context manager around a `Call`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

from benchmarks.child import answer_questions
from benchmarks.contender import load
from benchmarks.orders import ORDER, PLACEMENT, Order, Placement

Call: TypeAlias = Callable[[Placement], Awaitable[Order]]
Opener: TypeAlias = Callable[[str], AbstractAsyncContextManager[Call]]


def main(target: str, url: str) -> None:
    """Open the caller once, check its answer, and then measure as often as asked."""
    opener: Opener = load(target)
    with asyncio.Runner() as runner:
        opened = opener(url)
        call = runner.run(opened.__aenter__())
        answer = runner.run(_once(call))
        if answer != ORDER:
            raise RuntimeError(f"{target} returned {answer!r}")
        answer_questions(lambda question: runner.run(_measure(call, question)))
        runner.run(opened.__aexit__(None, None, None))


async def _once(call: Call) -> Order:
    return await call(PLACEMENT)


async def _measure(call: Call, question: dict[str, Any]) -> dict[str, float]:
    """Measure so many callers that call again as soon as they have an answer."""
    used = time.process_time()
    begin = time.perf_counter()
    end = begin + question["seconds"]

    async def call_until_end() -> int:
        calls = 0
        while time.perf_counter() < end:
            await call(PLACEMENT)
            calls += 1
        return calls

    counts = await asyncio.gather(*(call_until_end() for _ in range(question["concurrency"])))
    calls = sum(counts)
    return {
        "calls_per_s": calls / (time.perf_counter() - begin),
        "us_per_call": (time.process_time() - used) / calls * 1e6,
    }


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
