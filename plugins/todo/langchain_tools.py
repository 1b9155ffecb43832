"""A LangChain agent with typed tools: `python -m plugins.todo.langchain_tools http://127.0.0.1:8000`.

`client_kit.langchain.tools` makes a structured tool of each command: first of the typed client, whose types check
what the model sends, then of the URL alone. Models as in `langchain_agent.py`.
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
from plugins.todo.service import Todos

QUESTION = "Show me todo 7. If there is none, put 'call the plumber' on my list, tick it off, and tell me what is done."


def script(answers: list[Any]) -> Use | Say:
    """Do what QUESTION asks, by how many calls were answered so far."""
    match answers:
        case []:
            return Use("get_todo", {"todo_id": 7})
        case [str()]:  # the declared error
            return Use("add_todo", {"title": "call the plumber"})
        case [_, added]:
            return Use("complete_todo", {"todo_id": added["id"]})
        case [_, _, _]:
            return Use("list_todos", {"status": "done", "contains": "plumber"})
        case _:
            return Say(f"Done: {', '.join(todo['title'] for todo in answers[-1]['todos'])}.")


async def main(url: str) -> None:
    async with connect(Todos, url) as todos:
        await ask_async(QUESTION, tools(todos), script)
    print("and by the URL alone:")
    async with RemoteService(url) as service:
        await ask_async(
            QUESTION, tools(service, names=["get_todo", "add_todo", "complete_todo", "list_todos"]), script
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
