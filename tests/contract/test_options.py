"""Options: what a definition or a call may say, and what a wrong one is answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service_kit import DefinitionError, Event, Service, subscription, task, workflow
from service_kit.testing import TestEnvironment

INF, NAN = float("inf"), float("nan")


class Happened(Event): ...


@task(timeout_s=60)
async def work() -> None:
    await asyncio.Event().wait()


@workflow(timeout_s=60)
async def flow(limit_s: float | None = None) -> str:
    try:
        await work.options(timeout_s=limit_s)()
    except ValueError as error:
        return str(error)
    return "worked"


@workflow
async def parent(limit_s: float) -> str:
    try:
        await flow.options(timeout_s=limit_s)()
    except ValueError as error:
        return str(error)
    return "ran"


class Works(Service):
    flow = flow
    parent = parent


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout_s": NAN}, "timeout_s is nan; give a positive number of seconds"),
        ({"timeout_s": INF}, "timeout_s is inf; give a positive number of seconds"),
        ({"heartbeat_timeout_s": True}, "heartbeat_timeout_s is True; give a positive number of seconds"),
        ({"schedule_to_close_s": "5"}, "schedule_to_close_s is '5'; give a positive number of seconds"),
        ({"concurrency": 1.5}, "concurrency is 1.5; give a positive whole number"),
        ({"memory_mb": 0}, "memory_mb is 0; give a positive whole number"),
        ({"rate_per_s": INF}, "rate_per_s is inf; give a positive number of attempts in a second"),
        ({"inline": "yes"}, "inline is 'yes'; give True or False"),
        (
            {"inline": True, "concurrency": 1, "rate_per_s": 2},
            "it is inline, and so begins at once, whatever concurrency and rate_per_s say; take out inline=True",
        ),
        ({"retry": 3}, "retry is 3; give Retry(...), such as Retry(max_attempts=5)"),
        ({"retry": None}, "retry is None; give Retry(...)"),
    ],
)
def test_a_wrong_option_of_a_task_is_named_with_the_cure(options: Any, message: str) -> None:
    async def pack() -> None: ...

    with pytest.raises(DefinitionError) as caught:
        task(**options)(pack)
    assert message in str(caught.value)
    assert "task 'pack'" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout_s": INF}, "timeout_s is inf"),
        ({"parent_close": "kill"}, "parent_close is 'kill'; give 'cancel', 'terminate' or 'abandon'"),
        ({"parent_close": ["cancel"]}, "parent_close is ['cancel']"),
        ({"cron": "@daily", "catch_up_s": NAN}, "catch_up_s is nan"),
    ],
)
def test_a_wrong_option_of_a_workflow_is_named_with_the_cure(options: Any, message: str) -> None:
    async def run() -> None: ...

    with pytest.raises(DefinitionError) as caught:
        workflow(**options)(run)
    assert message in str(caught.value)


@pytest.mark.parametrize("options", [{"retry": 3}, {"concurrency": 2.0}, {"timeout_s": NAN}])
def test_a_wrong_option_of_a_subscription_is_refused(options: Any) -> None:
    async def hear(event: Happened) -> None: ...

    with pytest.raises(DefinitionError, match=f"subscription 'hear'.*{next(iter(options))} is"):
        subscription(Happened, **options)(hear)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"timeout_s": 0}, ValueError, "timeout_s is 0; give a positive number of seconds, or None for what"),
        ({"timeout_s": -5}, ValueError, "timeout_s is -5"),
        ({"timeout_s": NAN}, ValueError, "timeout_s is nan"),
        ({"timeout_s": "5"}, TypeError, "timeout_s is '5'"),
        ({"start_delay_s": -5}, ValueError, "start_delay_s is -5; give a number of seconds, 0 or more"),
        ({"start_delay_s": INF}, ValueError, "start_delay_s is inf"),
        (
            {"parent_close": "kill"},
            ValueError,
            "parent_close is 'kill'; give 'cancel', 'terminate' or 'abandon'",
        ),
        ({"id": ""}, ValueError, "id is ''; give a text of 1 to 500 characters that UTF-8 has"),
        ({"id": "x" * 501}, ValueError, "xxx'; give a text of 1 to 500 characters"),
        ({"id": "\ud83c"}, ValueError, "id is '\\ud83c'; give a text of 1 to 500 characters"),
        ({"id": 3}, TypeError, "id is 3"),
        ({"attributes": {"tier": 1}}, TypeError, "attributes is {'tier': 1}; give texts by names"),
        ({"attributes": {"a=b": "c"}}, ValueError, "give texts by names without '='"),
        ({"attributes": {"": "c"}}, ValueError, "attributes is {'': 'c'}"),
    ],
)
def test_a_wrong_option_of_a_start_is_refused_where_it_is_chosen(
    options: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        flow.options(**options)
    assert message in str(caught.value)
    assert "workflow 'flow'" in str(caught.value)


@pytest.mark.parametrize("option", ["timeout_s", "schedule_to_close_s", "heartbeat_timeout_s"])
@pytest.mark.parametrize("value", [0, -1, INF, NAN])
def test_a_wrong_limit_of_a_tasks_call_is_refused_where_it_is_chosen(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"task 'work'.*: {option} is {value}; give a positive number"):
        work.options(**{option: value})  # type: ignore[arg-type]  # the name is a parameter of the test


def test_a_retry_that_is_a_number_is_refused_at_a_call() -> None:
    wrong: Any = 3
    with pytest.raises(TypeError, match="retry is 3; give Retry"):
        work.options(retry=wrong)


def test_a_limit_of_nothing_does_not_become_the_definitions() -> None:
    with TestEnvironment(Works) as env:
        assert "timeout_s is 0" in env.run_until_complete(env.start(flow, 0.0))
        assert "timeout_s is 0" in env.run_until_complete(env.start(parent, 0.0))
