"""`langchain-mcp-adapters` use the orders service: `python -m plugins.orders.mcp_adapters http://127.0.0.1:8000`.

The package works with version 1 of the protocol's SDK, so it lives in an environment of its own: nothing of this
repository is imported here.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from langchain_mcp_adapters.client import (  # type: ignore[import-not-found]  # not installed here
    MultiServerMCPClient,
)


async def main(url: str) -> None:
    client = MultiServerMCPClient({"orders": {"transport": "streamable_http", "url": f"{url}/mcp"}})
    tools = {tool.name: tool for tool in await client.get_tools()}
    print(f"tools     {', '.join(tools)}")

    async def call(name: str, **arguments: Any) -> Any:
        print(f"call      {name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})")
        [block] = await tools[name].ainvoke(arguments)
        print(f"  answer  {block['text'][:100]}")
        return json.loads(block["text"])

    await call("list_articles")
    order = await call("place_order", sku="lamp", grace_s=0)
    await call("process_order-status", id=order["id"], wait_s=20)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
