"""Inline tasks on AWS, whose answers are in no table until a turn uses them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator

import pytest

from client_kit.executions import StartOptions
from service_kit import Retry, Service, task, workflow
from service_kit.hosts.aws.gateway import gateway_of, management_of
from service_kit.hosts.aws.orchestrator import OrchestratorFunction
from service_kit.runtime.records import ExecutionRecord
from tests.hosts.aws.cloud import Cloud, deployed

DONE: list[str] = []
MEANWHILE: dict[str, Callable[[], Awaitable[None]]] = {}
"""What happens while a task is running."""


@task(inline=True, retry=Retry(max_attempts=1))
async def hold(id: str) -> str:
    DONE.append("hold")
    await MEANWHILE[id]()
    return "held"


@task(inline=True)
async def note(id: str) -> None:
    DONE.append("note")


@task
async def ring(id: str) -> None:
    DONE.append("ring")


@workflow
async def beside(id: str) -> str:
    held = asyncio.create_task(hold(id))
    await note(id)
    await ring(id)
    return await held


@workflow
async def alone(id: str) -> str:
    return await hold(id)


class Works(Service):
    """Work in the functions that take turns."""

    beside = beside
    alone = alone


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    DONE.clear()
    with deployed(Works) as made:
        yield made


def start(cloud: Cloud, workflow: str, id: str) -> None:
    gateway = gateway_of(cloud.host())
    asyncio.run(gateway.start(workflow, json.dumps({"id": id}), StartOptions(id=id)))


def record(cloud: Cloud, id: str) -> ExecutionRecord:
    found = asyncio.run(cloud.host().store.executions.read(id))
    assert found is not None
    return found


def pausing(cloud: Cloud, id: str, after_turns: int) -> Callable[[], Awaitable[None]]:
    """Return what pauses an execution as soon as it has taken so many turns."""
    executions = cloud.host().store.executions

    async def pause() -> None:
        while (found := await executions.read(id)) is None or found.turn < after_turns:
            await asyncio.sleep(0.01)
        assert await executions.pause(id, "an operator looks at it")

    return pause


@pytest.mark.parametrize(("workflow", "after_turns"), [("beside", 2), ("alone", 1)])
def test_the_answer_of_an_inline_task_whose_execution_was_paused_meanwhile_is_kept(
    cloud: Cloud, workflow: str, after_turns: int
) -> None:
    MEANWHILE["h"] = pausing(cloud, "h", after_turns)
    start(cloud, workflow, "h")
    cloud.deliver_stream(OrchestratorFunction)
    assert record(cloud, "h").paused == "an operator looks at it"
    cloud.replace(OrchestratorFunction)
    host = cloud.host()
    asyncio.run(management_of(host, gateway_of(host)).pause("h", None))
    cloud.run(lambda: record(cloud, "h").outcome is not None)
    assert "held" in str(record(cloud, "h").outcome)
    assert DONE.count("hold") == 1
