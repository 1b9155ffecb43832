"""Attempts whose task is over before they are: too late, cancelled, or with an input that does not fit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator

from service_kit import Retry, Service, task, workflow
from service_kit.errors import TimedOut, WorkflowFailed
from service_kit.runtime.assembly import Runtime
from service_kit.runtime.attempt import Attempt
from service_kit.runtime.records import Claim
from service_kit.stores.memory.store import memory_stores
from tests.runtime.running import BEGIN_S, ManualClock, running, settle
from tests.runtime.shop import Shop, acts, chosen, do, give_up, log, parent, work

pytestmark = pytest.mark.anyio


def _after(clock: ManualClock, seconds: float, error: BaseException) -> Callable[[], Any]:
    async def fails() -> None:
        await clock.sleep(seconds)
        raise error

    return fails


async def test_an_input_that_does_not_fit_the_task_fails_at_once_with_the_reason(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        encode = type(work.calls).encode_arguments

        def wrong(self: Any, arguments: Any) -> str:
            return '{"name": 7}' if self is work.calls else encode(self, arguments)

        patch.setattr(type(work.calls), "encode_arguments", wrong)
        handle = await do.start("a")
        await settle()
    kinds = [event["kind"] for event in await handle.history()]
    assert kinds[2:4] == ["TaskScheduled", "TurnStarted"]
    with pytest.raises(WorkflowFailed, match="name"):
        await handle.result()
    assert log == []


async def test_a_task_whose_time_is_over_before_anybody_had_room_for_it_is_not_begun(
    clock: ManualClock,
) -> None:
    stores = memory_stores()
    chosen["schedule_to_close_s"] = 30.0
    async with running(Shop, clock, stores) as first:
        first.task_worker.closing = True
        handle = await do.start("a")
        await settle()
    await clock.advance(60)
    async with running(Shop, clock, stores):
        await settle()
        with pytest.raises(TimedOut, match="did not end within 30 s of its call"):
            await do.get(handle.id).result()
    assert log == []


async def test_an_attempt_that_fails_after_nobody_waits_for_it_is_not_tried_again(
    runtime: Runtime, clock: ManualClock
) -> None:
    acts["a"] = _after(clock, 20, ValueError("late"))
    await give_up.start("a")
    await clock.advance(100)
    assert log == ["a", "gave up"]
    assert await runtime.stores.tasks.next_available_s(["work"]) is None


async def test_an_attempt_that_fails_as_it_is_told_that_it_has_lost_its_claim_says_nothing(
    clock: ManualClock,
) -> None:
    stores = memory_stores()

    async def stubborn() -> None:
        try:
            await clock.sleep(1e6)
        except asyncio.CancelledError:
            raise ValueError("instead of stopping") from None

    acts["a 1"] = stubborn
    acts["a 2"] = lambda: "mended"
    async with running(Shop, clock, stores) as first:
        handle = await do.start("a")
        await settle()
        await first._end_loops()  # it hangs, and gives no sign of life
        async with running(Shop, clock, stores):
            await clock.advance(31)
            assert await do.get(handle.id).result() == "mended"
            await first.task_worker.keep_claims()
            await settle()
    kinds = [event["kind"] for event in await _history(stores, handle.id)]
    assert kinds.count("TaskSucceeded") == 1
    assert "TaskRaised" not in kinds


def _not_today(name: str) -> str:
    log.append(name)
    raise SystemExit("not today")


@task(retry=Retry(max_attempts=2, backoff_s=1, jitter=0))
async def picky(name: Annotated[str, AfterValidator(_not_today)]) -> str:
    return name


@workflow
async def pick(name: str) -> str:
    return await picky(name)


class Pickers(Service):
    pick = pick


async def test_what_a_validator_of_a_tasks_input_raises_is_a_failure_that_is_tried_again(
    clock: ManualClock,
) -> None:
    async with running(Pickers, clock):
        handle = await pick.start("a")
        await clock.advance(1)
        with pytest.raises(WorkflowFailed, match="not today"):
            await handle.result()
    assert log == ["a", "a"]


async def test_an_attempt_whose_event_loop_is_gone_says_nothing(clock: ManualClock) -> None:
    stores = memory_stores()
    acts["a"] = asyncio.Event().wait
    async with running(Shop, clock, stores) as first:
        first.task_worker.closing = True
        await do.start("a")
        await settle()
        (claimed,) = await stores.tasks.claim(["work"], Claim("gone", BEGIN_S + 30), clock.now_s(), 1)
        attempt = first.task_worker.runner.run(Attempt(claimed, claimed.claim, first.tokens.sign))
        attempt.send(None)
        attempt.close()  # raises RuntimeError if it goes on nevertheless
        assert await stores.tasks.next_available_s(["work"]) == BEGIN_S + 30


async def test_a_child_that_is_gone_from_the_service_fails_where_it_is_called(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(runtime.declarations.workflows, "wait_long")
    with pytest.raises(WorkflowFailed, match="workflow 'wait_long' is not part of service"):
        await (await parent.start("cancel", "child")).result()


async def _history(stores: Any, id: str) -> list[dict[str, Any]]:
    found = await stores.executions.load(id)
    return [{"kind": row[0]} for turn in found.history for row in json.loads(turn)["events"]]
