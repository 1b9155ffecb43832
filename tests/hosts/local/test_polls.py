"""Long polls of the management API, when the process is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from service_kit import Service, command
from service_kit.contract.exchange import Next, Request, Response
from service_kit.contract.service import contract_of
from service_kit.hosts.local.polls import POLLED, Polls
from service_kit.http.application import Target
from service_kit.http.management_routes import management_routes
from service_kit.http.options import HttpOptions
from service_kit.stores.memory.idempotency import MemoryIdempotencyStore


@command
async def outcome() -> None: ...


@command
async def other() -> None: ...


REQUEST = Request("POST", "/rpc/_system.outcome", b"", [])


def _released(polls: Polls, answer: Next, declared: Any = outcome) -> Next:
    return polls.released(("POST", "/", Target(answer, declared)))[2].answer


def _run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(main())


def test_a_poll_is_answered_when_it_is_released_and_its_connection_ends() -> None:
    async def test() -> None:
        polls, begun = Polls(), asyncio.Event()

        async def wait(_: Request) -> Response:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        waiting = asyncio.ensure_future(_released(polls, wait)(REQUEST))
        await begun.wait()
        polls.release()
        for response in (await waiting, await _released(polls, wait)(REQUEST)):
            assert (response.status, response.body, response.headers["connection"]) == (200, b"null", "close")

    _run(test)


def test_a_poll_that_ends_by_itself_answers_as_it_would_without() -> None:
    async def test() -> None:
        async def answer(_: Request) -> Response:
            return Response(200, body=b'"done"')

        async def fail(_: Request) -> Response:
            raise LookupError("no such execution")

        polls = Polls()
        assert (await _released(polls, answer)(REQUEST)).body == b'"done"'
        with pytest.raises(LookupError, match="no such execution"):
            await _released(polls, fail)(REQUEST)

    _run(test)


def test_a_caller_who_hangs_up_ends_his_poll() -> None:
    async def test() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def wait(_: Request) -> Response:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            raise AssertionError

        waiting = asyncio.ensure_future(_released(Polls(), wait)(REQUEST))
        await begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await ended.wait()

    _run(test)


def test_other_routes_stay_as_they_are() -> None:
    async def answer(_: Request) -> Response:
        return Response()

    assert _released(Polls(), answer, other) is answer


def test_the_management_api_has_the_poll() -> None:
    class Empty(Service):
        pass

    store = MemoryIdempotencyStore(lambda: 0.0)
    routes = management_routes(contract_of(Empty), HttpOptions(), store)
    assert sum(t.declared is not None and t.declared.name == POLLED for _, _, t in routes) == 2
