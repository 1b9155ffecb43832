"""A durable service on an emulator of AWS, by its template: table, streams, queues, bus, timers and all functions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from client_kit import connect
from tests.aws.emulator import Emulator
from tests.aws.parcels import Parcels

pytestmark = pytest.mark.usefixtures("localhost_names")

PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def url(aws: Emulator) -> Iterator[str]:
    with aws.deployed("tests.aws.deployments:parcels", "parcels") as outputs:
        yield aws.http_url(outputs["ApiId"])


def test_workflows_tasks_timers_events_and_signals_work_together(url: str) -> None:
    async def run() -> str:
        async with connect(Parcels, url) as parcels, asyncio.timeout(PATIENCE_S):
            execution = await parcels.send.options(id="p-1").start("p-1")
            while await execution.state(Parcels.stage) != "sent":
                await asyncio.sleep(0.1)
            await parcels.announce("p-1")
            return await execution.result()

    assert asyncio.run(run()) == "p-1 packed, 3 kg; heard Sent, Announced"
