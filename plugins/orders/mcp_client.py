"""The official MCP client uses the orders service: `python -m plugins.orders.mcp_client http://127.0.0.1:8000`.

Commands are tools, and so are workflows: to start an execution, to ask how it is, to send it a signal.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from mcp import Client


async def tour(client: Client) -> None:
    """Order things, follow the workflows behind, and print what comes back."""
    print(f"told      {client.instructions}")
    for tool in (await client.list_tools()).tools:
        print(f"tool      {tool.name}: {tool.title}")

    await _call(client, "place_order", sku="sofa", quantity=500)
    order = await _call(client, "place_order", sku="sofa", quantity=2, grace_s=0)
    await _call(client, "process_order-signal", id=order["id"], signal="approved", payload="ann")
    await _call(client, "process_order-status", id=order["id"], wait_s=20)

    await _call(client, "remind_daily-start", input={"email": "ann@example.com"}, id="remind-ann")
    await _call(client, "remind_daily-status", id="remind-ann")


async def _call(client: Client, tool: str, **arguments: Any) -> Any:
    print(f"call      {tool}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})")
    result = await client.call_tool(tool, arguments)
    if result.is_error:
        problem = result.structured_content
        print(f"  error   {problem['status']} {problem['detail']}")
    else:
        print(f"  answer  {result.structured_content}")
    return result.structured_content


async def main(url: str) -> None:
    async with Client(f"{url}/mcp") as client:
        await tour(client)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
