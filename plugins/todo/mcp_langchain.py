"""A LangChain agent with the tools of MCP: `python -m plugins.todo.mcp_langchain http://127.0.0.1:8000`.

LangChain's own adapter asks the service at `/mcp` what there is. Models as in `langchain_agent.py`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from plugins.agents.agent import ask_async
from plugins.agents.by_mcp import mcp_tools
from plugins.agents.model import Say, Use

QUESTION = (
    "Show me todo 7. If there is none, put 'call the plumber' on my list, and tell me all that is on it."
)


def script(answers: list[Any]) -> Use | Say:
    """Do what QUESTION asks, by how many calls were answered so far."""
    match answers:
        case []:
            return Use("get_todo", {"todo_id": 7})
        case [{"status": 404}]:  # the declared error
            return Use("add_todo", {"title": "call the plumber"})
        case [_, {"status": "open"}]:
            return Use("export_todos")
        case _:
            return Say(f"On your list: {', '.join(todo['title'] for todo in answers[-1]['items'])}.")


async def main(url: str) -> None:
    async with mcp_tools(url) as tools:
        await ask_async(QUESTION, tools, script)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
