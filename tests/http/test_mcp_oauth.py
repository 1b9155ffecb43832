"""The official client's own OAuth: from our 401 to the issuer of tokens, and back with one."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import parse_qs

import httpx2
import jwt
import pytest
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from service_kit import Jwt, Service, command
from tests.http.agents import BASE, Mode

ISSUER = "http://id.test"
SECRET = "s" * 32


class Claims(BaseModel):
    sub: str


token = Jwt(Claims, ISSUER, "orders", key=SECRET, algorithms=["HS256"])


@command
async def whoami() -> str:
    return token.caller().sub


@command(security=[])
async def greet() -> str:
    return "hello"


class Closed(Service, security=[token]):
    whoami = whoami


class Mixed(Closed):
    greet = greet


class Issuer:
    """An authorization server for clients who have a secret."""

    def __init__(self) -> None:
        self.asked: list[dict[str, list[str]]] = []
        routes = [
            Route("/.well-known/oauth-authorization-server", self._metadata),
            Route("/token", self._token, methods=["POST"]),
        ]
        self.application = Starlette(routes=routes)

    async def _metadata(self, _: Request) -> JSONResponse:
        return JSONResponse(
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
                "response_types_supported": ["code"],
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        )

    async def _token(self, request: Request) -> JSONResponse:
        self.asked.append(parse_qs((await request.body()).decode()))
        claims = {"sub": "ann", "iss": ISSUER, "aud": "orders", "exp": int(time.time()) + 600}
        issued = jwt.encode(claims, SECRET, "HS256")
        return JSONResponse({"access_token": issued, "token_type": "Bearer", "expires_in": 600})


class Memory:
    """Where the client keeps its token."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@pytest.mark.parametrize("service", [Closed, Mixed], ids=["at the handshake", "at the call"])
def test_a_client_without_a_token_is_led_to_one(service: Any, mode: Mode) -> None:
    issuer = Issuer()
    mounts = {
        "http://orders.test": httpx2.ASGITransport(service.asgi()),
        ISSUER: httpx2.ASGITransport(issuer.application),
    }

    async def run() -> None:
        provider = ClientCredentialsOAuthProvider(
            f"{BASE}/mcp", Memory(), "agent", "secret", "client_secret_post", issuer=ISSUER
        )
        async with (
            httpx2.AsyncClient(mounts=mounts, auth=provider) as http,
            Client(streamable_http_client(f"{BASE}/mcp", http_client=http), mode=mode) as client,
        ):
            called = await client.call_tool("whoami", {})
            assert called.structured_content == {"result": "ann"}

    asyncio.run(run())
    [asked] = issuer.asked
    assert asked["resource"] == [f"{BASE}/mcp"]
