"""MCP over stdin and stdout, as desktop agents start a server: this process, until its input ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from service_kit.contract.exchange import Request
from service_kit.http import AsgiApplication
from service_kit.http.lifespan import LifespanRunner
from service_kit.http.mcp.face import Face

logger: logging.Logger = logging.getLogger("service_kit.mcp")

DRAIN_S = 1.0
"""What tasks in flight may take to end: an agent that has closed the pipe waits two seconds before it kills."""


async def serve_over_pipes(opening: AbstractAsyncContextManager[Server[Any]]) -> None:
    """Serve what is opened until stdin ends; on SIGTERM or SIGINT the process ends when it is closed.

    Whatever the service prints goes to stderr: stdout is the protocol's.
    """
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows ends the process itself
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, told.set)
    opened: list[Server[Any]] = []

    @asynccontextmanager
    async def lifespan() -> AsyncGenerator[None]:
        async with opening as server:
            opened.append(server)
            yield

    # Held open by a task of its own, it can be closed while the pipes are still open.
    runner = LifespanRunner(lifespan)
    with contextlib.redirect_stdout(sys.stderr):
        await runner.open()
    try:
        async with stdio_server() as (reading, writing):
            server = opened[0]
            serving = asyncio.create_task(
                server.run(reading, writing, server.create_initialization_options()), name="mcp"
            )
            ending = asyncio.create_task(told.wait())
            await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
            failure = serving.exception() if serving.done() else None
            if failure is not None:
                logger.error("the protocol broke down", exc_info=failure)
            if failure is not None or not serving.done():
                await runner.close()
                os._exit(0 if failure is None else 1)  # a thread waits for stdin, and nothing can wake it
    finally:
        with contextlib.redirect_stdout(sys.stderr):
            await runner.close()


@asynccontextmanager
async def served_alone(application: AsgiApplication, caller: Request) -> AsyncGenerator[Server[Any]]:
    """Run a service in this process for the one caller at the other end of the pipes."""
    await application.lifespan.open()
    try:
        yield Face(application.application, caller).server
    finally:
        await application.lifespan.close()
