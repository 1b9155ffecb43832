"""Waiting in workflows, beside what asyncio has: a duration, a date, a condition."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import datetime, timedelta

from service_kit.contract.workflow import workflow


async def duration(
    *, weeks: float = 0, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
) -> None:
    """Wait that long, durably: `await duration(days=1)`."""
    whole = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    await asyncio.sleep(whole.total_seconds())


async def until(moment: datetime) -> None:
    """Wait, durably, until a date with a time zone; not at all if it has passed."""
    given: object = moment
    if not isinstance(given, datetime):
        raise TypeError(
            f"until({given!r}): it is no datetime; for a length of time write duration(seconds=...)"
        )
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone, so it is another moment on every machine; give it one")
    await asyncio.sleep(max((moment - workflow.now()).total_seconds(), 0))


async def condition(predicate: Callable[[], bool], *, timeout_s: float | None = None) -> None:
    """Wait, in a workflow, until `predicate()` is true; it is asked whenever the workflow has done something.

    Raises TimedOut, and TypeError for an async predicate: it would have to be awaited, and is not.
    """
    from service_kit.engine.context import require_workflow

    if not callable(predicate):
        raise TypeError(
            f"condition({predicate!r}): it is asked again and again; give a function: lambda: ..."
        )

    def asked() -> bool:
        answer: object = predicate()
        if inspect.isawaitable(answer):
            if inspect.iscoroutine(answer):
                answer.close()
            raise TypeError(
                f"condition {predicate!r} gives an awaitable, and is asked without waiting; "
                "give a plain function of what the workflow knows: await it before, or wait for a signal"
            )
        return bool(answer)

    await require_workflow("condition()").condition(asked, timeout_s=timeout_s)
