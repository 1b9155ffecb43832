"""What workflow code can ask of its execution."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import pytest

from service_kit.engine.calls import (
    CancelSent,
    Emitted,
    EventsEmitted,
    StateSet,
    TaskScheduled,
    TerminateSent,
)
from service_kit.engine.chance import Chance
from service_kit.engine.context import current_workflow, require_workflow
from service_kit.engine.history import ContinuedAsNew
from service_kit.engine.options import ChildOptions, TaskOptions
from service_kit.engine.payload import digest
from service_kit.engine.retry import Retry
from service_kit.errors import DefinitionError
from tests.engine.conftest import Begin
from tests.engine.driving import BEGIN_S, Execution, task


def test_outside_of_workflows_there_is_no_current_one() -> None:
    async def looks() -> bool:
        return current_workflow() is None

    assert current_workflow() is None
    assert asyncio.run(looks())
    with pytest.raises(RuntimeError, match=r"Signal\.receive works inside a workflow only"):
        require_workflow("Signal.receive")


def test_workflow_knows_who_and_when_it_is(begin: Begin) -> None:
    async def looks() -> list[object]:
        workflow = require_workflow("the test")
        await asyncio.sleep(60)
        started = workflow.started
        return [workflow.id, started.parent, started.workflow, workflow.started_s, workflow.now().isoformat()]

    run = begin(looks, id="o-1", parent="p-1")
    run.pass_time(60)
    assert run.result == ["o-1", "p-1", "example", BEGIN_S, "2023-11-14T22:14:20+00:00"]


def test_random_numbers_are_the_same_in_every_replay(begin: Begin) -> None:
    async def draws() -> list[object]:
        workflow = require_workflow("the test")
        first = [workflow.random(), workflow.random_bits(1), str(UUID(bytes=workflow.uuid4_bytes()))]
        await task("a", first)
        return [first, workflow.random(), str(UUID(bytes=workflow.uuid4_bytes()))]

    runs = [begin(draws), begin(draws), begin(draws, seed="other"), begin(draws, run=1)]
    for run in runs:
        run.succeed("a")
    same, again, other_seed, other_run = (json.dumps(run.result) for run in runs)
    assert same == again
    assert len({same, other_seed, other_run}) == 3


def test_random_numbers_are_spread_as_they_should_be() -> None:
    chance = Chance("seed")
    numbers = [chance.number() for _ in range(4_000)]
    assert all(0 <= number < 1 for number in numbers)
    assert abs(sum(numbers) / len(numbers) - 0.5) < 0.02
    assert len(set(numbers)) == len(numbers)
    assert {chance.bits(1) for _ in range(64)} == {0, 1}
    assert chance.bits(0) == 0
    assert chance.bits(2_000).bit_length() > 1_900


def test_random_numbers_of_a_seed_are_these_for_ever() -> None:
    chance = Chance("seed")
    assert (chance.bits(64), chance.number()) == (14813333010118507739, 0.6634909200133123)
    assert chance.uuid4_bytes().hex() == "5ec7343197584a4eb6e8ac3dadec1c29"
    assert chance.bits(520) % 10**12 == 41727492535


def test_uuids_are_of_version_4() -> None:
    chance = Chance("seed")
    for _ in range(50):
        uuid = UUID(bytes=chance.uuid4_bytes())
        assert (uuid.version, uuid.variant) == (4, "specified in RFC 4122")


def test_options_of_a_task_travel_with_the_call(begin: Begin) -> None:
    options = TaskOptions(retry=Retry(max_attempts=7, non_retryable=(ValueError,)), timeout_s=2.5)

    async def calls() -> None:
        await require_workflow("the test").schedule_task("a", "1", options=options)

    run = begin(calls)
    run.replay()
    assert run.calls(TaskScheduled) == [TaskScheduled(1, "a", digest("1"), "1", options)]


@pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
def test_options_that_no_history_could_hold_are_refused(seconds: float) -> None:
    with pytest.raises(DefinitionError, match="timeout_s="):
        TaskOptions(timeout_s=seconds)
    with pytest.raises(DefinitionError, match="start_delay_s="):
        ChildOptions(start_delay_s=seconds)


@pytest.mark.parametrize("seconds", [0.0, 0.25])
def test_options_of_less_than_a_second_are_taken(seconds: float) -> None:
    assert TaskOptions(timeout_s=seconds, heartbeat_timeout_s=seconds).timeout_s == seconds
    assert ChildOptions(timeout_s=seconds, start_delay_s=seconds).start_delay_s == seconds


def test_state_is_published(begin: Begin) -> None:
    async def progresses() -> None:
        workflow = require_workflow("the test")
        workflow.set_state("progress", "1")
        await task("a")
        workflow.set_state("progress", "2")

    run = begin(progresses)
    run.succeed("a")
    assert [(call.name, call.payload) for call in run.calls(StateSet)] == [
        ("progress", "1"),
        ("progress", "2"),
    ]


def test_events_have_ids_that_every_replay_repeats(begin: Begin) -> None:
    async def emits() -> None:
        await task("a")
        require_workflow("the test").emit([("OrderPlaced", "{}"), ("OrderPaid", "[1]")])

    run = begin(emits)
    run.succeed("a")
    (call,) = run.calls(EventsEmitted)
    assert call.name == "OrderPlaced,OrderPaid"
    assert call.events == (Emitted("x:0:2.0", "OrderPlaced", "{}"), Emitted("x:0:2.1", "OrderPaid", "[1]"))


def test_other_executions_can_be_cancelled_and_terminated(begin: Begin) -> None:
    async def ends_others() -> None:
        workflow = require_workflow("the test")
        workflow.cancel_execution("o-1", "why")
        workflow.terminate_execution("o-2", "how")

    run = begin(ends_others)
    assert run.calls(CancelSent) == [CancelSent(1, "o-1", "why")]
    assert run.calls(TerminateSent) == [TerminateSent(2, "o-2", "how")]


# Conditions


# Children


# Continuing as new


def test_continue_as_new_ends_the_run_where_it_stands(begin: Begin) -> None:
    async def forever(count: int) -> None:
        await task("a")
        try:
            await require_workflow("the test").continue_as_new(json.dumps(count + 1))
        finally:
            await task("never")

    run = begin(forever, 4)
    run.succeed("a")
    assert run.turn.outcome == ContinuedAsNew("5", digest("5"))
    assert [call.name for call in run.calls(TaskScheduled)] == ["a"]


def test_continue_as_new_from_any_task_ends_the_run(begin: Begin) -> None:
    async def forever() -> None:
        async def inner() -> None:
            await require_workflow("the test").continue_as_new("null")

        async with asyncio.TaskGroup() as group:
            group.create_task(inner())
            group.create_task(inner())
            group.create_task(task("not begun"))

    run = begin(forever)
    assert isinstance(run.turn.outcome, ContinuedAsNew)
    assert run.calls(TaskScheduled) == []


def test_calls_after_the_end_do_nothing(begin: Begin) -> None:
    async def chatty() -> None:
        workflow = require_workflow("the test")
        ending = asyncio.ensure_future(workflow.continue_as_new("null"))
        await asyncio.sleep(0)
        await ending

    run = begin(chatty)
    assert isinstance(run.turn.outcome, ContinuedAsNew)


def test_discarded_execution_counts_as_replaying() -> None:
    async def looks() -> None:
        await task("a")

    run = Execution(looks, cold=False)
    run.start()
    workflow = run.instance._machine.loop.workflow
    run.instance.discard()
    assert getattr(workflow, "replaying")  # noqa: B009 - the loop knows it as an object
