"""Who is admitted to tools, and what the others are told: the service's own schemes, as the protocol words them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from mcp.client.client import Client
from pydantic import BaseModel

from service_kit import ApiKey, Cors, Jwt, Service, command
from service_kit.http import HttpOptions
from tests.http.agents import Mode, with_agent
from tests.http.conftest import Ask

verified: list[str] = []


async def find_owner(key: str) -> str | None:
    verified.append(key)
    return {"key-of-ann": "ann", "key-of-ben": "ben"}.get(key)


async def find_admin(key: str) -> str | None:
    return "root" if key == "key-of-root" else None


api_key = ApiKey(find_owner)
admin_key = ApiKey(find_admin, "X-Admin", name="admin")


@command
async def whoami() -> str:
    return api_key.caller()


@command(security=[admin_key])
async def administer() -> str:
    return admin_key.caller()


@command
async def follow() -> AsyncIterator[str]:
    yield api_key.caller()


@command(security=[])
async def greet() -> str:
    return "hello"


class Closed(Service, security=[api_key]):
    whoami = whoami
    administer = administer
    follow = follow


class Mixed(Closed):
    greet = greet


class Claims(BaseModel):
    sub: str


class Tokens(
    Service,
    security=[Jwt(Claims, "https://id.example.com/", "orders", key="k" * 32, algorithms=["HS256"])],
    version="1",
):
    whoami = whoami


def message(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def send(ask: Ask, service: Any, sent: dict[str, Any], **request: Any) -> httpx.Response:
    headers = {"accept": "application/json, text/event-stream", **request.pop("headers", {})}
    return ask(service, "POST", "/mcp", json=sent, headers=headers, **request)


def test_the_key_admits_to_tools_and_tells_the_command_who_calls(mode: Mode) -> None:
    async def test(client: Client) -> None:
        assert len((await client.list_tools()).tools) == 3
        verified.clear()
        assert (await client.call_tool("whoami", {})).structured_content == {"result": "ann"}
        assert verified == ["key-of-ann"], "a call is checked once"

    with_agent(Closed, test, mode=mode, headers={"x-api-key": "key-of-ann"})


def test_a_scheme_of_one_command_admits_to_the_handshake_and_to_that_command(ask: Ask) -> None:
    admin = {"x-admin": "key-of-root"}
    assert send(ask, Closed, message("tools/list"), headers=admin).status_code == 200
    allowed = send(ask, Closed, message("tools/call", name="administer", arguments={}), headers=admin)
    assert allowed.json()["result"]["structuredContent"] == {"result": "root"}
    refused = send(ask, Closed, message("tools/call", name="whoami", arguments={}), headers=admin)
    assert refused.status_code == 401


@pytest.mark.parametrize("sent", [
    message("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"}),
    message("tools/list"),
    message("resources/list"),
    message("tools/call", name="whoami", arguments={}),
    message("tools/call", name="nothing", arguments={}),
    message("tools/call", name="follow", arguments={}, _meta={"progressToken": 1}),
    {"jsonrpc": "2.0"},
])  # fmt: skip
def test_nothing_of_a_closed_service_is_told_to_strangers(ask: Ask, sent: dict[str, Any]) -> None:
    response = send(ask, Closed, sent)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert "X-API-Key" in response.json()["detail"]
    assert send(ask, Closed, sent, headers={"x-api-key": "guessed"}).status_code == 401


def test_where_something_is_open_strangers_see_what_there_is_and_may_call_that(ask: Ask) -> None:
    assert send(ask, Mixed, message("tools/list")).status_code == 200
    greeted = send(ask, Mixed, message("tools/call", name="greet", arguments={}))
    assert greeted.json()["result"]["structuredContent"] == {"result": "hello"}
    assert send(ask, Mixed, message("tools/call", name="whoami", arguments={})).status_code == 401


def test_a_refused_caller_is_led_to_the_issuer_of_tokens(ask: Ask) -> None:
    refused = send(ask, Tokens, message("tools/call", name="whoami", arguments={}))
    where = "http://orders.test/.well-known/oauth-protected-resource/mcp"
    assert refused.headers["www-authenticate"] == f'Bearer resource_metadata="{where}"'
    metadata = ask(Tokens, "GET", "/.well-known/oauth-protected-resource/mcp").json()
    assert metadata == {
        "resource": "http://orders.test/mcp",
        "authorization_servers": ["https://id.example.com/"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Tokens",
    }
    assert ask(Tokens, "GET", "/.well-known/oauth-protected-resource").json() == metadata


def test_the_public_url_is_the_resource(ask: Ask) -> None:
    options = HttpOptions(url="https://api.example.com/orders/")
    metadata = ask(Tokens, "GET", "/.well-known/oauth-protected-resource/mcp", options=options).json()
    assert metadata["resource"] == "https://api.example.com/orders/mcp"
    refused = send(ask, Tokens, message("tools/list"), options=options)
    assert '"https://api.example.com/orders/.well-known/' in refused.headers["www-authenticate"]


def test_a_service_whose_keys_nobody_issues_publishes_no_metadata(ask: Ask) -> None:
    assert ask(Closed, "GET", "/.well-known/oauth-protected-resource/mcp").status_code == 404
    assert "www-authenticate" not in send(ask, Closed, message("tools/list")).headers


class Paged(Service, cors=Cors(["https://app.example.com"])):
    greet = greet


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://localhost:5173", 200),
        ("http://127.0.0.1:8000", 200),
        ("https://app.example.com", 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://orders.test.evil.example", 403),
    ],
)
def test_pages_of_other_origins_are_refused_unless_cors_allows_them(
    ask: Ask, origin: str | None, status: int
) -> None:
    headers = {} if origin is None else {"origin": origin}
    assert send(ask, Paged, message("tools/list"), headers=headers).status_code == status


def test_pages_may_send_the_headers_of_the_protocol(ask: Ask) -> None:
    asked = {"origin": "https://app.example.com", "access-control-request-method": "POST"}
    allowed = ask(Paged, "OPTIONS", "/mcp", headers=asked).headers["access-control-allow-headers"]
    assert {"mcp-protocol-version", "mcp-method", "mcp-name"} <= {*allowed.split(", ")}
    without = ask(Paged, "OPTIONS", "/mcp", headers=asked, options=HttpOptions(mcp=False))
    assert "mcp" not in without.headers["access-control-allow-headers"]


def test_a_name_that_was_pointed_at_this_machine_is_no_own_page(ask: Ask) -> None:
    rebound = {"host": "evil.example:8000", "origin": "http://evil.example:8000"}
    refused = send(ask, Paged, message("tools/list"), headers=rebound)
    assert refused.status_code == 403
    assert "cors=Cors(origins=[...])" in refused.json()["detail"]
    options = HttpOptions(url="http://evil.example:8000")
    assert send(ask, Paged, message("tools/list"), headers=rebound, options=options).status_code == 200
