"""The lifespan of a service that nobody told of its server's start: requests open it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

import httpx

from service_kit import Service, command
from tests.http.conftest import Ask


@command(method="GET")
async def ping() -> str:
    return "pong"


def test_a_first_caller_who_gives_up_leaves_one_lifespan_to_the_next() -> None:
    opened, release = list[str](), asyncio.Event()

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        opened.append("open")
        await release.wait()
        yield
        opened.append("close")

    class Slow(Service, lifespan=slow):
        ping_ = ping

    async def main() -> None:
        transport = httpx.ASGITransport(Slow.asgi())
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            first = asyncio.create_task(client.get("/ping_"))
            while not opened:
                await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait({first})
            second = asyncio.create_task(client.get("/ping_"))
            await asyncio.sleep(0)
            release.set()
            assert (await second).status_code == 200

    asyncio.run(main())
    assert opened == ["open", "close"]


def test_a_lifespan_that_ended_with_its_loop_opens_again_in_the_next(ask: Ask) -> None:
    life: list[str] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        life.append("open")
        yield
        life.append("close")

    class Living(Service, lifespan=lifespan):
        ping_ = ping

    application = Living.asgi()
    for _ in range(2):
        assert ask(application, "GET", "/ping_").status_code == 200
    assert life == ["open", "close", "open", "close"]


def test_requests_see_the_context_variables_that_the_lifespan_sets(ask: Ask) -> None:
    pool = ContextVar("pool", default="none")

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        pool.set("opened")
        yield

    @command(method="GET")
    async def which() -> str:
        return pool.get()

    class Pooled(Service, lifespan=lifespan):
        which_ = which

    application = Pooled.asgi()
    assert ask(application, "GET", "/which_").json() == "opened"
    assert ask(application, "POST", "/rpc/which_").json() == "opened"
    assert pool.get() == "none"
