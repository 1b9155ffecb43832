"""Streaming commands as tools: progress, and the collected items."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from threading import Event
from typing import Any

import httpx
import pytest
from mcp.client.client import Client

from service_kit import Service, command
from service_kit.http.mcp import exchange, tools
from tests.http.agents import Mode, with_agent
from tests.http.conftest import Ask
from tests.http.mcp_shop import Orders


def test_a_stream_is_progress_and_then_the_collected_items(mode: Mode) -> None:
    async def test(client: Client) -> None:
        told: list[tuple[float, Any]] = []

        async def tell(progress: float, total: float | None, message: str | None) -> None:
            told.append((progress, json.loads(message or "null")))

        followed = await client.call_tool("follow", {"count": 2}, progress_callback=tell)
        expected = [{"sku": "s-0", "quantity": 1}, {"sku": "s-1", "quantity": 1}]
        assert told == [(1, expected[0]), (2, expected[1])]
        unwatched = await client.call_tool("follow", {"count": 2})
        for result in (followed, unwatched):
            assert result.structured_content == {"items": expected, "complete": True}

    with_agent(Orders, test, mode=mode)


def test_a_stream_that_fails_is_a_tool_error_with_the_fields() -> None:
    async def test(client: Client) -> None:
        result = await client.call_tool("follow", {"count": 9})
        assert result.is_error
        assert result.structured_content["left"] == 0

    with_agent(Orders, test)


def test_a_stream_without_end_is_cut_where_no_model_reads_on() -> None:
    closed = list[str]()

    @command
    async def flood() -> AsyncIterator[str]:
        try:
            while True:
                yield "x" * 100_000
        finally:
            closed.append("yes")

    class Flooding(Service):
        flood_it = flood

    async def test(client: Client) -> None:
        result = await client.call_tool("flood_it", {})
        assert result.structured_content["complete"] is False
        assert 5 <= len(result.structured_content["items"]) <= 11

    with_agent(Flooding, test)
    assert closed == ["yes"]


@pytest.fixture
def ticking() -> tuple[type[Service], Event]:
    """Return a service whose streams go on for ever, and what is set when one was closed."""
    closed = Event()

    @command
    async def tick(count: int = 1) -> AsyncIterator[int]:
        try:
            for number in range(count):
                yield number
            await asyncio.Event().wait()
        finally:
            closed.set()

    class Ticking(Service):
        tick_on = tick

    return Ticking, closed


@pytest.mark.parametrize("count", [0, 2])
def test_a_stream_that_nobody_watches_ends_in_time_with_what_has_come(
    count: int, ticking: tuple[type[Service], Event], mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "COLLECTED_S", 0.05)

    async def test(client: Client) -> None:
        result = await asyncio.wait_for(client.call_tool("tick_on", {"count": count}), 30)
        assert result.structured_content == {"items": list(range(count)), "complete": False}

    with_agent(ticking[0], test, mode=mode)
    assert ticking[1].is_set()


def test_a_caller_who_takes_no_events_gets_the_result_alone(ask: Ask) -> None:
    params = {"name": "follow", "arguments": {"count": 1}, "_meta": {"progressToken": 1}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    response = ask(Orders, "POST", "/mcp", json=message, headers={"accept": "application/json"})
    assert response.headers["content-type"] == "application/json"
    assert response.json()["result"]["structuredContent"]["complete"] is True


@pytest.mark.parametrize("count", [0, 1])
def test_a_caller_who_hangs_up_ends_the_stream(
    count: int,
    ticking: tuple[type[Service], Event],
    serve: Callable[[Any], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, closed = ticking
    monkeypatch.setattr(exchange, "OPENED_S", 30 if count else 0.05)
    monkeypatch.setattr(tools, "COLLECTED_S", 0.05)  # which is not for those who watch
    params = {"name": "tick_on", "arguments": {"count": count}, "_meta": {"progressToken": "t"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    url = f"{serve(service.asgi())}/mcp"
    with (
        httpx.Client(trust_env=False) as http,
        http.stream(
            "POST", url, json=message, headers={"accept": "text/event-stream, application/json"}
        ) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == ("event: message" if count else ":")
        assert not closed.is_set()
    assert closed.wait(30)
