"""Workflows on AWS: real functions between the streams and queues of an emulator."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from client_kit.executions import StartOptions
from service_kit.hosts.aws.gateway import gateway_of
from service_kit.hosts.aws.host import AwsHost
from service_kit.runtime.records import ExecutionRecord
from tests.hosts.aws import pipeline
from tests.hosts.aws.cloud import Cloud, deployed
from tests.stores.emulators import EMULATORS


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    pipeline.DONE.clear()
    pipeline.FAILING.clear()


@pytest.fixture(params=EMULATORS)
def cloud(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    with deployed(pipeline.Pipelines, request.param) as made:
        yield made


@pytest.fixture
def moto() -> Iterator[Cloud]:
    with deployed(pipeline.Pipelines) as made:
        yield made


class Caller:
    """A program that starts workflows."""

    def __init__(self, cloud: Cloud) -> None:
        self._host: AwsHost = cloud.host()
        self._gateway = gateway_of(self._host)

    def start(self, workflow: str, id: str, *arguments: Any) -> None:
        names = {"pipeline": ["order"], "sequential": ["order", "steps"], "inline": ["order", "steps"]}[
            workflow
        ]
        payload = json.dumps(dict(zip(names, arguments, strict=True)))
        asyncio.run(self._gateway.start(workflow, payload, StartOptions(id=id)))

    def signal(self, id: str, name: str, payload: str) -> None:
        asyncio.run(self._gateway.signal(id, name, json.dumps(payload), f"{name} {payload}"))

    def record(self, id: str) -> ExecutionRecord:
        found = asyncio.run(self._host.store.executions.read(id))
        assert found is not None
        return found

    def has_ended(self, id: str) -> bool:
        return self.record(id).outcome is not None


def _posted(path: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": path,
        "requestContext": {"http": {"method": "POST"}},
        "body": "{}",
    }


def test_an_order_goes_through_children_timers_signals_retries_and_events(cloud: Cloud) -> None:
    pipeline.FAILING.update({"o-1": 2, "tell o-1": 1})
    api, caller = cloud.api(), Caller(cloud)
    assert api(_posted("/orders/o-1"), None)["statusCode"] == 200
    cloud.run(lambda: "charge o-1" in pipeline.DONE)
    caller.signal("o-1", "approved", "yes")
    cloud.run(lambda: caller.has_ended("o-1") and "tell o-1" in pipeline.DONE)
    record = caller.record("o-1")
    assert record.status == "succeeded", record.outcome
    assert "paid o-1, yes, shipped o-1" in str(record.outcome)
    assert Counter(pipeline.DONE) == {"charge o-1": 1, "ship o-1": 1, "tell o-1": 1}
    api.close()
