"""Inline tasks on AWS, whose answers are in no table until a turn uses them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator

import pytest

from client_kit.executions import StartOptions
from service_kit import Retry, Service, complete_later, task, task_token, workflow
from service_kit.hosts.aws.dispatch import Dispatch
from service_kit.hosts.aws.gateway import gateway_of
from service_kit.hosts.aws.management import AwsCompletion, management_of
from service_kit.hosts.aws.mover import LOOKED_BACK
from service_kit.hosts.aws.orchestrator import OrchestratorFunction
from service_kit.hosts.aws.timers import TimersFunction
from service_kit.messaging.timers import AwsTimers, Wake
from service_kit.runtime.clock import SystemClock
from service_kit.runtime.records import ExecutionRecord
from tests.hosts.aws.cloud import Cloud, deployed

DONE: list[str] = []
MEANWHILE: dict[str, Callable[[], Awaitable[object]]] = {}
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


@task(inline=True, retry=Retry(max_attempts=2))
async def carry(id: str) -> str:
    DONE.append("carry")
    if id in MEANWHILE:
        await MEANWHILE[id]()
    return "carried"


@workflow
async def loop(id: str) -> str:
    carried = asyncio.create_task(carry(id))
    for _ in range(LOOKED_BACK + 5):
        await note(id)
    await ring(id)
    return await carried


@workflow
async def alone(id: str) -> str:
    return await hold(id)


@task(inline=True)
async def hand_over(id: str) -> str:
    await MEANWHILE[id]()
    return "mine" if id == "mine" else complete_later()


@workflow
async def handing(id: str) -> str:
    handed = await hand_over(id)
    await note(id)
    return handed


class Works(Service):
    """Work in the functions that take turns."""

    handing = handing

    beside = beside
    loop = loop
    alone = alone


class Ahead(SystemClock):
    """A clock that can be put forward."""

    ahead_s = 0.0

    def now_s(self) -> float:
        return super().now_s() + self.ahead_s


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture
def cloud(clock: Ahead) -> Iterator[Cloud]:
    DONE.clear()
    MEANWHILE.clear()
    with deployed(Works, clock=clock) as made:
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


def test_a_turn_whose_invocation_died_is_dispatched_again_however_many_turns_it_took(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit), monkeypatch.context() as patched:
        patched.setattr(Dispatch, "tasks", _die)
        start(cloud, "loop", "l")
        cloud.deliver_stream(OrchestratorFunction)
    cloud.functions.clear()
    assert (DONE.count("note"), DONE.count("ring")) == (LOOKED_BACK + 5, 0)
    cloud.run(lambda: record(cloud, "l").outcome is not None)
    assert "carried" in str(record(cloud, "l").outcome)
    assert (DONE.count("note"), DONE.count("ring"), DONE.count("carry")) == (LOOKED_BACK + 5, 1, 1)


def test_an_inline_task_that_died_many_turns_ago_is_an_attempt_when_its_claim_is_over(
    cloud: Cloud, clock: Ahead, monkeypatch: pytest.MonkeyPatch
) -> None:
    wakes: list[Wake] = []

    async def note_wake(_: AwsTimers, wake: Wake, __: float) -> None:
        wakes.append(wake)

    monkeypatch.setattr(AwsTimers, "set", note_wake)
    MEANWHILE["l"] = asyncio.Event().wait
    with pytest.raises(SystemExit), monkeypatch.context() as patched:
        patched.setattr(Dispatch, "tasks", _die)
        start(cloud, "loop", "l")
        cloud.deliver_stream(OrchestratorFunction)
    cloud.functions.clear()
    MEANWHILE.clear()
    cloud.run(lambda: "ring" in DONE and not cloud.stream.pending("OrchestratorFunction"))
    assert DONE.count("carry") == 1  # its function may still be running, for all that anybody knows
    (wake,) = wakes
    assert wake.at_s > clock.now_s()
    clock.ahead_s = wake.at_s - clock.now_s() + 1.0
    body = {"messageId": "1", "body": wake.encode(), "eventSourceARN": "arn:aws:sqs:r:a:timers"}
    assert cloud.call(TimersFunction, {"Records": [body]}) == set()
    cloud.run(lambda: record(cloud, "l").outcome is not None)
    assert "carried" in str(record(cloud, "l").outcome)
    assert (DONE.count("carry"), DONE.count("ring")) == (2, 1)


async def _die(*_: object) -> None:
    raise SystemExit("the sandbox is gone")


def test_an_inline_task_may_be_completed_from_outside_before_its_function_is_done_with_it(
    cloud: Cloud,
) -> None:
    told: list[bool] = []

    async def answer_at_once() -> None:
        outside = AwsCompletion(cloud.host("Api"))
        told.append(await outside.heartbeat(task_token(), '"half"'))
        told.append(await outside.succeed(task_token(), '"theirs"'))
        told.append(await outside.succeed(task_token(), '"theirs again"'))

    MEANWHILE["x"] = answer_at_once
    start(cloud, "handing", "x")
    cloud.run(lambda: record(cloud, "x").outcome is not None)
    assert "theirs" in (record(cloud, "x").outcome or "")
    assert told == [True, True, False]


def test_an_inline_task_that_has_answered_itself_is_not_completed_from_outside(cloud: Cloud) -> None:
    tokens: list[str] = []

    async def keep() -> None:
        tokens.append(task_token())

    MEANWHILE["mine"] = keep
    start(cloud, "handing", "mine")
    cloud.deliver_stream(OrchestratorFunction)
    assert "mine" in (record(cloud, "mine").outcome or "")
    outside = AwsCompletion(cloud.host("Api"))
    assert not asyncio.run(outside.succeed(tokens[0], '"theirs"'))
    assert not asyncio.run(outside.heartbeat(tokens[0]))
