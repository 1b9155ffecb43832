"""A service as a server of the protocol: what is listed, and what happens when something of it is asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypeAlias

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from service_kit.contract.exchange import Request
from service_kit.contract.prompt import InvalidPromptArguments, Prompt
from service_kit.http.application import Application
from service_kit.http.mcp.calls import Caller, Calls, Failed, Progress
from service_kit.http.mcp.resources import Resources
from service_kit.http.mcp.schemas import ToolSchemas
from service_kit.http.mcp.tools import Tool, command_tools
from service_kit.openapi.text import words

Context: TypeAlias = ServerRequestContext[Any, Any]

CALLER = "service_kit.caller"
"""Where the scope of a message's request holds its `Caller`."""

logger: logging.Logger = logging.getLogger("service_kit.mcp")


class Face:
    """Tools, resources and prompts of one application; lists are made once and kept."""

    def __init__(self, application: Application, alone: Request | None = None) -> None:
        """Make the face; `alone` stands for the caller where messages come without a request."""
        self._application = application
        self._alone = alone
        calls = Calls(application)
        tools = _tools(calls)
        self.tools: Mapping[str, Tool] = {tool.described.name: tool for tool in tools}
        self._listed = types.ListToolsResult(tools=[tool.described for tool in tools])
        self._resources = Resources(calls)
        self._prompts: Mapping[str, Prompt] = {p.name: p for p in application.contract.prompts}
        self.server: Server[Any] = self._server()
        self.server.middleware.append(_opaque)

    def _server(self) -> Server[Any]:
        contract = self._application.contract
        has_prompts = bool(self._prompts)
        return Server(
            contract.name,
            version=contract.version,
            title=words(contract.title),
            description=contract.description or None,
            instructions=contract.plugin.description_for_model or contract.description or None,
            get_tool_input_schema=self._input_schema,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_read_resource=self._read_resource,
            on_list_prompts=self._list_prompts if has_prompts else None,
            on_get_prompt=self._get_prompt if has_prompts else None,
        )

    def _input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self.tools.get(name)
        return tool.described.input_schema if tool else None

    async def _list_tools(self, _: Context, __: object) -> types.ListToolsResult:
        return self._listed

    async def _call_tool(self, context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = self.tools.get(params.name)
        if tool is None:
            raise MCPError(code=types.INVALID_PARAMS, message=f"there is no tool '{params.name}'")
        caller = self._caller(context)
        progress = caller.tell if context.request is not None else _progress(context)
        return await tool.call(params.arguments or {}, caller, progress)

    async def _list_resources(self, _: Context, __: object) -> types.ListResourcesResult:
        return types.ListResourcesResult(resources=self._resources.listed())

    async def _read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        try:
            found = await self._resources.read(params.uri, self._caller(context))
        except Failed as failure:
            raise MCPError(code=types.INTERNAL_ERROR, message=f"'{params.uri}': {failure}") from None
        if found is None:
            raise MCPError(code=types.INVALID_PARAMS, message=f"there is no resource '{params.uri}'")
        return types.ReadResourceResult(contents=[found])

    async def _list_prompts(self, _: Context, __: object) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=[_described(prompt) for prompt in self._prompts.values()])

    async def _get_prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        prompt = self._prompts.get(params.name)
        if prompt is None:
            raise MCPError(code=types.INVALID_PARAMS, message=f"there is no prompt '{params.name}'")
        self._application.enter(self._caller(context).request)
        try:
            text = await prompt.render(params.arguments or {})
        except InvalidPromptArguments as error:
            raise MCPError(code=types.INVALID_PARAMS, message=str(error)) from None
        except Exception as error:
            logger.exception("%s failed", prompt.where)
            raise MCPError(code=types.INTERNAL_ERROR, message="the prompt failed") from error
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
        return types.GetPromptResult(description=prompt.description or None, messages=[message])

    def _caller(self, context: Context) -> Caller:
        if context.request is not None:
            caller: Caller = context.request.scope[CALLER]
            return caller
        assert self._alone is not None, "messages without a request come over pipes alone"
        return Caller(self._alone)


def _progress(context: Context) -> Progress | None:
    """Return what tells the caller at the other end of a pipe of progress; None if he did not ask for it."""
    if context.meta is None or context.meta.get("progress_token") is None:
        return None
    told = 0

    async def progress(item: str) -> None:
        nonlocal told
        told += 1
        await context.session.report_progress(told, message=item)

    return progress


async def _opaque(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Log a failure of ours, and tell nothing of it: to older clients the SDK would send its message."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except Exception as error:
        logger.exception("%s failed", ctx.method)
        raise MCPError(code=types.INTERNAL_ERROR, message="the service failed; its log knows more") from error


def _tools(calls: Calls) -> list[Tool]:
    schemas = ToolSchemas(calls.application.contract)
    tools = command_tools(calls, schemas)
    if calls.application.contract.workflows:
        from service_kit.http.mcp.workflows import workflow_tools

        tools += workflow_tools(calls, schemas)
    return tools


def _described(prompt: Prompt) -> types.Prompt:
    arguments = [
        types.PromptArgument(name=a.name, description=a.description or None, required=a.required)
        for a in prompt.arguments
    ]
    return types.Prompt(
        name=prompt.name,
        title=prompt.title,
        description=prompt.description or None,
        arguments=arguments or None,
    )
