"""Tasks that somebody outside completes by their tokens."""

from __future__ import annotations

import base64
import hmac

import pytest
from pydantic import ValidationError

from service_kit import Retry, Service, workflow
from service_kit.engine.options import TaskOptions
from service_kit.errors import TimedOut, WorkflowFailed
from service_kit.runtime.assembly import Runtime
from service_kit.runtime.records import Claim, ClaimedTask, TaskKey
from service_kit.runtime.tokens import TaskTokens
from tests.runtime.running import ManualClock, running, settle
from tests.runtime.shop import ask_somebody, do_outside, log, tokens

pytestmark = pytest.mark.anyio


async def test_a_task_waits_until_somebody_completes_it(runtime: Runtime, clock: ManualClock) -> None:
    handle = await do_outside.start("a")
    await clock.advance(1_000)
    assert await handle.status() == "running"
    assert await runtime.completion.succeed(tokens[0], '"approved"') is True
    assert await handle.result() == "approved"
    assert await runtime.completion.succeed(tokens[0], '"twice"') is False


async def test_a_token_may_be_used_before_its_task_has_returned(runtime: Runtime) -> None:
    handle = await do_outside.start("a")
    while not tokens:
        await settle()
    assert await runtime.completion.succeed(tokens[0], '"quick"') is True
    assert await handle.result() == "quick"


async def test_a_task_that_is_failed_from_outside_has_no_other_attempt(runtime: Runtime) -> None:
    handle = await do_outside.start("a")
    await settle()
    assert await runtime.completion.fail(tokens[0], "nobody was there", "Absent") is True
    with pytest.raises(WorkflowFailed, match="nobody was there"):
        await handle.result()
    assert log == ["a"]


async def test_a_result_of_another_type_is_refused(runtime: Runtime) -> None:
    handle = await do_outside.start("a")
    await settle()
    with pytest.raises(ValidationError):
        await runtime.completion.succeed(tokens[0], "7")
    assert await handle.status() == "running"


@pytest.mark.parametrize("token", ["", "x", "eyJ.abc", "é", "a.b.c"])
async def test_a_token_that_was_not_signed_here_is_refused(runtime: Runtime, token: str) -> None:
    for attempt in (runtime.completion.succeed(token, "1"), runtime.completion.fail(token, "no")):
        with pytest.raises(ValueError, match="no task token of this service"):
            await attempt


def _claimed(name: str = "ask") -> ClaimedTask:
    return ClaimedTask(TaskKey("x", 1, 2), name, "", None, 0.0, 1, Claim("me", 9.0))


def test_a_token_gives_its_task_back_to_who_has_the_secret() -> None:
    tokens, others = TaskTokens(b"s" * 16), TaskTokens(b"t" * 16)
    token = tokens.sign(_claimed())
    assert tokens.read(token) == (TaskKey("x", 1, 2), "ask")
    with pytest.raises(ValueError, match="no task token"):
        others.read(token)


def test_no_part_of_a_token_can_be_changed() -> None:
    tokens = TaskTokens(b"s" * 16)
    token = tokens.sign(_claimed())
    other = tokens.sign(_claimed("other"))
    for forged in (token[:-2], token.partition(".")[0] + "." + other.partition(".")[2], "A" + token[1:]):
        with pytest.raises(ValueError, match="no task token"):
            tokens.read(forged)


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        TaskTokens(b"short")


async def test_who_completes_nothing_in_time_was_lost(runtime: Runtime, clock: ManualClock) -> None:
    handle = await do_outside.start("a", timed=True)
    await clock.advance(21)
    assert log == ["a", "a"]
    await clock.advance(21)
    with pytest.raises(TimedOut, match="nobody completed it in time"):
        await handle.result()


async def test_a_heartbeat_by_token_gives_more_time(runtime: Runtime, clock: ManualClock) -> None:
    handle = await do_outside.start("a", timed=True)
    for _ in range(5):
        await clock.advance(15)
        assert await runtime.completion.heartbeat(tokens[0], '"at work"') is True
    assert log == ["a"]
    await runtime.completion.succeed(tokens[0], '"done"')
    assert await handle.result() == "done"
    assert await runtime.completion.heartbeat(tokens[0]) is False


async def test_nobody_waits_for_a_task_whose_execution_has_ended(runtime: Runtime) -> None:
    handle = await do_outside.start("a")
    await settle()
    await handle.terminate("enough")
    await settle()
    assert await runtime.completion.heartbeat(tokens[0]) is False
    assert await runtime.completion.succeed(tokens[0], '"late"') is False


@workflow
async def ask_within(seconds: float) -> str:
    chosen = ask_somebody.options(
        schedule_to_close_s=seconds, heartbeat_timeout_s=20, retry=Retry(max_attempts=1)
    )
    return await chosen("a")


class Asking(Service):
    ask_within = ask_within


async def test_heartbeats_keep_a_task_open_but_not_beyond_the_end_of_all_its_attempts(
    clock: ManualClock,
) -> None:
    async with running(Asking, clock) as runtime:
        handle = await ask_within.start(50)
        await clock.advance(15)
        assert await runtime.completion.heartbeat(tokens[0]) is True
        await clock.advance(19)  # 20 s, as the call says, from the heartbeat on
        assert await handle.status() == "running"
        assert await runtime.completion.heartbeat(tokens[0]) is True
        await clock.advance(12)
        assert await runtime.completion.heartbeat(tokens[0]) is True
        await clock.advance(3.5)
        assert await handle.status() == "running"
        await clock.advance(2)
        assert await runtime.completion.heartbeat(tokens[0]) is False
        with pytest.raises(TimedOut):
            await handle.result()


def test_a_token_of_an_earlier_version_sets_no_limit_of_its_own() -> None:
    tokens = TaskTokens(b"s" * 16)
    body = b'["x",1,2,"ask"]'
    token = base64.urlsafe_b64encode(body).decode().rstrip("=")
    mac = base64.urlsafe_b64encode(hmac.digest(b"s" * 16, body, "sha256")).decode().rstrip("=")
    assert tokens.read(f"{token}.{mac}") == (TaskKey("x", 1, 2), "ask")
    assert tokens.scheduled(f"{token}.{mac}") == (float("inf"), TaskOptions())
