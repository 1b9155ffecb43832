"""A LangChain agent uses the todo service: `python -m plugins.todo.langchain_agent http://127.0.0.1:8000`.

All it knows of the service is its specification: each operation becomes a tool, and a tool's call is an HTTP
request. With ANTHROPIC_API_KEY or OPENAI_API_KEY in the environment (and langchain-anthropic or langchain-openai
installed) a real model decides what to call; without one, a scripted model does.
"""

from __future__ import annotations

import sys
from typing import Any

from plugins.agents.agent import ask
from plugins.agents.by_specification import specification_tools
from plugins.agents.model import Say, Use

QUESTION = "Put 'water the plants' on my list with high priority, tick it off, and tell me what is done."


def script(answers: list[Any]) -> Use | Say:
    """Do what QUESTION asks, by how many calls were answered so far."""
    match answers:
        case []:
            return Use("add_todo", {"title": "water the plants", "priority": "high"})
        case [added]:
            return Use("complete_todo", {"todo_id": added["id"]})
        case [_, _]:
            return Use("list_todos", {"status": "done"})
        case _:
            return Say(f"Done: {', '.join(todo['title'] for todo in answers[-1]['todos'])}.")


def main(url: str) -> None:
    ask(QUESTION, specification_tools(url), script)


if __name__ == "__main__":
    main(*sys.argv[1:])
