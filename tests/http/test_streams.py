"""Streaming commands as server-sent events, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from service_kit import Service, ServiceError, command
from service_kit.http import HttpOptions
from tests.http.conftest import Ask


class Line(BaseModel):
    text: str


class TornPage(ServiceError, status=410):
    page: int


closed: list[str] = []
entered: list[str] = []


@command(errors=[TornPage])
async def read(pages: int, tear_at: int = -1) -> AsyncIterator[Line]:
    for page in range(pages):
        if page == tear_at:
            raise TornPage(page=page)
        yield Line(text=f"page {page}\n")


@command
async def explode() -> AsyncIterator[int]:
    yield 1
    raise RuntimeError("s3cret")


@command(method="GET")
async def tail(name: str) -> AsyncIterator[int]:
    try:
        entered.append(name)
        yield 1
        await asyncio.Event().wait()
    finally:
        closed.append(name)


@command(timeout_s=0.01)
async def endless() -> AsyncIterator[int]:
    yield 1
    await asyncio.Event().wait()


@command
async def wrong() -> AsyncIterator[Line]:
    yield 3  # type: ignore[misc]  # the mistake is the test


asked_for: list[int] = []


@command
async def busy(most: int = 1_000_000) -> AsyncIterator[int]:
    asked_for.clear()
    for number in range(most):  # an end, or a test that fails would never
        asked_for.append(number)
        yield number


class Book(Service):
    read = read
    busy = busy
    explode = explode
    tail = tail
    endless = endless
    wrong = wrong


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines.get("event", "message"), json.loads(lines["data"])))
    return found


def test_items_come_as_events_and_an_end(ask: Ask) -> None:
    response = ask(Book, "POST", "/rpc/read", json={"pages": 2})
    assert response.headers["content-type"] == "text/event-stream"
    assert events(response.text) == [
        ("message", {"text": "page 0\n"}),
        ("message", {"text": "page 1\n"}),
        ("end", {}),
    ]


def test_a_declared_error_in_mid_stream_is_the_last_event(ask: Ask) -> None:
    *_, (kind, problem) = events(ask(Book, "POST", "/rpc/read", json={"pages": 2, "tear_at": 1}).text)
    assert (kind, problem["type"], problem["page"]) == ("error", "urn:problem-type:book:TornPage", 1)


@pytest.mark.parametrize("name", ["explode", "wrong"])
def test_any_other_failure_in_mid_stream_is_opaque(ask: Ask, name: str) -> None:
    text = ask(Book, "POST", f"/rpc/{name}").text
    assert events(text)[-1][1]["type"] == "urn:problem-type:service-kit:internal"
    assert "s3cret" not in text


def test_a_stream_past_its_timeout_ends_with_a_problem(ask: Ask) -> None:
    for headers in ({}, {"request-timeout-ms": "5"}):
        assert [kind for kind, _ in events(ask(Book, "POST", "/rpc/endless", headers=headers).text)] == [
            "message",
            "error",
        ]


def test_a_stream_that_waits_for_nothing_hears_that_its_caller_hung_up() -> None:
    async def hang_up() -> None:
        requests = [{"type": "http.request", "body": b"{}"}]

        async def receive() -> Any:
            return requests.pop() if requests else {"type": "http.disconnect"}

        async def send(message: Any) -> None: ...  # as servers do when nobody is there any more

        scope = {"type": "http", "method": "POST", "path": "/rpc/busy", "query_string": b"", "headers": []}
        await Book.asgi()(scope, receive, send)

    asyncio.run(hang_up())
    assert 0 < len(asked_for) < 1_000_000


def test_a_stream_that_waits_for_nothing_ends_at_its_deadline(ask: Ask) -> None:
    response = ask(Book, "POST", "/rpc/busy", headers={"request-timeout-ms": "50"})
    assert events(response.text)[-1][1]["type"] == "urn:problem-type:service-kit:timeout"
    assert len(asked_for) < 1_000_000


def test_invalid_input_is_a_problem_before_the_stream_begins(ask: Ask) -> None:
    assert ask(Book, "POST", "/rpc/read", json={"pages": "many"}).status_code == 422


def test_head_of_a_stream_starts_nothing(ask: Ask) -> None:
    entered.clear()
    response = ask(Book, "HEAD", "/tail?name=x")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
    assert "content-length" not in response.headers
    assert entered == []


def test_a_stream_cannot_be_kept_under_an_idempotency_key(ask: Ask) -> None:
    response = ask(Book, "POST", "/rpc/read", json={"pages": 1}, headers={"idempotency-key": "a"})
    assert (response.status_code, "a stream is not kept" in response.json()["detail"]) == (400, True)


def test_silence_is_filled_with_heartbeats_and_a_caller_who_hangs_up_closes_the_generator(
    serve: Callable[[Any], str],
) -> None:
    url = serve(Book.asgi(HttpOptions(heartbeat_s=0.01)))

    async def listen() -> list[str]:
        lines: list[str] = []
        async with (
            httpx.AsyncClient(base_url=url) as client,
            client.stream("GET", "/tail?name=heart") as response,
        ):
            async for line in response.aiter_lines():
                lines.append(line)
                if lines.count(":") == 2:
                    break
        return lines

    lines = asyncio.run(asyncio.wait_for(listen(), 10))
    assert lines[:2] == ["data: 1", ""]
    # The server notices the closed connection in its own time.
    deadline = asyncio.run(_until(lambda: "heart" in closed))
    assert deadline


async def _until(condition: Callable[[], bool]) -> bool:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)
    return True


def test_items_arrive_while_the_generator_still_runs(serve: Callable[[Any], str]) -> None:
    url = serve(Book.asgi())
    with httpx.Client(base_url=url) as client, client.stream("GET", "/tail?name=early") as response:
        lines = response.iter_lines()  # held: an iterator that is dropped closes the response
        assert next(lines) == "data: 1"
        assert "early" in entered
        assert "early" not in closed
