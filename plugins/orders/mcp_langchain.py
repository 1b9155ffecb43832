"""A LangChain agent with the tools of MCP: `python -m plugins.orders.mcp_langchain http://127.0.0.1:8000`.

LangChain's own adapter asks the service at `/mcp` what there is: commands, and the workflows behind them.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from plugins.agents.agent import ask_async
from plugins.agents.by_mcp import mcp_tools
from plugins.agents.model import Say, Use

QUESTION = "Order two sofas for me, approve that as ann, and tell me by which parcel they come."


def script(answers: list[Any]) -> Use | Say:
    """Do what QUESTION asks, by how many calls were answered so far."""
    match answers:
        case []:
            return Use("place_order", {"sku": "sofa", "quantity": 2, "grace_s": 0})
        case [placed]:
            return Use("process_order-signal", {"id": placed["id"], "signal": "approved", "payload": "ann"})
        case [placed, _]:
            return Use("process_order-status", {"id": placed["id"], "wait_s": 20})
        case _:
            return Say(f"They come with parcel {answers[-1]['result']['tracking_id']}.")


async def main(url: str) -> None:
    async with mcp_tools(url) as tools:
        await ask_async(QUESTION, tools, script)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
