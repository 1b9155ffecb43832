from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.conftest import Context
from tests.hosts.aws.probes import call, service
from tests.hosts.aws.recorded import http_api_2

Make = Callable[..., LambdaHandler]


def test_a_call_that_waits_too_long_is_answered_before_the_function_ends(handler_of: Make) -> None:
    log: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            log.append("cleaned up")

    async def quick() -> int:
        return 1

    handler = handler_of(service(wait, quick))
    problem = call(handler, "wait", Context(remaining_ms=350))
    assert (problem["status"], problem["type"]) == (504, "urn:problem-type:service-kit:timeout")
    assert log == ["cleaned up"]
    assert call(handler, "quick", Context(remaining_ms=0)) == 1


def test_a_call_that_does_not_heed_its_cancellation_is_answered_too_and_goes_on_later(
    handler_of: Make,
) -> None:
    log: list[str] = []

    async def stubborn() -> None:
        waits = asyncio.get_running_loop().create_future()
        with contextlib.suppress(asyncio.CancelledError):
            await waits
        log.append("ignored")
        await asyncio.sleep(0.3)
        log.append("ended")

    async def idle() -> None:
        await asyncio.sleep(0)

    handler = handler_of(service(stubborn, idle))
    assert call(handler, "stubborn", Context(remaining_ms=310))["status"] == 504
    assert log == ["ignored"]
    give_up_at = time.monotonic() + 10
    while log != ["ignored", "ended"]:
        assert time.monotonic() < give_up_at
        call(handler, "idle")


def test_a_call_that_ends_while_it_is_being_cancelled_keeps_its_answer(handler_of: Make) -> None:
    async def rescue() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "rescued"
        return ""

    handler = handler_of(service(rescue))
    assert call(handler, "rescue", Context(remaining_ms=310)) == "rescued"


def test_a_stream_that_does_not_end_is_answered_before_the_function_ends(handler_of: Make) -> None:
    async def ticks() -> AsyncIterator[int]:
        while True:
            yield 1
            await asyncio.sleep(0.01)

    assert call(handler_of(service(ticks)), "ticks", Context(remaining_ms=350))["status"] == 504


def test_a_command_that_cancels_itself_is_an_internal_failure(handler_of: Make) -> None:
    async def give_in() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    handler = handler_of(service(give_in))
    assert call(handler, "give_in")["status"] == 500


def test_without_a_context_there_is_no_deadline(handler_of: Make) -> None:
    async def nap() -> str:
        await asyncio.sleep(0.001)
        return "slept"

    raw = handler_of(service(nap))(http_api_2("POST", "/rpc/nap", body="{}"))
    assert raw["body"] == '"slept"'
    assert raw["headers"]["x-request-id"]
