"""Commands as tools of agents: what is listed, and what a call gives, by the official client."""

from __future__ import annotations

import json
import logging
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import TextContent

from service_kit import Next, Request, Response, Service, command
from tests.http.agents import Mode, with_agent
from tests.http.mcp_shop import Orders, OutOfStock

TWIG = {"name": "c", "children": []}


def test_every_command_is_a_tool_with_its_texts(mode: Mode) -> None:
    async def test(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == list(Orders._contract.commands)
        place = tools["place_order"]
        assert (place.title, place.description) == (
            "Place an order",
            "Place an order. It is shipped in the background.",
        )
        assert place.input_schema == {
            "type": "object",
            "properties": {
                "sku": {"type": "string", "description": "what to order"},
                "quantity": {"type": "integer", "minimum": 1, "default": 1},
                "speed": {"type": "string", "enum": ["slow", "fast"], "default": "slow"},
            },
            "required": ["sku"],
            "additionalProperties": False,
        }
        assert place.output_schema is not None
        assert set(place.output_schema["properties"]) == {"sku", "quantity"}
        assert tools["forget_order"].output_schema is None
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == ("orders", "1.2")
        assert client.instructions == "Take orders."

    with_agent(Orders, test, mode=mode)


def test_annotations_say_what_a_call_may_do() -> None:
    async def test(client: Client) -> None:
        hints = {
            t.name: (
                t.annotations.read_only_hint,
                t.annotations.destructive_hint,
                t.annotations.idempotent_hint,
            )
            for t in (await client.list_tools()).tools
            if t.annotations
        }
        assert hints["list_orders"] == (True, False, True)
        assert hints["place_order"] == (False, True, False)
        assert hints["forget_order"] == (False, True, True)
        assert hints["keep_order"] == (False, False, True)

    with_agent(Orders, test)


def test_every_schema_is_whole_and_an_object(mode: Mode) -> None:
    async def test(client: Client) -> None:
        for tool in (await client.list_tools()).tools:
            for schema in (tool.input_schema, tool.output_schema):
                if schema is not None:
                    jsonschema.Draft202012Validator.check_schema(schema)
                    assert schema["type"] == "object"
                    references = json.dumps(schema).count("#/components")
                    assert references == 0, tool.name
        jsonschema.validate(
            {"name": "a", "children": [{"name": "b"}]},
            {tool.name: tool for tool in (await client.list_tools()).tools}["reverse"].input_schema,
        )

    with_agent(Orders, test, mode=mode)


@pytest.mark.parametrize(
    ("tool", "arguments", "structured"),
    [
        ("place_order", {"sku": "lamp", "quantity": 2}, {"sku": "lamp", "quantity": 2}),
        ("list_orders", {}, {"result": [{"sku": "lamp", "quantity": 1}, {"sku": "chair", "quantity": 2}]}),
        ("forget_order", {"sku": "lamp"}, None),
        ("keep_order", {"sku": "a", "line": {"sku": "b", "quantity": 3}}, {"result": "a: 3"}),
        ("reverse", {"name": "ab", "children": [TWIG]}, {"name": "ba", "children": [TWIG]}),
        ("whole", {"sku": "lamp"}, {"sku": "lamp", "quantity": 1}),
        ("whole", {}, {"sku": "default", "quantity": 7}),
        ("total", {"lines": [{"sku": "a"}, {"sku": "b", "quantity": 4}]}, {"result": 5}),
    ],
)  # fmt: skip
def test_a_call_gives_structured_content_and_the_same_as_text(
    tool: str, arguments: dict[str, Any], structured: Any, mode: Mode
) -> None:
    async def test(client: Client) -> None:
        result = await client.call_tool(tool, arguments)
        assert not result.is_error
        assert result.structured_content == structured
        [content] = result.content
        assert isinstance(content, TextContent)
        told = structured.get("result", structured) if structured else None
        assert content.text == "Done." if told is None else json.loads(content.text) == told

    with_agent(Orders, test, mode=mode)


def test_a_declared_error_is_a_tool_error_with_its_fields(mode: Mode) -> None:
    async def test(client: Client) -> None:
        result = await client.call_tool("place_order", {"sku": "lamp", "quantity": 10})
        assert result.is_error
        problem = result.structured_content
        assert problem["type"] == "urn:problem-type:orders:OutOfStock"
        assert (problem["status"], problem["sku"], problem["left"]) == (409, "lamp", 9)
        [content] = result.content
        assert isinstance(content, TextContent)
        assert json.loads(content.text) == problem

    with_agent(Orders, test, mode=mode)


def test_arguments_that_do_not_fit_are_told_one_by_one() -> None:
    async def test(client: Client) -> None:
        result = await client.call_tool("place_order", {"quantity": 0, "colour": "red"})
        assert result.is_error
        problem = result.structured_content
        assert problem["status"] == 422
        assert {error["loc"][-1] for error in problem["errors"]} == {"sku", "quantity", "colour"}

    with_agent(Orders, test)


def test_an_unexpected_error_says_nothing_of_the_inside(mode: Mode, caplog: pytest.LogCaptureFixture) -> None:
    async def test(client: Client) -> None:
        result = await client.call_tool("break_down", {})
        assert result.is_error
        assert result.structured_content["status"] == 500
        assert "swordfish" not in result.model_dump_json()

    with_agent(Orders, test, mode=mode)
    assert "swordfish" in caplog.text


def test_what_breaks_outside_of_the_command_says_nothing_of_the_inside_either(
    mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    async def garble(request: Request, call_next: Next) -> Response:
        response = await call_next(request)
        response.body = b'{"password": swordfish'
        return response

    class Garbled(Orders, use=[garble]):
        pass

    async def test(client: Client) -> None:
        with pytest.raises(MCPError, match="the service failed; its log knows more"):
            await client.call_tool("list_orders", {})

    with_agent(Garbled, test, mode=mode)
    assert "tools/call failed" in caplog.text


def test_a_command_that_takes_too_long_is_a_tool_error() -> None:
    async def test(client: Client) -> None:
        result = await client.call_tool("dawdle", {})
        assert (result.is_error, result.structured_content["status"]) == (True, 504)

    with_agent(Orders, test)


def test_headers_of_the_caller_reach_the_command_and_those_of_parameters_are_arguments() -> None:
    async def test(client: Client) -> None:
        result = await client.call_tool("traced", {"trace_id": "t-1"})
        assert result.structured_content == {"result": "t-1 me"}

    with_agent(Orders, test, headers={"user-agent-of-test": "me"})


def test_calls_pass_the_middleware_of_service_and_command_and_the_access_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    passed: list[str] = []

    async def outer(request: Request, call_next: Next) -> Response:
        passed.append(f"outer {request.path}")
        return await call_next(request)

    async def inner(request: Request, call_next: Next) -> Response:
        passed.append("inner")
        response = await call_next(request)
        assert response.status == 409
        return response

    @command(use=[inner], errors=[OutOfStock])
    async def buy() -> None:
        raise OutOfStock(sku="lamp", left=0)

    class Shop(Service, use=[outer]):
        buy_it = buy

    async def test(client: Client) -> None:
        assert (await client.call_tool("buy_it", {})).is_error

    caplog.set_level(logging.INFO, "service_kit.access")
    with_agent(Shop, test)
    assert passed == ["outer /rpc/buy_it", "inner"]
    lines = [record.getMessage() for record in caplog.records if record.name == "service_kit.access"]
    assert "POST /rpc/buy_it 409" in lines
    assert "POST /mcp 200" in lines


def test_what_does_not_exist_is_an_error_of_the_protocol() -> None:
    async def test(client: Client) -> None:
        with pytest.raises(MCPError, match="there is no tool 'nothing'"):
            await client.call_tool("nothing", {})

    with_agent(Orders, test)
