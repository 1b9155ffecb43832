"""A LangChain agent at work: every call that it makes and every answer that it gets, printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool

from plugins.agents.model import Script, choose_model

SHOWN = 100
"""Characters of an answer that are printed."""


def ask(question: str, tools: Sequence[BaseTool], script: Script) -> None:
    """Let an agent answer a question by these tools, from sync code."""
    agent = _begin(question, tools, script)
    _print(agent.invoke({"messages": [HumanMessage(question)]})["messages"])


async def ask_async(question: str, tools: Sequence[BaseTool], script: Script) -> None:
    """Let an agent answer a question by these tools."""
    agent = _begin(question, tools, script)
    _print((await agent.ainvoke({"messages": [HumanMessage(question)]}))["messages"])


def _begin(question: str, tools: Sequence[BaseTool], script: Script) -> Any:
    print(f"tools     {', '.join(tool.name for tool in tools)}")
    print(f"question  {question}")
    return create_agent(choose_model(script), list(tools))


def _print(messages: Sequence[BaseMessage]) -> None:
    for message in messages:
        match message:
            case AIMessage(tool_calls=[_, *_] as calls):
                for call in calls:
                    arguments = ", ".join(f"{name}={value!r}" for name, value in call["args"].items())
                    print(f"call      {call['name']}({arguments})")
            case ToolMessage():
                text = " ".join(message.text.split())
                failed = "error" if message.status == "error" else "answer"
                print(f"  {failed}  {text[:SHOWN]}{'...' if len(text) > SHOWN else ''}")
            case AIMessage():
                print(f"says      {message.text}")
            case _:
                continue
