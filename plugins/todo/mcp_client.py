"""The official MCP client uses the todo service: `python -m plugins.todo.mcp_client http://127.0.0.1:8000`.

Without a URL it does what a desktop agent does: it starts `service-kit mcp` itself, and talks to it over pipes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import TextContent

OVER_PIPES = StdioServerParameters(
    command=str(Path(sys.executable).with_name("service-kit")),
    args=["mcp", "plugins.todo.service:Todos"],
    env=dict(os.environ),
)


async def tour(client: Client) -> None:
    """Look at what there is, use some of it, and print what comes back."""
    for tool in (await client.list_tools()).tools:
        hints = tool.annotations
        kind = "reads" if hints and hints.read_only_hint else "writes"
        print(f"tool      {tool.name} ({kind}): {tool.title}")
    print(f"resources {', '.join(r.name for r in (await client.list_resources()).resources)}")
    print(f"prompts   {', '.join(p.name for p in (await client.list_prompts()).prompts)}")

    for title in ("buy milk", "file taxes"):
        await _call(client, "add_todo", title=title)
    await _call(client, "get_todo", todo_id=9)

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        print(f"  item {progress:g}  {message}")

    print("call      export_todos, a stream")
    exported = await client.call_tool("export_todos", {}, progress_callback=tell)
    print(f"  together  {len(exported.structured_content['items'])} todos")

    [message] = (await client.get_prompt("plan_day", {"day": "2030-04-15"})).messages
    assert isinstance(message.content, TextContent)
    print(f"prompt    {message.content.text}")


async def _call(client: Client, tool: str, **arguments: Any) -> None:
    print(f"call      {tool}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})")
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        problem = result.structured_content
        print(f"  error   {problem['status']} {problem['detail']}")
    else:
        print(f"  answer  {result.structured_content}")


async def main(log: TextIO, url: str | None = None) -> None:
    async with Client(f"{url}/mcp" if url else stdio_client(OVER_PIPES, log)) as client:
        await tour(client)


if __name__ == "__main__":
    with Path(os.devnull).open("w") as no_log:  # the server writes its own to stderr
        asyncio.run(main(no_log, *sys.argv[1:]))
