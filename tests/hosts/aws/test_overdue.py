"""Tasks whose time is over in their queue."""

from __future__ import annotations

import asyncio
import json

import pytest

from client_kit.executions import StartOptions
from service_kit import Service, task, workflow
from service_kit.hosts.aws.gateway import gateway_of
from service_kit.hosts.aws.orchestrator import OrchestratorFunction
from service_kit.hosts.aws.timers import TimersFunction
from service_kit.messaging.timers import AwsTimers, Wake
from service_kit.runtime.clock import SystemClock
from tests.hosts.aws.cloud import deployed

begun: list[str] = []


@task(schedule_to_close_s=600)
async def paint(wall: str) -> None:
    begun.append(wall)


@workflow
async def renovate(wall: str) -> None:
    await paint(wall)


class Painters(Service):
    renovate = renovate


class Ahead(SystemClock):
    ahead_s = 0.0

    def now_s(self) -> float:
        return super().now_s() + self.ahead_s


def test_a_task_that_nobody_takes_from_its_queue_ends_in_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    wakes: list[Wake] = []

    async def note_wake(_: AwsTimers, wake: Wake, __: float) -> None:
        wakes.append(wake)

    monkeypatch.setattr(AwsTimers, "set", note_wake)
    clock = Ahead()
    with deployed(Painters, clock=clock) as cloud:
        host = cloud.host()
        asyncio.run(gateway_of(host).start("renovate", json.dumps({"wall": "w"}), StartOptions(id="r")))
        cloud.deliver_stream(OrchestratorFunction)
        (wake,) = wakes
        assert 600 <= wake.at_s - clock.now_s() <= 603
        cloud.replace(OrchestratorFunction)
        clock.ahead_s = 605
        body = {"messageId": "1", "body": wake.encode(), "eventSourceARN": "arn:aws:sqs:r:a:timers"}
        assert cloud.call(TimersFunction, {"Records": [body]}) == set()
        cloud.deliver_stream(OrchestratorFunction)
        record = asyncio.run(host.store.executions.read("r"))
        assert record is not None
        assert "did not end within 600 s of its call" in str(record.outcome)
        for _ in range(3):
            cloud.step()
    assert begun == []  # the message was still in the queue
