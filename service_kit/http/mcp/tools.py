"""Tools: one for each command, which is called as every caller calls it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import mcp_types as types
from pydantic_core import from_json

from service_kit.contract.command import AnyCommand
from service_kit.contract.exchange import Response
from service_kit.http.mcp.calls import Caller, Calls, Progress, encode, events, media_type
from service_kit.http.mcp.results import failed, structured, succeeded
from service_kit.http.mcp.schemas import Described, ToolSchemas

Arguments: TypeAlias = Mapping[str, Any]

COLLECTED_BYTES = 1024 * 1024
"""Of a stream's items in one result, which is more than models read; what is beyond it is not asked for."""
COLLECTED_S = 25.0
"""Of a stream that nobody watches: then its caller gets what has come. API Gateway waits for 29 s."""


class Tool(Protocol):
    """What a client may call."""

    @property
    def described(self) -> types.Tool: ...

    @property
    def streaming(self) -> bool: ...

    async def call(
        self, arguments: Arguments, caller: Caller, progress: Progress | None
    ) -> types.CallToolResult:
        """Return the result; whatever goes wrong is one, too. Without `progress` nobody watches the call."""
        ...


class CommandTool:
    """A command with one answer."""

    streaming = False

    def __init__(self, declared: AnyCommand, schemas: ToolSchemas, calls: Calls) -> None:
        self._declared = declared
        self._calls = calls
        self._arguments = schemas.arguments(declared.name)
        self._result = self._described_result(schemas)
        self.described: types.Tool = types.Tool(
            name=declared.name,
            title=declared.summary,
            description=declared.description or declared.summary,
            input_schema=self._arguments.schema,
            output_schema=self._result.schema if self._result else None,
            annotations=_annotations(declared),
        )

    async def call(
        self, arguments: Arguments, caller: Caller, progress: Progress | None
    ) -> types.CallToolResult:
        """Return the result; whatever goes wrong is one, too."""
        response = await self._calls.call(caller, self._declared.name, self._body(arguments))
        return await self._read(response, progress)

    def _described_result(self, schemas: ToolSchemas) -> Described | None:
        return schemas.result(self._declared.name)

    def _body(self, arguments: Arguments) -> bytes:
        flat, member = self._declared.codec.rpc.flat, self._arguments.member
        if flat is not None and not flat.required and not arguments:
            return b""  # the parameter's own default, which need not be the model's defaults
        return encode(arguments if member is None else arguments.get(member))

    async def _read(self, response: Response, progress: Progress | None) -> types.CallToolResult:
        if response.status >= 300:
            return failed(response)
        if self._result is None:
            return succeeded(response.body.decode("utf-8", "replace") or "Done.")
        if media_type(response) != "application/json":
            return failed(response)  # middleware answered in its own way
        return succeeded(response.body.decode(), self._result.wrap(from_json(response.body)))


class StreamTool(CommandTool):
    """A streaming command: its items are progress, and all of them together the result."""

    streaming = True

    def _described_result(self, schemas: ToolSchemas) -> Described | None:
        return schemas.items(self._declared.name)

    async def _read(self, response: Response, progress: Progress | None) -> types.CallToolResult:
        if response.stream is None or response.status >= 300:
            return failed(response)
        items, size, complete = list[Any](), 0, True
        stream = response.stream
        limit = asyncio.timeout(COLLECTED_S if progress is None else None)
        try:
            async with limit:
                async for kind, data in events(stream):
                    if kind == "error":
                        return failed(Response(500, [(b"content-type", b"application/problem+json")], data))
                    if kind == "end":
                        break
                    if progress is not None:
                        await progress(data.decode())
                    size += len(data)
                    if size > COLLECTED_BYTES:
                        complete = False
                        break
                    items.append(from_json(data))
        except TimeoutError:
            if not limit.expired():
                raise
            complete = False
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
        return structured({"items": items, "complete": complete})


def command_tools(calls: Calls, schemas: ToolSchemas) -> list[Tool]:
    """Return a tool for each command of the service."""
    commands = calls.application.contract.commands.values()
    return [(StreamTool if c.streaming else CommandTool)(c, schemas, calls) for c in commands]


def _annotations(declared: AnyCommand) -> types.ToolAnnotations:
    """Return what an agent may take a call for; it asks its user before a destructive one."""
    reads = declared.method in ("GET", "HEAD") and not declared.consequential
    return types.ToolAnnotations(
        read_only_hint=reads,
        destructive_hint=declared.consequential,
        idempotent_hint=declared.idempotent,
    )
