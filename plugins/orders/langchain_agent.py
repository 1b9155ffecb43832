"""A LangChain agent orders: `python -m plugins.orders.langchain_agent http://127.0.0.1:8000`.

All it knows of the service is its specification: each operation becomes a tool, and a tool's call is an HTTP
request. With ANTHROPIC_API_KEY or OPENAI_API_KEY in the environment a real model decides what to call.
"""

from __future__ import annotations

import sys
from typing import Any

from plugins.agents.agent import ask
from plugins.agents.by_specification import specification_tools
from plugins.agents.model import Say, Use

QUESTION = "Order two of the cheapest article, and tell me when they are on their way."


def script(answers: list[Any]) -> Use | Say:
    """Do what QUESTION asks, by how many calls were answered so far."""
    match answers:
        case []:
            return Use("list_articles")
        case [articles]:
            cheapest = min(articles, key=lambda article: article["price_cents"])
            return Use("place_order", {"sku": cheapest["sku"], "quantity": 2, "grace_s": 0})
        case [_, placed]:
            return Use("get_order", {"order_id": placed["id"], "wait_s": 20})
        case _:
            order = answers[-1]
            return Say(f"{order['quantity']} of '{order['sku']}': {order['status']}.")


def main(url: str) -> None:
    ask(QUESTION, specification_tools(url), script)


if __name__ == "__main__":
    main(*sys.argv[1:])
