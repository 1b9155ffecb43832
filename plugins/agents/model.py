"""The model of the agents here: a real one if there is a key for it, or else one that follows a script."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from langchain.chat_models import init_chat_model
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

MODELS = {"ANTHROPIC_API_KEY": "anthropic:claude-sonnet-4-5", "OPENAI_API_KEY": "openai:gpt-4.1"}


@dataclass(frozen=True, slots=True)
class Say:
    """End with this answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Use:
    """Call a tool."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])


Script: TypeAlias = Callable[[list[Any]], Use | Say]
"""The next step, from the answers of the tools so far: what was JSON as data, anything else as text."""


class ScriptedModel(BaseChatModel):
    """A chat model without a mind: it does what its script says, by the tools that it was offered."""

    script: Script
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
        answers = [_answer(m.text) for m in messages if isinstance(m, ToolMessage)]
        match self.script(answers):
            case Say(text):
                message = AIMessage(text)
            case Use(tool, arguments):
                call = ToolCall(name=tool, args=self._placed(tool, arguments), id=f"call-{len(answers)}")
                message = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _placed(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return each argument where the tool's schema has a place for it: by itself, or inside `json` or `params`."""
        places = self.tools[tool]["parameters"]["properties"]
        placed: dict[str, Any] = {}
        for argument, value in arguments.items():
            if argument in places:
                placed[argument] = value
            else:
                place = next(p for p, schema in places.items() if argument in schema.get("properties", ()))
                placed.setdefault(place, {})[argument] = value
        return placed


def _answer(text: str) -> Any:
    status, _, body = text.partition(" ")  # the tools of the specification begin with the status
    try:
        return json.loads(body if status.isdecimal() and body else text)
    except ValueError:
        return text


def choose_model(script: Script) -> BaseChatModel:
    """Return a real model if there is a key for one, or else the scripted one."""
    for variable, model in MODELS.items():
        if os.environ.get(variable):
            chosen: BaseChatModel = init_chat_model(model)
            return chosen
    return ScriptedModel(script=script)
