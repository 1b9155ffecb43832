"""LangChain uses the orders plugin: `python -m plugins.orders.langchain_plugin http://127.0.0.1:8000`.

LangChain's own classes, unmodified: the plugin tool reads the manifest and guides a model to the specification; the
model orders by plain requests.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from plugins.agents.agent import ask
from plugins.agents.by_manifest import plugin_tools
from plugins.agents.model import Say, Script, Use

QUESTION = "Order a chair for me, and tell me when it is on its way."


def script_of(url: str) -> Script:
    def script(answers: list[Any]) -> Use | Say:
        match answers:
            case []:
                return Use("orders")
            case [_guide]:
                order = {"url": f"{url}/orders", "data": {"sku": "chair", "grace_s": 0}}
                return Use("requests_post", {"text": json.dumps(order)})
            case [_, placed]:
                return Use("requests_get", {"url": f"{url}/orders/{placed['id']}?wait_s=20"})
            case _:
                return Say(f"Your {answers[-1]['sku']} is {answers[-1]['status']}.")

    return script


def main(url: str) -> None:
    ask(QUESTION, plugin_tools(url), script_of(url))


if __name__ == "__main__":
    main(*sys.argv[1:])
