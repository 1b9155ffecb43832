"""Conditions that workflows wait for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from service_kit import Service, condition, task, until, workflow
from service_kit.testing import TestEnvironment

ready: list[bool] = []


async def is_ready() -> bool:
    return bool(ready)


@task
async def check() -> bool:
    return False


ASYNC: dict[str, Callable[[], Any]] = {
    "function": is_ready,
    "lambda": lambda: is_ready(),
    "task": lambda: check(),
    "declared": check,
}


@workflow
async def wait(kind: str) -> str:
    try:
        await condition(ASYNC[kind], timeout_s=5)
    except TypeError as error:
        return str(error)
    return "taken for true"


class Waits(Service):
    wait = wait


@pytest.mark.parametrize("kind", list(ASYNC))
@pytest.mark.filterwarnings("error")
def test_a_condition_that_would_have_to_be_awaited_is_refused(kind: str) -> None:
    with TestEnvironment(Waits) as env:
        said = env.run_until_complete(env.start(wait, kind))
    assert "is asked without waiting" in said
    assert "await it before, or wait for a signal" in said


@workflow
async def wait_for_what_is_none(what: str) -> str:
    wrong: Any = timedelta(days=1) if what == "until" else False
    try:
        await (until(wrong) if what == "until" else condition(wrong))
    except TypeError as error:
        return str(error)
    return "it waited"


class Mistakes(Service):
    wait_for_what_is_none = wait_for_what_is_none


@pytest.mark.parametrize(
    ("what", "cure"),
    [
        ("until", "for a length of time write duration(seconds=...)"),
        ("condition", "give a function: lambda: ..."),
    ],
)
def test_what_can_be_no_moment_and_no_condition_is_refused_with_the_cure(what: str, cure: str) -> None:
    with TestEnvironment(Mistakes) as env:
        assert env.run_until_complete(env.start(wait_for_what_is_none, what)).endswith(cure)
