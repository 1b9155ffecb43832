"""A LangChain agent with typed tools: `python -m plugins.orders.langchain_tools http://127.0.0.1:8000`.

`client_kit.langchain.tools` makes a structured tool of each command of the typed client. Its types check what the
model sends, and a declared error is something that the model reads and acts on.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from client_kit import connect
from client_kit.langchain import tools
from client_kit.tools import RemoteService
from plugins.agents.agent import ask_async
from plugins.agents.model import Say, Use
from plugins.orders.service import Orders

QUESTION = "Order 500 sofas, or a lamp if there are not enough of them, and tell me when it is on its way."


def script(answers: list[Any]) -> Use | Say:
    """Do what QUESTION asks, by how many calls were answered so far."""
    match answers:
        case []:
            return Use("place_order", {"sku": "sofa", "quantity": 500})
        case [str()]:  # the declared error
            return Use("place_order", {"sku": "lamp", "grace_s": 0})
        case [_, placed]:
            return Use("get_order", {"order_id": placed["id"], "wait_s": 20})
        case _:
            return Say(f"Your {answers[-1]['sku']} is {answers[-1]['status']}.")


async def main(url: str) -> None:
    async with connect(Orders, url) as orders:
        await ask_async(QUESTION, tools(orders), script)
    print("and by the URL alone:")
    async with RemoteService(url) as service:
        await ask_async(QUESTION, tools(service), script)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
