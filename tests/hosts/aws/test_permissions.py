"""What each function may do is what its code calls: all of it, and nothing else.

Neither emulator asks policies before it answers. So the functions are called until each has done whatever it can do,
their requests are noted by botocore as they are made, and what that takes is compared with the generated template.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import replace
from typing import Any

import pytest

from client_kit import connect, manage
from service_kit.deploy import Allow, Deployment, DeploymentOptions
from service_kit.deploy.values import GetAtt
from service_kit.hosts.aws.orchestrator import OrchestratorFunction
from service_kit.hosts.aws.relay import RelayFunction
from service_kit.hosts.aws.sweeper import KEEP_ENDED_DAYS, SweeperFunction
from service_kit.hosts.aws.timers import TimersFunction
from service_kit.messaging.timers import Wake
from service_kit.runtime.records import Claim, PublishedEvent
from tests.deploy.conftest import document, of_type
from tests.hosts.aws import tour
from tests.hosts.aws.calling import URL, LambdaTransport
from tests.hosts.aws.cloud import Cloud, deployed
from tests.hosts.aws.needs import Need, Needs, queue_kind
from tests.hosts.aws.test_operations import Ahead
from tests.hosts.aws.tour import LARGE, Tour

PLATFORM: Mapping[str, str] = {
    "logs:CreateLogStream": "Lambda writes the function's log in its name",
    "logs:PutLogEvents": "Lambda writes the function's log in its name",
    "xray:PutTelemetryRecords": "Lambda sends the function's traces in its name",
    "xray:PutTraceSegments": "Lambda sends the function's traces in its name",
    "dynamodb:DescribeStream": "Lambda reads the stream in the function's name",
    "dynamodb:GetRecords": "Lambda reads the stream in the function's name",
    "dynamodb:GetShardIterator": "Lambda reads the stream in the function's name",
    "dynamodb:ListStreams": "Lambda reads the stream in the function's name",
    "sqs:ReceiveMessage": "Lambda receives the function's messages in its name",
    "sqs:DeleteMessage": "Lambda deletes the function's messages in its name",
    "sqs:GetQueueAttributes": "Lambda looks at the queue in the function's name",
    "sqs:SendMessage to StreamFailures": "Lambda sends there, in the function's name, what it gives up",
}
"""What is allowed and not called by code, with the reason."""
DAY_S = 86_400.0
WITHOUT_RESOURCES = {"xray:PutTelemetryRecords", "xray:PutTraceSegments", "dynamodb:ListStreams"}
"""Actions that know no resources, by the Service Authorization Reference."""


def test_no_wildcard_action_and_no_wildcard_resource_but_for_actions_that_know_none() -> None:
    for options in (DeploymentOptions(), DeploymentOptions(functions="each", api="rest")):
        for role, statement in _statements(Deployment(Tour, options)):
            for action in statement["Action"]:
                assert "*" not in action, role
                wild = "*" in statement["Resource"]
                assert not wild or action in WITHOUT_RESOURCES, (role, action)


@pytest.fixture(scope="module")
def needs() -> Mapping[str, set[Need]]:
    """Return what each function calls."""
    tour.DONE.clear()
    noted, clock = Needs(), Ahead()
    # The same hour in every run: in the last one before a schedule is due, its scheduler needs no other look.
    clock.by_s = _until_s(12)
    with deployed(Tour, clock=clock) as cloud, pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEEP_ENDED_DAYS, "1")
        scheduler = cloud.client("scheduler")
        scheduler.create_schedule_group(Name=cloud.settings.bus)
        group, role = cloud.settings.bus, "arn:aws:iam::000000000000:role/r"
        cloud.settings = replace(cloud.settings, schedule_group=group, schedule_role=role)
        cloud.clients_of = noted.clients_of
        with closing(_Tourist(cloud, clock)) as tourist:
            tourist.walk()
    return noted.by_caller


class _Tourist:
    """Lets everything happen once."""

    def __init__(self, cloud: Cloud, clock: Ahead) -> None:
        self._cloud = cloud
        self._clock = clock
        self._handlers = {caller: cloud.api(caller) for caller in ("preparation", "Act", "Api")}

    def _client(self, caller: str) -> AbstractAsyncContextManager[Tour]:
        return connect(Tour, URL, transport=LambdaTransport(self._handlers[caller]))

    def close(self) -> None:
        for handler in self._handlers.values():
            handler.close()

    def walk(self) -> None:
        asyncio.run(self._prepare())
        asyncio.run(self._command())
        for mover in ("stream", "timer"):
            tour.FAILING.update({f"note {mover}", f"task of {mover}", f"workflow {mover}"})
            asyncio.run(self._begin(mover))
            while not {f"note {mover}", f"task of {mover}"} <= set(tour.DONE):
                self._step(mover)
                self._cloud.replace(OrchestratorFunction)  # it reads what a warm one knows
            self._until_quiet(mover)
        while "subscription" not in tour.DONE:
            self._step("stream")
        asyncio.run(self._manage())
        self._clock.by_s += 3_700
        self._cloud.call(SweeperFunction, {})
        for mover in ("stream", "timer"):
            self._until_quiet(mover)
        self._clock.by_s += 16 * DAY_S
        self._cloud.call(SweeperFunction, {})

    async def _prepare(self) -> None:
        host = self._cloud.host()
        async with self._client("preparation") as client:
            for by in ("command", "subscription", "api", *_bys("stream"), *_bys("timer")):
                run = await client.waiting.options(id=f"paused-{by}").start(by)
                await manage(client).pause(run.id)
        # A handler whose function has died of it.
        event = PublishedEvent(
            "lost", "Seen", "tour", self._clock.now_s(), json.dumps({"by": "", "text": LARGE})
        )
        await host.store.deliveries.begin(
            event, "see", Claim("died", self._clock.now_s()), self._clock.now_s()
        )

    async def _command(self) -> None:
        async with self._client("Act") as client:
            await client.act.options(idempotency_key="once")("command")

    async def _begin(self, mover: str) -> None:
        async with self._client("Api") as client:
            await client.everything.options(id=mover).start(mover)

    async def _manage(self) -> None:
        async with self._client("Api") as client:
            operator = manage(client)
            await operator.list_executions()
            letters = await operator.dead_letters()
            assert await operator.dead_letter("see", letters[0].event_id) == letters[0]
            assert (await operator.discard("see", letters[0].event_id)).count == 1
            assert await operator.redrive("see") == len(letters) - 1 > 0
            await operator.pause("stream")
            await operator.resume("stream")
            await client.act("api")

    def _step(self, mover: str) -> None:
        """Let what is there be handled; turns are taken by the function behind the stream, or by that of timers."""
        cloud = self._cloud
        if mover == "stream":
            cloud.deliver_stream(OrchestratorFunction)
        else:
            ids = {
                r["dynamodb"]["Keys"]["pk"]["S"] for r in cloud.stream.pending(OrchestratorFunction.__name__)
            }
            for number, pk in enumerate(sorted(each for each in ids if each.startswith("x#"))):
                cloud.call(TimersFunction, _wake(pk.removeprefix("x#"), str(number)))
            cloud.stream.advance(OrchestratorFunction.__name__, None)
        cloud.deliver_stream(RelayFunction)
        cloud.deliver_queues()

    def _until_quiet(self, mover: str) -> None:
        calls = -1
        while calls != len(self._cloud.invocations):
            calls = len(self._cloud.invocations)
            self._step(mover)


ALL_BUT_COMMANDS = ["Api", "Orchestrator", "Relay", "Tasks", "Subscriptions", "Timers", "Sweeper"]


@pytest.mark.parametrize("function", ALL_BUT_COMMANDS)
def test_a_function_may_do_what_its_code_calls_and_nothing_else(
    needs: Mapping[str, set[Need]], function: str
) -> None:
    _compare(_granted(Deployment(Tour), function), needs[function])


def test_one_permission_too_many_or_too_few_is_found(needs: Mapping[str, set[Need]]) -> None:
    scan = Allow(["dynamodb:Scan"], [GetAtt("Table")])
    granted = _granted(Deployment(Tour, DeploymentOptions(permissions=[scan])), "Tasks")
    with pytest.raises(AssertionError, match="nothing calls what a function may do"):
        _compare(granted, needs["Tasks"])
    with pytest.raises(AssertionError, match="code calls what its function may not do"):
        _compare(granted - {("dynamodb:UpdateItem", "Table")}, needs["Tasks"])


def test_a_function_of_one_command_may_not_do_what_the_management_api_does(
    needs: Mapping[str, set[Need]],
) -> None:
    each = Deployment(Tour, DeploymentOptions(functions="each"))
    _compare(_granted(each, "Act"), needs["Act"])
    _compare(_granted(each, "Documents"), needs["Api"])


def test_each_tasks_function_may_send_to_its_own_queue_alone() -> None:
    each = Deployment(Tour, DeploymentOptions(functions="each"))
    sent = {
        role: statement["Resource"]
        for role, statement in _statements(each)
        if "sqs:SendMessage" in statement["Action"] and role.startswith("WorkTask")
    }
    assert sent == {"WorkTaskRole": [{"Fn::GetAtt": ["WorkTaskQueue", "Arn"]}]}


def _compare(granted: set[Need], called: set[Need]) -> None:
    assert called - granted == set(), "code calls what its function may not do"
    others = {
        need for need in granted - called if need[0] not in PLATFORM and " to ".join(need) not in PLATFORM
    }
    assert others == set(), "nothing calls what a function may do"


def _until_s(hour: float) -> float:
    """Return the seconds until that hour (UTC) of the next day."""
    return DAY_S + hour * 3_600 - time.time() % DAY_S


def _bys(mover: str) -> Sequence[str]:
    return f"note {mover}", f"task of {mover}"


def _wake(execution: str, id: str) -> Mapping[str, Any]:
    record = {"messageId": id, "body": Wake(execution, 0.0, again=True).encode()}
    about = {"eventSourceARN": "arn:aws:sqs:r:a:timers", "attributes": {"ApproximateReceiveCount": "1"}}
    return {"Records": [{**record, **about}]}


def _statements(deployment: Deployment) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the statements of all roles that functions have."""
    for name, role in of_type(document(deployment), "AWS::IAM::Role").items():
        for policy in role["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement


def _granted(deployment: Deployment, function: str) -> set[Need]:
    """Return what a function may do."""
    found: set[Need] = set()
    queues = {
        name: queue_kind(queue["QueueName"]["Fn::Sub"]) if "QueueName" in queue else name
        for name, queue in of_type(document(deployment), "AWS::SQS::Queue").items()
    } | {"TimersQueue": "timers"}
    for role, statement in _statements(deployment):
        if role == f"{function}Role":
            for resource in statement["Resource"]:
                place = _place(resource, queues)
                found.update((action, place) for action in statement["Action"])
    return found


def _place(resource: Any, queues: Mapping[str, str]) -> str:
    """Return what a statement is about as `Needs` names it."""
    match resource:
        case {"Fn::GetAtt": [name, "Arn"]}:
            return queues.get(name, name)
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": text} if ":schedule/" in text:
            return "Schedules/*"
        case {"Fn::Sub": text}:
            return str(text).replace(".Arn", "").translate({ord(mark): None for mark in "${}"})
        case _:
            return str(resource)
