"""Tools by MCP: LangChain's own adapter, over HTTP."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from langchain_core._api import LangChainBetaWarning
from langchain_core.tools import BaseTool

# The adapter is in beta and says so at import.
warnings.filterwarnings("ignore", category=LangChainBetaWarning)

from langchain.mcp import MCPAdapter  # noqa: E402


@asynccontextmanager
async def mcp_tools(url: str) -> AsyncGenerator[list[BaseTool]]:
    """Connect to the service at this URL; yield a tool for each of its tools."""
    async with MCPAdapter(f"{url}/mcp") as adapter:
        yield await adapter.list_tools()
