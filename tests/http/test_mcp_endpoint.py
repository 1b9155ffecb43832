"""`/mcp` as a route: what it takes, how often it is made, and who else may have its path."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from mcp.client.client import Client
from starlette.applications import Starlette
from starlette.routing import Mount

from service_kit import Service, command
from service_kit.http import HttpOptions
from tests.http.agents import Mode, agent, with_agent
from tests.http.conftest import Ask
from tests.http.mcp_shop import Line, Node, Orders


def test_calls_at_the_same_time_do_not_disturb_each_other() -> None:
    async def test(client: Client) -> None:
        calls = [client.call_tool("place_order", {"sku": f"s-{n}", "quantity": 1 + n % 9}) for n in range(20)]
        results = await asyncio.gather(*calls)
        assert [r.structured_content["sku"] for r in results] == [f"s-{n}" for n in range(20)]

    with_agent(Orders, test)


def test_one_application_serves_many_event_loops() -> None:
    application = Orders.asgi()

    async def test(client: Client) -> None:
        assert (await client.call_tool("total", {"lines": []})).structured_content == {"result": 0}

    for _ in range(2):
        with_agent(application, test)


def test_the_list_of_a_large_service_is_made_once() -> None:
    commands = {}
    for number in range(200):

        @command(summary=f"Number {number}")
        async def one(line: Line, note: str = "") -> Node:
            raise NotImplementedError

        commands[f"command_{number}"] = one
    large: Any = type("Large", (Service,), commands)
    application = large.asgi()

    async def test() -> None:
        async with agent(application) as client:
            assert len((await client.list_tools()).tools) == 200
        endpoint = application.application._mcp
        first = endpoint._face.tools
        async with agent(application) as client:
            listed = (await client.list_tools()).tools
        assert application.application._mcp is endpoint
        assert endpoint._face.tools is first
        assert len("".join(tool.model_dump_json() for tool in listed)) < 400_000

    asyncio.run(test())


def test_the_endpoint_can_be_turned_off_and_a_command_may_have_its_path(ask: Ask) -> None:
    assert ask(Orders, "POST", "/mcp", json={}, options=HttpOptions(mcp=False)).status_code == 404

    @command(method="POST", path="/mcp")
    async def own() -> str:
        return "mine"

    class Own(Service):
        own_path = own

    assert ask(Own, "POST", "/mcp", json={}).json() == "mine"


def test_a_mounted_service_has_it_under_its_prefix(mode: Mode) -> None:
    async def test(client: Client) -> None:
        assert (await client.call_tool("total", {"lines": []})).structured_content == {"result": 0}
        [about] = (await client.read_resource("service-kit://orders/openapi.json")).contents
        assert '"servers":[{"url":"http://orders.test/shop"}]' in about.model_dump()["text"]

    outer = Starlette(routes=[Mount("/shop", Orders.asgi())])
    with_agent(outer, test, mode=mode, path="/shop/mcp")


def test_other_methods_are_not_served(ask: Ask) -> None:
    for method in ("GET", "DELETE"):
        response = ask(Orders, method, "/mcp")
        assert response.status_code == 405
        assert "POST" in response.headers["allow"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"jsonrpc": "2.0"}', b"\xff"])
def test_what_is_no_message_is_refused(ask: Ask, body: bytes) -> None:
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    response = ask(Orders, "POST", "/mcp", content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["code"] in (-32700, -32600, -32602)


def test_a_machine_without_the_sdk_is_told_the_cure(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("service_kit.http.mcp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    response = ask(Orders, "POST", "/mcp", json={})
    assert response.status_code == 501
    assert "pip install 'service-kit[server]'" in response.json()["detail"]
    assert ask(Orders, "GET", "/orders").status_code == 200
