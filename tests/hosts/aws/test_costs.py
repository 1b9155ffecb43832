"""What workflows cost on AWS, request by request: `docs/design/costs.md` turns these counts into dollars."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.aws_lambda import requests as expected
from benchmarks.aws_lambda.costs import PAGE, with_tables
from benchmarks.aws_lambda.requests import LARGE_KB, WIDTH, Requests, sequential
from client_kit.executions import StartOptions
from service_kit.hosts.aws.gateway import gateway_of
from service_kit.hosts.aws.orchestrator import OrchestratorFunction
from service_kit.hosts.aws.sweeper import SweeperFunction
from service_kit.hosts.aws.tasks import TasksFunction
from service_kit.hosts.aws.timers import TimersFunction
from tests.hosts.aws.cloud import Cloud, deployed
from tests.hosts.aws.meter import Meter, metered
from tests.hosts.aws.metered import Metered


class Account:
    """A deployment whose functions are warm, and a program that starts its workflows."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.host = cloud.host()
        self._gateway = gateway_of(self.host)
        self._started = 0

    def start(self, workflow: str, **arguments: Any) -> str:
        self._started += 1
        id = f"{workflow} {self._started}"
        asyncio.run(self._gateway.start(workflow, json.dumps(arguments), StartOptions(id=id)))
        return id

    def signal(self, id: str) -> None:
        asyncio.run(self._gateway.signal(id, "go_on", json.dumps("please"), f"signal of {id}"))

    def has_ended(self, id: str) -> bool:
        record = asyncio.run(self.host.store.executions.read(id))
        return record is not None and record.status == "succeeded"

    def settle(self) -> None:
        """Deliver one by one, until nothing comes any more."""
        calls = -1
        while len(self.cloud.invocations) != calls:
            calls = len(self.cloud.invocations)
            self.cloud.step()

    def cost(self, work: Callable[[], None]) -> Requests:
        """Return what some work asks for."""
        self.cloud.invocations.clear()
        with metered(self.cloud) as meter:
            work()
        return _counts(meter, len(self.cloud.invocations))

    def cost_of(self, workflow: str, **arguments: Any) -> Requests:
        """Return what one execution asks for, from its start to its end."""
        started: list[str] = []

        def run() -> None:
            started.append(self.start(workflow, **arguments))
            self.settle()

        cost = self.cost(run)
        assert self.has_ended(started[0])
        return cost


def _counts(meter: Meter, invocations: int) -> Requests:
    def total(prefix: str) -> int:
        return sum(count for name, count in meter.requests.items() if name.startswith(prefix))

    reads = sum(meter.requests[f"dynamodb.{name}"] for name in ("GetItem", "BatchGetItem", "Query"))
    return Requests(
        meter.writes,
        meter.write_units,
        reads,
        meter.read_units,
        invocations,
        total("sqs."),
        total("events."),
        meter.requests["scheduler.CreateSchedule"],
        meter.requests["s3.PutObject"] + meter.requests["s3.ListObjectsV2"],
        meter.requests["s3.GetObject"],
        meter.waits,
    )


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with deployed(Metered) as cloud:
        cloud.messages_most = {TasksFunction: 1}  # as the template has it
        group = "timers"
        cloud.client("scheduler").create_schedule_group(Name=group)
        cloud.settings = replace(
            cloud.settings, schedule_group=group, schedule_role="arn:aws:iam::1:role/timers"
        )
        account = Account(cloud)
        account.start("queued", steps=1)
        account.start("timer", seconds=0.001)
        account.start("timer", seconds=3_600.0)
        account.start("emitting")
        cloud.run(lambda: TimersFunction.__name__ in cloud.invocations)
        account.settle()
        yield account


@pytest.mark.parametrize("steps", [1, 10, pytest.param(100, marks=pytest.mark.long)])
def test_a_queued_step_costs_three_writes_three_messages_and_two_invocations(
    account: Account, steps: int
) -> None:
    assert account.cost_of("queued", steps=steps) == sequential(queued=steps)


@pytest.mark.parametrize("steps", [1, 10])
def test_an_inline_step_costs_one_write_and_nothing_else(account: Account, steps: int) -> None:
    assert account.cost_of("inline", steps=steps) == sequential(inline=steps)


@pytest.mark.parametrize("before", [10, 100, 1_000])
def test_what_a_step_reads_and_writes_does_not_grow_with_history(account: Account, before: int) -> None:
    assert account.cost_of("aged", before=before, steps=3) == sequential(inline=before, queued=3)


def test_the_page_shows_what_is_counted() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, "run python -m benchmarks.aws_lambda.costs --write"


def test_the_promises_of_the_design_hold() -> None:
    queued, inline = expected.QUEUED_STEP, expected.INLINE_STEP
    assert (queued.writes, queued.write_units, queued.reads, queued.invocations) == (3, 3, 0, 2)
    assert (inline.writes, inline.write_units, inline.reads, inline.invocations) == (1, 1, 0, 0)


def test_an_execution_without_steps_costs_its_beginning_and_its_end(account: Account) -> None:
    assert account.cost_of("nothing") == expected.NOTHING


def test_a_timer_costs_a_message_and_a_turn(account: Account) -> None:
    def wait() -> None:
        account.start("timer", seconds=0.2)
        account.cloud.run(lambda: TimersFunction.__name__ in account.cloud.invocations)
        account.settle()

    assert account.cost(wait) == expected.TIMER


def test_a_timer_beyond_a_quarter_of_an_hour_costs_a_schedule_more(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service_kit.messaging.timers.DELAY_MOST_S", -3_600)
    sent: list[str] = []

    def create(params: dict[str, Any], **_: Any) -> None:
        sent.append(params["Target"]["Input"])

    events = account.cloud.client("scheduler").meta.events
    events.register("before-parameter-build.scheduler.CreateSchedule", create)

    def wait() -> None:
        account.start("timer", seconds=0.001)
        account.settle()
        # What EventBridge does at that time.
        url = account.cloud.settings.timers_url
        account.cloud.client("sqs").send_message(QueueUrl=url, MessageBody=sent.pop())
        account.settle()

    assert account.cost(wait) == expected.LATE_TIMER
    events.unregister("before-parameter-build.scheduler.CreateSchedule", create)


def test_a_child_costs_an_execution_and_a_turn_of_its_parent(account: Account) -> None:
    assert account.cost_of("parent") == expected.CHILD


def test_a_signal_costs_an_arrival_and_a_turn(account: Account) -> None:
    def send() -> None:
        id = account.start("waiting")
        account.settle()
        account.signal(id)
        account.settle()

    assert account.cost(send) == expected.SIGNAL


def test_tasks_side_by_side_cost_no_more_than_one_after_another(account: Account) -> None:
    assert account.cost_of("fan_out", width=WIDTH) == expected.FAN_OUT


def test_answers_that_come_together_share_a_turn(account: Account) -> None:
    (queue,) = [url for url in account.cloud.queues if url.endswith("-step")]

    def run() -> None:
        account.start("fan_out", width=WIDTH)
        account.cloud.deliver_stream(OrchestratorFunction)
        for _ in range(WIDTH):
            account.cloud.deliver_queue(queue, TasksFunction)
        account.settle()

    assert account.cost(run) == expected.FAN_OUT_TOGETHER


def test_a_value_that_no_item_holds_costs_an_object(account: Account) -> None:
    few = account.cost_of("large", kb=1)
    assert few.objects_written == 0
    assert account.cost_of("large", kb=LARGE_KB) == expected.LARGE


def test_an_event_of_a_workflow_costs_its_publication_and_a_delivery(account: Account) -> None:
    assert account.cost_of("emitting") == expected.EVENT


def test_an_event_of_a_command_costs_an_outbox_more(account: Account) -> None:
    api = account.cloud.api()
    event = {
        "version": "2.0",
        "rawPath": "/rpc/tell",
        "requestContext": {"http": {"method": "POST"}},
        "body": "{}",
    }

    def tell() -> None:
        assert api(event)["statusCode"] in (200, 204)
        account.settle()

    tell()
    assert account.cost(tell) == expected.COMMAND_EVENT
    api.close()


def test_a_minute_in_which_nothing_happens_and_forgetting_what_is_over_have_their_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service_kit.stores.dynamodb.retention.ENDED_FOR_S", -60)
    with deployed(Metered) as cloud:
        account = Account(cloud)
        cloud.call(SweeperFunction, {})
        assert account.cost(lambda: _sweep(cloud)) == expected.IDLE_MINUTE

        def forget() -> None:
            asyncio.run(account.host.store.retention.forget(time.time() + 30, 0.0, 10))

        def forgotten(workflow: str, steps: int) -> Requests:
            account.start(workflow, steps=steps)
            account.settle()
            return account.cost(forget)

        for workflow, step in (
            ("queued", expected.FORGOTTEN_QUEUED_STEP),
            ("inline", expected.FORGOTTEN_INLINE_STEP),
        ):
            few, more = forgotten(workflow, 2), forgotten(workflow, 5)
            assert (more.writes - few.writes, more.write_units - few.write_units) == (
                step.writes * 3,
                step.write_units * 3,
            )


def _sweep(cloud: Cloud) -> None:
    cloud.call(SweeperFunction, {})
