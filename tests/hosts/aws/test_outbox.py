"""Events of commands on AWS: what was acknowledged reaches the bus, whoever gives up on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest

from service_kit.hosts.aws.relay import RelayFunction
from service_kit.hosts.aws.sweeper import SweeperFunction
from service_kit.messaging.bus import EventBus
from service_kit.runtime.records import PublishedEvent
from tests.hosts.aws import pipeline
from tests.hosts.aws.cloud import Cloud, deployed
from tests.hosts.aws.test_operations import Ahead


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture
def cloud(clock: Ahead) -> Iterator[Cloud]:
    pipeline.DONE.clear()
    pipeline.FAILING.clear()
    with deployed(pipeline.Pipelines, clock=clock) as made:
        yield made


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the events that are put on the bus."""
    events, put = list[str](), EventBus.put

    async def noted(self: EventBus, given: Sequence[PublishedEvent]) -> None:
        events.extend(event.payload for event in given)
        await put(self, given)

    monkeypatch.setattr(EventBus, "put", noted)
    return events


def announce(cloud: Cloud, order: str) -> None:
    event: dict[str, Any] = {
        "version": "2.0",
        "rawPath": "/rpc/announce",
        "requestContext": {"http": {"method": "POST"}},
        "body": f'{{"order": "{order}"}}',
    }
    with closing(cloud.api()) as api:
        assert api(event, None)["statusCode"] in (200, 204)


def test_an_event_that_the_stream_has_given_up_is_brought_to_the_bus_by_the_sweeper(
    cloud: Cloud, clock: Ahead, put: list[str]
) -> None:
    announce(cloud, "o-1")
    assert cloud.stream.pending("RelayFunction")
    cloud.stream.advance("RelayFunction", None)  # as if it had been tried fifty times
    cloud.call(SweeperFunction, {})
    assert put == []  # it may still be on its way
    clock.by_s = 86_400 * 3
    cloud.call(SweeperFunction, {})
    cloud.call(SweeperFunction, {})
    assert put == ['{"order":"o-1"}']
    cloud.run(lambda: "tell o-1" in pipeline.DONE)


def test_an_event_that_was_relayed_is_not_put_again(cloud: Cloud, clock: Ahead, put: list[str]) -> None:
    announce(cloud, "o-1")
    cloud.deliver_stream(RelayFunction)
    clock.by_s = 3_600
    cloud.call(SweeperFunction, {})
    assert put == ['{"order":"o-1"}']
    announce(cloud, "o-2")
    clock.by_s *= 2
    cloud.call(SweeperFunction, {})
    cloud.deliver_stream(RelayFunction)
    cloud.run(lambda: {"tell o-1", "tell o-2"} <= set(pipeline.DONE))
    assert pipeline.DONE.count("tell o-2") == 1
