"""`/mcp` behind API Gateway and function URLs: messages in, JSON out, nothing kept between two invocations."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from service_kit import AwsIam, Service, ServiceError, command
from service_kit.hosts.aws import LambdaHandler
from tests.hosts.aws.conftest import Answer, Ask, Context, Source
from tests.hosts.aws.recorded import USER_ARN, http_api_2

iam = AwsIam()


class OutOfStock(ServiceError, status=409):
    sku: str


@command(errors=[OutOfStock])
async def place_order(sku: str) -> str:
    if sku == "gone":
        raise OutOfStock(sku=sku)
    return f"o-{sku}"


@command
async def follow() -> AsyncIterator[int]:
    yield 1
    yield 2


@command(security=[iam])
async def whoami() -> str:
    return iam.caller().user_arn


class Orders(Service):
    place_order = place_order
    follow = follow
    whoami = whoami


def event(
    source: Source, method: str, headers: dict[str, str] | None = None, **params: Any
) -> dict[str, Any]:
    made = source("POST", "/mcp")
    added = {"accept": "application/json, text/event-stream", **(headers or {})}
    for name, value in added.items():
        made["headers"] = {k: v for k, v in made["headers"].items() if k.lower() != name} | {name: value}
        if made.get("multiValueHeaders"):
            kept = {k: v for k, v in made["multiValueHeaders"].items() if k.lower() != name}
            made["multiValueHeaders"] = kept | {name: [value]}
    made["body"] = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    return made


def result(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["result"]


def test_every_source_of_events_reaches_the_tools(
    handler_of: Callable[..., LambdaHandler], ask: Ask, source: Source
) -> None:
    handler = handler_of(Orders)
    asked: dict[str, Any] = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    assert result(ask(handler, event(source, "initialize", **asked)))["serverInfo"]["name"] == "orders"
    tools = result(ask(handler, event(source, "tools/list")))["tools"]
    assert [tool["name"] for tool in tools] == ["place_order", "follow", "whoami"]
    called = result(ask(handler, event(source, "tools/call", name="place_order", arguments={"sku": "a"})))
    assert called["structuredContent"] == {"result": "o-a"}
    failed = result(ask(handler, event(source, "tools/call", name="place_order", arguments={"sku": "gone"})))
    assert (failed["isError"], failed["structuredContent"]["sku"]) == (True, "gone")


def test_the_newest_revision_needs_no_handshake(ask: Ask, source: Source) -> None:
    version = "2026-07-28"
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {"mcp-protocol-version": version, "mcp-method": "tools/call", "mcp-name": "place_order"}
    params: dict[str, Any] = {"name": "place_order", "arguments": {"sku": "a"}, "_meta": meta}
    called = result(ask(Orders, event(source, "tools/call", headers, **params)))
    assert called["structuredContent"] == {"result": "o-a"}


def test_progress_is_collected_with_the_result(ask: Ask) -> None:
    params: dict[str, Any] = {"name": "follow", "arguments": {}, "_meta": {"progressToken": "p"}}
    answer = ask(Orders, event(http_api_2, "tools/call", **params))
    assert answer.headers["content-type"].startswith("text/event-stream")
    messages = [
        json.loads(line[6:]) for line in answer.body.decode().splitlines() if line.startswith("data: ")
    ]
    assert [m["params"]["message"] for m in messages[:-1]] == ["1", "2"]
    assert messages[-1]["result"]["structuredContent"] == {"items": [1, 2], "complete": True}


def test_the_gateway_says_who_calls_a_tool(ask: Ask) -> None:
    named = event(http_api_2, "tools/call", name="whoami", arguments={})
    assert ask(Orders, named).status == 401
    named["requestContext"]["authorizer"] = {"iam": {"userArn": USER_ARN, "accountId": "123456789012"}}
    assert result(ask(Orders, named))["structuredContent"] == {"result": USER_ARN}


def test_a_notification_is_accepted(ask: Ask, source: Source) -> None:
    made = event(source, "notifications/initialized")
    made["body"] = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert ask(Orders, made).status == 202


def test_the_time_of_the_function_is_kept(handler_of: Callable[..., LambdaHandler], ask: Ask) -> None:
    @command
    async def dawdle() -> str:
        await asyncio.Event().wait()
        return ""

    class Slow(Service):
        slow = dawdle

    handler = handler_of(Slow)
    late = ask(handler, event(http_api_2, "tools/call", name="slow", arguments={}), Context(remaining_ms=400))
    assert late.status == 504
    assert result(ask(handler, event(http_api_2, "tools/list")))["tools"][0]["name"] == "slow"
