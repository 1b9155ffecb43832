"""Workflows as tools: start, status, signal, with the access that callers have over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from pydantic import BaseModel

from service_kit import ApiKey, LocalHost, Service, ServiceError, Signal, State, command, workflow
from tests.http.agents import BASE, agent, with_agent

approved = Signal("approved", str)
priced = Signal("priced", int)
step = State("step", str)


class Shipment(BaseModel):
    order_id: str
    by: str


class Refused(ServiceError, status=409):
    why: str


@workflow
async def ship(order_id: str, urgent: bool = False) -> Shipment:
    """Ship an order when somebody has approved it."""
    step.set("waiting")
    by = await approved.receive()
    if by == "nobody":
        raise Refused(why="nobody approved")
    if by == "bug":
        raise RuntimeError("the password is swordfish")
    return Shipment(order_id=order_id, by=by)


@workflow
async def count() -> int:
    return await priced.receive()


@command
async def ping() -> str:
    return "pong"


class Orders(Service):
    ping = ping
    ship = ship
    count = count
    approved = approved
    priced = priced
    step = step


Test = Callable[[Client], Awaitable[None]]


def with_host(folder: Path, test: Test, service: type[Service] = Orders, **options: Any) -> None:
    """Run a test with a client of a running host."""

    async def run() -> None:
        async with LocalHost(service, folder / "orders.db") as host, agent(host.asgi(), **options) as client:
            await test(client)

    asyncio.run(run())


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def fail(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return result.structured_content


def test_an_execution_is_started_signalled_and_awaited_by_tools(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        started = await call(client, "ship-start", input={"order_id": "o-1"}, id="mine")
        assert started == {"id": "mine"}
        again = await call(client, "ship-start", input={"order_id": "o-1"}, id="mine")
        assert again == started
        assert (await call(client, "ship-status", id="mine"))["status"] == "running"
        await call(client, "ship-signal", id="mine", signal="approved", payload="ann")
        ended = await call(client, "ship-status", id="mine", wait_s=20)
        assert ended["status"] == "succeeded"
        assert ended["result"] == {"order_id": "o-1", "by": "ann"}
        assert ended["states"] == {"step": "waiting"}

    with_host(tmp_path, test)


def test_a_paused_execution_says_so_and_tells_an_operator_why(tmp_path: Path) -> None:
    async def run() -> None:
        async with LocalHost(Orders, tmp_path / "orders.db") as host, agent(host.asgi()) as client:
            await call(client, "count-start", id="c-1")
            await host.runtime.management.pause("c-1", "the counter is repaired")
            told = await call(client, "count-status", id="c-1")
            assert (told["paused"], told["paused_reason"]) == (True, "the counter is repaired")

    asyncio.run(run())


def test_schemas_are_the_workflows_own(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {
            "ping", "ship-start", "ship-status", "ship-signal", "count-start", "count-status", "count-signal",
        }  # fmt: skip
        start = tools["ship-start"].input_schema
        assert set(start["properties"]["input"]["properties"]) == {"order_id", "urgent"}
        assert start["required"] == ["input"]
        assert tools["ship-start"].description is not None
        assert tools["ship-start"].description.startswith("Ship an order when somebody has approved it.\n")
        assert list(tools["count-start"].input_schema["properties"]) == ["id"]
        signal = tools["ship-signal"].input_schema["properties"]
        assert signal["signal"]["enum"] == ["approved", "priced"]
        assert signal["payload"]["anyOf"] == [{"type": "string"}, {"type": "integer"}]
        status = tools["ship-status"]
        assert status.output_schema is not None
        assert status.output_schema["properties"]["result"]["$ref"] == "#/$defs/Shipment"
        assert status.annotations is not None
        assert status.annotations.read_only_hint

    with_host(tmp_path, test)


def test_endings_that_are_no_results_are_told_without_the_inside(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        for id, by in (("a", "nobody"), ("b", "bug")):
            await call(client, "ship-start", input={"order_id": "o"}, id=id)
            await call(client, "ship-signal", id=id, signal="approved", payload=by)
        declared = await call(client, "ship-status", id="a", wait_s=20)
        assert declared["status"] == "failed"
        assert declared["error"]["type"] == "Refused"
        assert declared["error"]["why"] == "nobody approved"
        unexpected = await call(client, "ship-status", id="b", wait_s=20)
        assert unexpected["error"] == {
            "type": "WorkflowFailed",
            "detail": "the workflow failed; its history knows why",
        }

    with_host(tmp_path, test)


def test_mistakes_are_tool_errors(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        assert (await fail(client, "ship-status", id="nobody"))["type"].endswith(":ExecutionNotFound")
        assert (await fail(client, "ship-start", input={"colour": "red"}))["status"] == 422
        await call(client, "ship-start", input={"order_id": "o"}, id="mine")
        assert (await fail(client, "ship-start", input={"order_id": "other"}, id="mine"))["status"] == 409
        wrong = await fail(client, "ship-signal", id="mine", signal="priced", payload="much")
        assert wrong["errors"][0]["loc"] == ["payload"]
        assert (await fail(client, "ship-signal", id="mine", signal="unknown", payload=1))["status"] == 422
        assert (await fail(client, "ship-status", id="mine", wait_s="long"))["status"] == 422

    with_host(tmp_path, test)


def test_the_tools_of_one_workflow_do_not_reach_executions_of_another(tmp_path: Path) -> None:
    async def test(client: Client) -> None:
        await call(client, "count-start", id="counting")
        assert (await fail(client, "ship-status", id="counting"))["status"] == 404
        refused = await fail(client, "ship-signal", id="counting", signal="priced", payload=3)
        assert refused["status"] == 404
        await call(client, "count-signal", id="counting", signal="priced", payload=3)
        assert (await call(client, "count-status", id="counting", wait_s=20))["result"] == 3

    with_host(tmp_path, test)


def test_callers_whom_the_schemes_do_not_admit_cannot_start_anything(tmp_path: Path) -> None:
    async def find(key: str) -> str | None:
        return "ann" if key == "right" else None

    class Guarded(Orders, security=[ApiKey(find)]):
        pass

    async def test(client: Client) -> None:
        assert (await call(client, "count-start", id="c"))["id"] == "c"

    with_host(tmp_path, test, Guarded, headers={"x-api-key": "right"})

    async def stranger() -> int:
        import httpx

        async with LocalHost(Guarded, tmp_path / "orders.db") as host:
            transport = httpx.ASGITransport(host.asgi())
            async with httpx.AsyncClient(transport=transport) as http:
                params = {"name": "count-start", "arguments": {}}
                message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
                headers = {"accept": "application/json, text/event-stream"}
                return (await http.post(f"{BASE}/mcp", json=message, headers=headers)).status_code

    assert asyncio.run(stranger()) == 401


def test_a_service_without_schemes_lets_programs_of_this_machine_start_workflows_and_no_others(
    tmp_path: Path,
) -> None:
    async def test(client: Client) -> None:
        refused = await fail(client, "count-start")
        assert (refused["status"], "this machine only" in refused["detail"]) == (403, True)
        assert (await call(client, "ping"))["result"] == "pong"

    with_host(tmp_path, test, headers={"x-forwarded-for": "192.0.2.1"})


def test_without_its_runtime_a_service_offers_no_tools_of_workflows() -> None:
    async def test(client: Client) -> None:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["ping"]

    with_agent(Orders, test)


@pytest.mark.parametrize("name", ["start", "status"])
def test_a_command_of_a_similar_name_does_not_clash(tmp_path: Path, name: str) -> None:
    @command
    async def similar() -> str:
        return "the command"

    clashing: Any = type("Clashing", (Orders,), {f"ship_{name}": similar})

    async def test(client: Client) -> None:
        assert (await call(client, f"ship_{name}"))["result"] == "the command"
        assert f"ship-{name}" in {tool.name for tool in (await client.list_tools()).tools}

    with_host(tmp_path, test, clashing)
