"""A LangChain agent uses the todo service: `python -m plugins.todo.langchain_agent http://127.0.0.1:8000`.

All it knows of the service is its specification: each operation becomes a tool, and a tool's call is an HTTP
request. With ANTHROPIC_API_KEY or OPENAI_API_KEY in the environment (and langchain-anthropic or langchain-openai
installed) a real model decides what to call; without one, a scripted model does.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

# The packages that read specifications are archived and say so at import.
warnings.filterwarnings("ignore", category=DeprecationWarning)

from langchain.agents import create_agent  # noqa: E402
from langchain.chat_models import init_chat_model  # noqa: E402
from langchain_classic.chains.openai_functions.openapi import openapi_spec_to_openai_fn  # noqa: E402
from langchain_community.utilities.openapi import OpenAPISpec  # noqa: E402
from langchain_core.callbacks import CallbackManagerForLLMRun  # noqa: E402
from langchain_core.language_models import BaseChatModel, LanguageModelInput  # noqa: E402
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage  # noqa: E402
from langchain_core.outputs import ChatGeneration, ChatResult  # noqa: E402
from langchain_core.runnables import Runnable  # noqa: E402
from langchain_core.tools import BaseTool, StructuredTool  # noqa: E402
from langchain_core.utils.function_calling import convert_to_openai_tool  # noqa: E402
from pydantic import Field  # noqa: E402

QUESTION = "Put 'water the plants' on my list with high priority, tick it off, and tell me what is done."
MODELS = {"ANTHROPIC_API_KEY": "anthropic:claude-sonnet-4-5", "OPENAI_API_KEY": "openai:gpt-4.1"}


def read_tools(url: str) -> list[BaseTool]:
    """Return a tool for each operation of the service's specification."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        functions, call = openapi_spec_to_openai_fn(OpenAPISpec.from_url(f"{url}/openapi.json"))
    return [_tool(function, call) for function in functions]


def _tool(function: dict[str, Any], call: Callable[..., Any]) -> BaseTool:
    def request(**arguments: Any) -> str:
        response = call(function["name"], arguments)
        print(f"  {response.request.method} {response.request.url} -> {response.status_code}")
        return f"{response.status_code} {response.text}"

    return StructuredTool(
        name=function["name"],
        description=function["description"],
        args_schema=function["parameters"],
        func=request,
    )


class ScriptedModel(BaseChatModel):
    """A chat model without a mind: it does what QUESTION asks, by the tools that it was offered."""

    tools: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        offered = [convert_to_openai_tool(tool)["function"] for tool in tools]
        return self.model_copy(update={"tools": {function["name"]: function for function in offered}})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        told = [m.text.partition(" ") for m in messages if isinstance(m, ToolMessage)]
        answers = [json.loads(body) for _status, _space, body in told]
        return ChatResult(generations=[ChatGeneration(message=self._next(answers))])

    def _next(self, answers: list[Any]) -> AIMessage:
        """Return the next step, by how many calls were answered so far."""
        match answers:
            case []:
                return self._call("add_todo", title="water the plants", priority="high")
            case [added]:
                return self._call("complete_todo", todo_id=added["id"])
            case [_, _]:
                return self._call("list_todos", status="done")
            case _:
                titles = [todo["title"] for todo in answers[-1]["todos"]]
                return AIMessage(f"Done: {', '.join(titles)}.")

    def _call(self, name: str, **arguments: Any) -> AIMessage:
        """Return the call of a tool, each argument where the tool's schema has a place for it."""
        places = self.tools[name]["parameters"]["properties"]
        placed: dict[str, dict[str, Any]] = {}
        for argument, value in arguments.items():
            place = next(p for p, schema in places.items() if argument in schema["properties"])
            placed.setdefault(place, {})[argument] = value
        return AIMessage("", tool_calls=[ToolCall(name=name, args=placed, id=f"call-{name}")])


def choose_model() -> BaseChatModel:
    """Return a real model if there is a key for one, or else the scripted one."""
    for variable, model in MODELS.items():
        if os.environ.get(variable):
            chosen: BaseChatModel = init_chat_model(model)
            return chosen
    return ScriptedModel()


def main(url: str) -> None:
    tools = read_tools(url)
    print(f"tools     {', '.join(tool.name for tool in tools)}")
    agent = create_agent(choose_model(), tools)
    print(f"question  {QUESTION}")
    state = agent.invoke({"messages": [HumanMessage(QUESTION)]})
    print(f"answer    {state['messages'][-1].text}")


if __name__ == "__main__":
    main(*sys.argv[1:])
