"""`langchain-mcp-adapters` use the todo service: `python -m plugins.todo.mcp_adapters http://127.0.0.1:8000`.

The package works with version 1 of the protocol's SDK, so it lives in an environment of its own: nothing of this
repository is imported here.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from langchain_mcp_adapters.client import (  # type: ignore[import-not-found]  # not installed here
    MultiServerMCPClient,
)


async def main(url: str) -> None:
    client = MultiServerMCPClient({"todos": {"transport": "streamable_http", "url": f"{url}/mcp"}})
    tools = {tool.name: tool for tool in await client.get_tools()}
    print(f"tools     {', '.join(tools)}")

    async def call(name: str, **arguments: Any) -> None:
        print(f"call      {name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})")
        [block] = await tools[name].ainvoke(arguments)
        print(f"  answer  {block['text'][:100]}")

    await call("add_todo", title="buy milk", due="2030-04-15")
    await call("complete_todo", todo_id=1)
    await call("get_todo", todo_id=9)
    await call("export_todos")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
