"""A desktop agent: it starts `service-kit mcp` itself, and talks to it over pipes by the official client."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.cli.running import ROOT, SCRIPT

Mode: TypeAlias = Literal["auto", "legacy"]

SHOP = '''
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from service_kit import ApiKey, Service, Signal, command, current_request, prompt, workflow

print("printed at import")
agreed = Signal("agreed", str)

@asynccontextmanager
async def lifespan():
    print("opened")
    yield
    print("closed", file=sys.stderr)

async def find(key: str) -> str | None:
    return "ann" if key == "right" else None

header, query = ApiKey(find), ApiKey(find, "k", "query", "q")

@command
async def add(a: int, b: int) -> int:
    print("printed by a command")
    return a + b

@command
async def follow(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number

@command(security=[header])
async def by_header() -> str:
    return header.caller()

@command(security=[query])
async def by_query() -> str:
    return query.caller()

@command
async def user() -> str:
    return current_request().headers["x-user"]

@workflow
async def agree(on: str) -> str:
    return f"{on}: {await agreed.receive()}"

@prompt
def greet(name: str) -> str:
    return f"Greet {name}."

class Shop(Service, prompts=[greet], lifespan=lifespan):
    """Add things up."""
    add = add
    follow = follow
    by_header = by_header
    by_query = by_query
    user = user
    agree = agree
    agreed = agreed
'''


@asynccontextmanager
async def desktop(folder: Path, *arguments: str, mode: Mode = "auto") -> AsyncGenerator[Client]:
    """Start the command as an agent does, and connect to it."""
    script = folder / "service-kit"
    script.write_text(SCRIPT)
    parameters = StdioServerParameters(
        command=sys.executable,
        args=[str(script), "mcp", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with (folder / "stderr").open("w") as errors:
        async with Client(stdio_client(parameters, errlog=errors), mode=mode) as client:
            yield client


def with_desktop(folder: Path, test: Callable[[Client], Awaitable[None]], *arguments: str, **how: Any) -> str:
    """Run a test with a connected client; return what the process has said on stderr."""

    async def run() -> None:
        async with desktop(folder, *arguments, **how) as client:
            await test(client)

    asyncio.run(run())
    return (folder / "stderr").read_text()


async def result(client: Client, tool: str, **arguments: Any) -> Any:
    found = await client.call_tool(tool, arguments)
    assert not found.is_error, found.content
    return found.structured_content
