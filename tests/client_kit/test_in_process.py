"""The in-process transport: an application without sockets sees and gives the same bytes."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, MutableMapping
from threading import get_ident
from typing import Any

import pytest

from client_kit import AnswerTooLarge, CallTimeout, ClientOptions, ConnectionLost, InProcessTransport, connect
from tests.client_kit.conftest import Serve
from tests.client_kit.shop import END, ITEM, URL, Answer, ScriptedApp, Shop, stream

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


async def _answer(send: Send, body: bytes = b'{"id":"o-1","sku":"s"}', more: bool = False) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})


def test_an_application_sees_what_a_server_would_show_it(serve: Serve) -> None:
    near, far = ScriptedApp(), ScriptedApp()

    async def main() -> None:
        async with connect(Shop, f"{URL}/pre%20fix", transport=InProcessTransport(near)) as shop:
            await shop.place.options(request_id="r-1")("sku-1")
        async with connect(Shop, f"{serve(far)}/pre%20fix") as shop:
            await shop.place.options(request_id="r-1")("sku-1")

    asyncio.run(main())
    [one], [other] = near.asked, far.asked
    assert (one.method, one.path, one.query, one.body) == (other.method, other.path, other.query, other.body)
    differing = {"host", "accept-encoding", "connection", "request-timeout-ms"}
    assert {k: v for k, v in one.headers.items() if k not in differing} == {
        k: v for k, v in other.headers.items() if k not in differing
    }
    assert one.headers["host"] == "shop.test"


def test_items_come_while_the_application_still_runs() -> None:
    seen: list[str] = []

    async def main() -> None:
        go_on = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            assert scope["type"] == "http"
            await receive()
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            for number in range(2):
                await send({"type": "http.response.body", "body": ITEM % number, "more_body": True})
                await go_on.wait()
            await send({"type": "http.response.body", "body": END})

        async with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
            async for order in shop.tail(2):
                seen.append(order.id)
                go_on.set()

    asyncio.run(main())
    assert seen == ["o-0", "o-1"]


def test_an_application_does_not_run_ahead_of_its_reader() -> None:
    made: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await receive()
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while True:
            made.append(1)
            await send({"type": "http.response.body", "body": ITEM % 1, "more_body": True})

    async def main() -> None:
        async with (
            connect(Shop, URL, transport=InProcessTransport(app)) as shop,
            shop.tail.stream(9) as orders,
        ):
            await anext(aiter(orders))
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(made) < 10

    asyncio.run(main())


def test_leaving_a_stream_early_tells_the_application() -> None:
    app = ScriptedApp(stream(ITEM % 0, b":wait\n\n"))

    async def main() -> None:
        async with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
            async with shop.tail.stream(1) as orders:
                async for _ in orders:
                    break
            assert app.disconnected

    asyncio.run(main())


def test_leaving_a_stream_early_tells_the_application_of_a_sync_caller() -> None:
    app = ScriptedApp(stream(ITEM % 0, b":wait\n\n"))
    with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
        with shop.tail.stream(1) as orders:
            for _ in orders:
                break
        assert app.disconnected


def test_the_lifespan_runs_around_the_calls_in_the_same_loop() -> None:
    log: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            assert (await receive())["type"] == "lifespan.startup"
            log.append("startup")
            await send({"type": "lifespan.startup.complete"})
            assert (await receive())["type"] == "lifespan.shutdown"
            log.append("shutdown")
            await send({"type": "lifespan.shutdown.complete"})
            return
        log.append("call")
        await _answer(send)

    async def main() -> None:
        async with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
            await asyncio.gather(shop.place("a"), shop.place("b"))

    asyncio.run(main())
    assert log == ["startup", "call", "call", "shutdown"]
    with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
        shop.place.sync("a")
    assert log[4:] == ["startup", "call", "shutdown"]


def test_an_application_that_does_not_start_says_so() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with (
        connect(Shop, URL, transport=InProcessTransport(app)) as shop,
        pytest.raises(ConnectionLost, match="did not start: no database"),
    ):
        shop.place.sync("a")


def test_an_application_that_crashes_is_a_lost_connection_with_its_error_as_the_cause() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("boom")

    with (
        connect(Shop, URL, transport=InProcessTransport(app)) as shop,
        pytest.raises(ConnectionLost, match="boom") as raised,
    ):
        shop.place.sync("a")
    assert isinstance(raised.value.__cause__, LookupError)


def test_an_application_that_stops_in_mid_body_is_a_lost_connection() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _answer(send, more=True)

    with (
        connect(Shop, URL, transport=InProcessTransport(app)) as shop,
        pytest.raises(ConnectionLost, match="stopped early"),
    ):
        shop.place.sync("a")


def test_a_slow_application_is_given_up_and_told() -> None:
    told: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await receive()
            told.append((await receive())["type"])

    async def main() -> None:
        async with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
            with pytest.raises(CallTimeout):
                await shop.place.options(timeout_s=0.5)("a")

    asyncio.run(main())
    assert told == ["http.disconnect"]


def test_a_huge_answer_is_refused_in_process_too() -> None:
    app = ScriptedApp(Answer(b"x" * 2000))
    options = ClientOptions(max_answer_bytes=1000)
    with (
        connect(Shop, URL, transport=InProcessTransport(app), options=options) as shop,
        pytest.raises(AnswerTooLarge),
    ):
        shop.place.sync("a")


def test_context_variables_of_the_caller_do_not_reach_the_application() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(variable.get())
        if scope["type"] == "http":
            await _answer(send)

    async def main() -> None:
        variable.set("of the caller")
        async with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
            await shop.place("a")

    asyncio.run(main())
    assert seen == ["unset", "unset"]


def test_sync_calls_work_in_a_thread_that_runs_a_loop() -> None:
    threads: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            threads.append(get_ident())
            await _answer(send)

    async def main() -> None:
        async with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
            shop.place.sync("a")
            await shop.place("b")

    asyncio.run(main())
    assert threads[0] != get_ident() == threads[1]


def test_work_that_goes_on_after_the_answer_does_not_hold_the_call_up() -> None:
    log: list[str] = []

    async def main() -> None:
        answered = asyncio.Event()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            assert scope["type"] == "http"
            await _answer(send)
            await answered.wait()
            log.append("worked on")

        async with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
            await shop.place("a")
            log.append("answered")
            answered.set()

    asyncio.run(main())
    assert log == ["answered", "worked on"]


def test_a_sync_call_from_the_loop_that_would_have_to_run_it_is_an_error_and_no_deadlock() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            with pytest.raises(RuntimeError, match="await the call instead"):
                shop.place.sync("b")
            await _answer(send)

    with connect(Shop, URL, transport=InProcessTransport(app)) as shop:
        assert shop.place.sync("a").id == "o-1"


def test_a_stream_left_open_when_its_client_closes_does_no_harm() -> None:
    with connect(
        Shop, URL, transport=InProcessTransport(ScriptedApp(stream(ITEM % 0, ITEM % 1, END)))
    ) as shop:
        orders = shop.tail.sync(2)
        assert next(orders).id == "o-0"
    del orders
