"""`/mcp` as a route: check, hand over to the protocol, and answer as HTTP where HTTP has the answer."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json, to_json

from service_kit.contract.exchange import Request, Response
from service_kit.http.application import Application
from service_kit.http.mcp.access import Access
from service_kit.http.mcp.calls import Caller
from service_kit.http.mcp.exchange import Exchange
from service_kit.http.mcp.face import Face
from service_kit.http.mcp.tools import Tool
from service_kit.http.problems import KitProblem, respond


class McpEndpoint:
    """The protocol over HTTP for one application."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._access = Access(application.contract, application.options.url)
        self._face = Face(application)
        self._limit_bytes = application.options.body_limit_bytes

    async def answer(self, request: Request) -> Response:
        """Answer one message."""
        self._access.check_origin(request)
        message = _message(request.body)
        tool = self._called(message)
        if tool is None:
            try:
                await self._access.admit(request)
            except KitProblem as refused:
                response = respond(refused, self._application.contract.name, None, request)
                return self._access.challenge(response, request)
        caller = Caller(request)
        exchange = Exchange(self._face.server, caller, self._limit_bytes)
        token = _progress_token(message, request) if tool is not None and tool.streaming else None
        # Without events nobody could see the progress; all else is JSON.
        response = await (exchange.whole() if token is None else exchange.watched(token))
        if caller.refusal is None:
            return response
        return self._access.challenge(caller.refusal, request)

    async def metadata(self, request: Request) -> Response:
        """Tell who issues the tokens that admit to `/mcp`."""
        body = to_json(self._access.metadata(request))
        return Response(200, [(b"content-type", b"application/json"), (b"cache-control", b"no-cache")], body)

    def _called(self, message: dict[str, Any]) -> Tool | None:
        """Return the tool that a message calls."""
        params = message.get("params")
        if message.get("method") != "tools/call" or not isinstance(params, dict):
            return None
        name = params.get("name")
        return self._face.tools.get(name) if isinstance(name, str) else None


def _progress_token(message: dict[str, Any], request: Request) -> str | int | None:
    """Return by what the caller knows progress of this call, if he asks for it and takes events."""
    accepted = request.header(b"accept") or ""
    if not any(kind in accepted for kind in ("text/event-stream", "text/*", "*/*")):
        return None
    meta = message["params"].get("_meta")
    token = meta.get("progressToken") if isinstance(meta, dict) else None
    return token if isinstance(token, str | int) else None


def _message(body: bytes) -> dict[str, Any]:
    """Return the message as far as it can be read; what is wrong with it, the protocol tells."""
    try:
        message = from_json(body)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
