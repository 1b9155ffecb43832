"""Heartbeats of tasks on AWS: each is in the table a second later, once, whatever becomes of a write."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from client_kit.executions import StartOptions
from service_kit import Retry, Service, heartbeat, task, workflow
from service_kit.hosts.aws.gateway import gateway_of
from service_kit.hosts.aws.orchestrator import OrchestratorFunction
from service_kit.hosts.aws.tasks import QueuedTasks
from service_kit.runtime.clock import SystemClock
from service_kit.runtime.records import Heartbeat
from tests.hosts.aws.cloud import deployed


class Quick(SystemClock):
    """A clock by which a second is nothing; it counts them."""

    slept = 0

    async def sleep(self, seconds: float) -> None:
        self.slept += 1
        await asyncio.sleep(0)


CLOCK = Quick()
SAID: list[str | None] = []


async def until_said(count: int) -> None:
    async with asyncio.timeout(10):
        while len(SAID) < count:
            await asyncio.sleep(0.001)
        seconds = CLOCK.slept
        while CLOCK.slept < seconds + 50:
            await asyncio.sleep(0.001)


@task(retry=Retry(max_attempts=1))
async def climb() -> str:
    heartbeat("half")
    await until_said(2)
    heartbeat()
    await until_said(3)
    return "on top"


@workflow
async def tour() -> str:
    return await climb()


class Tours(Service):
    """Tours that take a while."""

    tour = tour


def test_each_heartbeat_is_stored_once_though_its_first_write_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = QueuedTasks.heartbeat

    async def failing(self: QueuedTasks, beats: Sequence[Heartbeat]) -> Sequence[bool | None]:
        SAID.extend(beat.details for beat in beats)
        if len(SAID) == 1:
            raise ConnectionError("the table does not answer")
        return await store(self, beats)

    monkeypatch.setattr(QueuedTasks, "heartbeat", failing)
    with deployed(Tours, clock=CLOCK) as cloud:
        gateway = gateway_of(cloud.host())
        asyncio.run(gateway.start("tour", "{}", StartOptions(id="t")))
        cloud.deliver_stream(OrchestratorFunction)
        executions = cloud.host().store.executions
        cloud.run(lambda: getattr(asyncio.run(executions.read("t")), "outcome", None) is not None)
        assert "on top" in str(asyncio.run(executions.read("t")))
    assert SAID == ['"half"', '"half"', '"half"']
    assert "is not stored; it is tried again" in caplog.text
