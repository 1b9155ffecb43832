"""A running service's MCP for desktop agents that know pipes only: asked for something, it asks the service."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared._httpx_utils import create_mcp_http_client

Context = ServerRequestContext[Any, Any]


@asynccontextmanager
async def relayed(url: str, headers: Mapping[str, str]) -> AsyncGenerator[Server[Any]]:
    """Connect to the service at this URL, and return a server that is its image."""
    async with (
        create_mcp_http_client(headers=dict(headers)) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield _server(client)


class _Relay:
    """Handlers that pass on what is asked, and bring back what is answered."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def list_tools(
        self, _: Context, asked: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return await self._client.list_tools(cursor=_cursor(asked))

    async def call_tool(self, context: Context, asked: types.CallToolRequestParams) -> types.CallToolResult:
        async def tell(progress: float, total: float | None, message: str | None) -> None:
            await context.session.report_progress(progress, total, message)

        # Who asks for progress there is answered when a stream ends; who does not, in time.
        watched = context.meta is not None and "progress_token" in context.meta
        return await self._client.call_tool(
            asked.name, asked.arguments, progress_callback=tell if watched else None
        )

    async def list_resources(
        self, _: Context, asked: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        return await self._client.list_resources(cursor=_cursor(asked))

    async def read_resource(
        self, _: Context, asked: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        return await self._client.read_resource(asked.uri)

    async def list_prompts(
        self, _: Context, asked: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        return await self._client.list_prompts(cursor=_cursor(asked))

    async def get_prompt(self, _: Context, asked: types.GetPromptRequestParams) -> types.GetPromptResult:
        return await self._client.get_prompt(asked.name, asked.arguments)


def _server(client: Client) -> Server[Any]:
    relay, about, has_prompts = _Relay(client), client.server_info, client.server_capabilities.prompts
    return Server(
        about.name if about else "service-kit",
        version=about.version if about else "",
        title=about.title if about else None,
        description=about.description if about else None,
        instructions=client.instructions,
        on_list_tools=relay.list_tools,
        on_call_tool=relay.call_tool,
        on_list_resources=relay.list_resources,
        on_read_resource=relay.read_resource,
        on_list_prompts=relay.list_prompts if has_prompts else None,
        on_get_prompt=relay.get_prompt if has_prompts else None,
    )


def _cursor(asked: types.PaginatedRequestParams | None) -> str | None:
    return asked.cursor if asked else None
