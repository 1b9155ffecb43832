"""MCP over stdin and stdout, as desktop agents start a server: this process, until its input ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from service_kit.contract.exchange import Request
from service_kit.http import AsgiApplication
from service_kit.http.mcp.face import Face

DRAIN_S = 1.0
"""What tasks in flight may take to end: an agent that has closed the pipe waits two seconds before it kills."""


async def serve_over_pipes(opening: AbstractAsyncContextManager[Server[Any]]) -> None:
    """Serve what is opened until stdin ends; on SIGTERM or SIGINT the process ends when it is closed.

    Meanwhile file descriptor 1 is stderr, so that what the service prints stays out of the protocol.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows ends the process itself
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, told.set)
    async with stdio_server() as (reading, writing), AsyncExitStack() as stack:
        server = await stack.enter_async_context(opening)
        serving = asyncio.create_task(
            server.run(reading, writing, server.create_initialization_options()), name="mcp"
        )
        ending = asyncio.create_task(told.wait())
        await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            ending.cancel()
            serving.result()
            return
        serving.cancel()
        await stack.aclose()
        os._exit(0)  # a thread waits for stdin, and nothing can wake it


@asynccontextmanager
async def served_alone(application: AsgiApplication, caller: Request) -> AsyncGenerator[Server[Any]]:
    """Run a service in this process for the one caller at the other end of the pipes."""
    await application.lifespan.open()
    try:
        yield Face(application.application, caller).server
    finally:
        await application.lifespan.close()
