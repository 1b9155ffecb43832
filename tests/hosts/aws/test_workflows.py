"""Workflows on AWS: real functions between the streams and queues of an emulator.

One file, though long: all tests are of one deployment, in which everything works or something fails.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from client_kit.executions import StartOptions
from service_kit.engine.arrivals import ExecutionStarted
from service_kit.errors import ExecutionNotFound
from service_kit.hosts.aws.dispatch import Dispatch, task_of_message
from service_kit.hosts.aws.gateway import gateway_of
from service_kit.hosts.aws.host import AwsHost
from service_kit.hosts.aws.management import management_of
from service_kit.hosts.aws.orchestrator import OrchestratorFunction
from service_kit.hosts.aws.sweeper import SweeperFunction
from service_kit.hosts.aws.timers import TimersFunction
from service_kit.messaging.timers import Wake
from service_kit.runtime.records import Claim, ExecutionRecord, NewExecution
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


PARAMETERS = {
    "pipeline": ["order"],
    "sequential": ["order", "steps"],
    "inline": ["order", "steps"],
    "large": ["size"],
}


class Caller:
    """A program that starts workflows."""

    def __init__(self, cloud: Cloud) -> None:
        self._host: AwsHost = cloud.host()
        self._gateway = gateway_of(self._host)

    def start(self, workflow: str, id: str, *arguments: Any) -> None:
        payload = json.dumps(dict(zip(PARAMETERS[workflow], arguments, strict=True)))
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


def test_an_event_of_a_command_goes_by_the_outbox_and_the_bus(cloud: Cloud) -> None:
    api = cloud.api()
    event = {**_posted("/rpc/announce"), "body": '{"order": "o-2"}'}
    assert api(event, None)["statusCode"] in (200, 204)
    assert pipeline.DONE == []
    cloud.run(lambda: "tell o-2" in pipeline.DONE)
    api.close()


def test_an_inline_task_that_fails_is_tried_again_by_its_queue(cloud: Cloud) -> None:
    pipeline.FAILING["note i"] = 2
    caller = Caller(cloud)
    caller.start("inline", "i", "i", 2)
    cloud.run(lambda: caller.has_ended("i"))
    assert caller.record("i").status == "succeeded"
    assert sorted(pipeline.DONE) == ["note i 0", "note i 1"]


@pytest.mark.parametrize(("way", "status"), [("cancel", "cancelled"), ("terminate", "terminated")])
def test_what_has_not_begun_ends_at_once_when_it_is_told_to(moto: Cloud, way: str, status: str) -> None:
    gateway, caller = gateway_of(moto.host()), Caller(moto)
    delayed = StartOptions(id="late", start_delay_s=3600)
    asyncio.run(gateway.start("sequential", '{"order":"late","steps":1}', delayed))
    moto.step()
    asyncio.run(getattr(gateway, way)("late", "enough"))
    moto.run(lambda: caller.has_ended("late"))
    assert caller.record("late").status == status
    assert pipeline.DONE == []


def test_an_execution_of_another_workflow_is_not_found_and_nothing_reaches_it(moto: Cloud) -> None:
    gateway, caller = gateway_of(moto.host()), Caller(moto)
    caller.start("sequential", "s", "s", 1)
    for asked in (
        lambda: gateway.outcome("s", 0, "pipeline"),
        lambda: gateway.describe("s", "pipeline"),
        lambda: gateway.history("s", "pipeline"),
        lambda: gateway.state("s", "progress", "pipeline"),
        lambda: gateway.signal("s", "approved", '"yes"', "one", "pipeline"),
        lambda: gateway.cancel("s", "", "pipeline"),
        lambda: gateway.terminate("s", "", "pipeline"),
    ):
        with pytest.raises(ExecutionNotFound, match="'s' is one of workflow 'sequential'"):
            asyncio.run(asked())
    moto.run(lambda: caller.has_ended("s"))
    assert caller.record("s").status == "succeeded"


def test_a_stream_that_comes_again_does_nothing_twice(moto: Cloud) -> None:
    caller = Caller(moto)
    caller.start("pipeline", "o-1", "o-1")
    caller.signal("o-1", "approved", "yes")
    for _ in range(40):
        moto.step()
        moto.stream.rewind("OrchestratorFunction")
        moto.replace(OrchestratorFunction)
    moto.stream.advance("OrchestratorFunction", None)
    moto.run(lambda: caller.has_ended("o-1") and "tell o-1" in pipeline.DONE)
    assert caller.record("o-1").status == "succeeded"
    assert Counter(pipeline.DONE) == {"charge o-1": 1, "ship o-1": 1, "tell o-1": 1}


def test_an_invocation_that_dies_between_a_turn_and_its_dispatch_loses_nothing(
    moto: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, dispatch, died, dice = Caller(moto), Dispatch.effects, list[int](), random.Random(3)

    async def dying(self: Dispatch, effects: Any) -> None:
        if effects and dice.random() < 0.5:
            died.append(len(effects))
            raise SystemExit("the sandbox is gone")
        await dispatch(self, effects)

    monkeypatch.setattr(Dispatch, "effects", dying)
    caller.start("pipeline", "o-1", "o-1")
    caller.signal("o-1", "approved", "yes")
    for _ in range(400):
        if caller.has_ended("o-1") and "tell o-1" in pipeline.DONE:
            break
        try:
            moto.step()
        except SystemExit:
            moto.functions.clear()  # every function starts anew, as cold as can be
    assert len(died) >= 3
    assert Counter(pipeline.DONE) == {"charge o-1": 1, "ship o-1": 1, "tell o-1": 1}


def test_a_warm_function_dispatches_what_another_one_has_died_of(
    moto: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Caller(moto)
    caller.start("sequential", "s", "s", 2)
    while not pipeline.DONE:
        moto.step()
    warm = moto.functions.pop(OrchestratorFunction)

    async def die(*_: Any) -> None:
        raise SystemExit("the sandbox is gone")

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Dispatch, "effects", die)
        moto.deliver_stream(OrchestratorFunction)
    moto.functions[OrchestratorFunction] = warm
    moto.run(lambda: caller.has_ended("s"))
    assert pipeline.DONE == ["charge s", "charge s"]


def test_a_function_that_has_but_seen_the_turn_of_another_one_dispatches_it_when_it_is_in_doubt(
    moto: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, effects, dispatched = Caller(moto), Dispatch.effects, list[Any]()
    caller.start("sequential", "s", "s", 2)
    while not pipeline.DONE:
        moto.step()

    async def die(*_: Any) -> None:
        raise SystemExit("the sandbox is gone")

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(Dispatch, "effects", die)
        moto.deliver_stream(OrchestratorFunction)
    moto.functions.pop(OrchestratorFunction)

    async def note(self: Dispatch, given: Sequence[Any]) -> None:
        dispatched.extend(given)
        await effects(self, given)

    monkeypatch.setattr(Dispatch, "effects", note)
    message = {
        "messageId": "1",
        "body": Wake("s", time.time() - 1).encode(),
        "eventSourceARN": "arn:aws:sqs:r:a:timers",
    }
    for times in ("1", "2"):
        assert dispatched == []
        moto.call(
            TimersFunction, {"Records": [{**message, "attributes": {"ApproximateReceiveCount": times}}]}
        )
    assert dispatched[-1].name == "charge"


def test_a_worker_that_dies_has_lost_an_attempt_and_another_one_follows(moto: Cloud) -> None:
    caller = Caller(moto)
    caller.start("sequential", "s", "s", 1)
    moto.deliver_stream(OrchestratorFunction)
    (queue,) = [url for url in moto.queues if url.endswith("charge")]
    sqs = moto.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"]
    host = moto.host()

    async def claim_and_die() -> None:
        task = await task_of_message(host, message["Body"])
        now_s = host.clock.now_s()
        assert await host.store.tasks.begin(task, Claim("the dead", now_s + 1.5), now_s) is not None

    asyncio.run(claim_and_die())
    moto.run(lambda: caller.has_ended("s"))
    assert caller.record("s").status == "succeeded"
    assert pipeline.DONE == ["charge s"]


def test_an_execution_that_cannot_go_on_is_parked_and_the_others_go_on(moto: Cloud) -> None:
    caller, host = Caller(moto), moto.host()
    gone = NewExecution(ExecutionStarted("gone", "removed", "{}", "seed"), "digest", 1.0, 1.0)
    asyncio.run(host.store.executions.create(gone))
    caller.start("sequential", "s", "s", 1)
    moto.run(lambda: caller.has_ended("s"))
    assert "removed" in str(caller.record("gone").paused)
    assert caller.record("s").status == "succeeded"


def test_what_cannot_be_dispatched_is_parked_and_goes_on_when_it_is_resumed(
    moto: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, dispatch, broken = Caller(moto), Dispatch.effects, [True]

    async def refusing(self: Dispatch, effects: Any) -> None:
        if broken[0] and effects:
            raise ConnectionError("no such queue")
        await dispatch(self, effects)

    monkeypatch.setattr(Dispatch, "effects", refusing)
    caller.start("sequential", "s", "s", 1)
    moto.run(lambda: caller.record("s").paused is not None)
    assert "no such queue" in str(caller.record("s").paused)
    broken[0] = False
    host = moto.host()
    asyncio.run(management_of(host, gateway_of(host)).pause("s", None))
    moto.run(lambda: caller.has_ended("s"))
    assert pipeline.DONE == ["charge s"]


def test_a_signal_whose_wake_up_was_lost_is_found_by_the_sweeper(
    moto: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service_kit.hosts.aws.sweeper.LATE_S", 0.0)
    caller, id = Caller(moto), "schedules"  # as the sweeper calls something else that it does
    caller.start("pipeline", id, id)
    moto.run(lambda: f"charge {id}" in pipeline.DONE)
    for _ in range(30):
        moto.step()
    caller.signal(id, "approved", "yes")
    assert moto.stream.pending("OrchestratorFunction")
    moto.stream.advance("OrchestratorFunction", None)
    moto.call(SweeperFunction, {})
    moto.run(lambda: caller.has_ended(id))
    assert caller.record(id).status == "succeeded"
    assert vars(moto.function(SweeperFunction))["_has_schedules"]


def test_an_answer_whose_wake_up_was_lost_is_found_by_the_hourly_look(
    moto: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Caller(moto)
    caller.start("sequential", "s", "s", 1)
    while not pipeline.DONE:
        moto.step()
    assert moto.stream.pending("OrchestratorFunction")
    moto.stream.advance("OrchestratorFunction", None)
    moto.call(SweeperFunction, {})
    assert not caller.has_ended("s")
    monkeypatch.setattr("service_kit.hosts.aws.sweeper.LATE_S", -3_601.0)
    moto.call(SweeperFunction, {})
    moto.run(lambda: caller.has_ended("s"))


def test_a_value_that_no_item_can_hold_fails_its_task(moto: Cloud) -> None:
    moto.settings = replace(moto.settings, bucket=None)
    caller = Caller(moto)
    caller.start("large", "l", 600_000)
    moto.run(lambda: caller.has_ended("l"))
    assert caller.record("l").status == "failed"
    assert "make it smaller" in str(caller.record("l").outcome)


def test_a_large_value_goes_through_the_bucket(moto: Cloud) -> None:
    caller = Caller(moto)
    caller.start("large", "l", 600_000)
    moto.run(lambda: caller.has_ended("l"))
    assert caller.record("l").status == "succeeded", caller.record("l").outcome


def test_a_dead_letter_is_handled_when_it_is_redriven(moto: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_kit.hosts.aws.sweeper.LATE_S", 0.0)
    pipeline.FAILING["tell o-3"] = 3
    api, host = moto.api(), moto.host()
    api({**_posted("/rpc/announce"), "body": '{"order": "o-3"}'}, None)
    moto.run(lambda: bool(asyncio.run(host.store.letters.list("tell", 10, None)).letters))
    (letter,) = asyncio.run(host.store.letters.list("tell", 10, None)).letters
    assert letter.attempts == 3
    assert "nobody listens" in letter.failure
    assert asyncio.run(management_of(host, gateway_of(host)).letters.redrive("tell", None)) == 1
    moto.call(SweeperFunction, {})
    moto.run(lambda: "tell o-3" in pipeline.DONE)
    api.close()
