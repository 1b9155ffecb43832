"""Calls that tools make: the same routes, checks and middleware as over HTTP, on behalf of whoever asked."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_core import from_json

from service_kit.contract.exchange import Request, Response
from service_kit.contract.route import RPC_PREFIX
from service_kit.http import access_log
from service_kit.http.application import Application
from service_kit.http.router import Found

_OF_THE_MESSAGE = frozenset(
    {b"accept", b"content-encoding", b"content-length", b"content-type", b"if-none-match"}
)
"""Headers that speak of the protocol's message, and not of the call in it."""


Progress: TypeAlias = Callable[[str], Awaitable[None]]
"""Tells the caller of an item, as JSON, while others are still to come."""


@dataclass(slots=True)
class Caller:
    """Who asks: the request that his message came with, whose headers, address and identity his calls have."""

    request: Request
    refusal: Response | None = None
    """The 401 that one of his calls met: over HTTP it is the answer to the message."""
    tell: Progress | None = None
    """Tells him of progress, where the protocol's own way has no room for it."""


class Failed(Exception):
    """A call that was answered by something else than a result."""

    def __init__(self, response: Response) -> None:
        super().__init__(str(response.status))
        self.response = response


class Calls:
    """The RPC routes of one application."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def offers(self, name: str) -> bool:
        """Tell whether there is a call of this name."""
        return self.has("POST", RPC_PREFIX + name)

    def has(self, method: str, path: str) -> bool:
        """Tell whether there is a route."""
        return isinstance(self.application.find(method, path), Found)

    async def call(self, caller: Caller, name: str, body: bytes) -> Response:
        """Return the answer of a route; a stream's items are still to come."""
        application, started_s = self.application, time.perf_counter()
        request = _request(caller.request, name, body)
        found = application.find(request.method, request.path)
        response = await application.handle(request, found)
        if response.status == 401:
            caller.refusal = response
        if access_log.enabled():
            access_log.record(request, response.status, started_s)
        return response

    async def document(self, caller: Caller, path: str) -> str:
        """Return a document of the service as this caller would get it; raise Failed."""
        request = _request(caller.request, "", b"")
        request.method, request.path = "GET", path
        response = await self.application.handle(request, self.application.find("GET", path))
        if response.status != 200:
            raise Failed(response)
        return response.body.decode()

    async def result(self, caller: Caller, name: str, arguments: Mapping[str, Any]) -> Any:
        """Return what a route answers, as data; raise Failed."""
        response = await self.call(caller, name, encode(arguments))
        if response.status >= 400:
            raise Failed(response)
        return from_json(response.body) if response.body else None


def encode(arguments: Any) -> bytes:
    """Return JSON for what was JSON; characters that UTF-8 cannot encode are for the command to refuse."""
    return json.dumps(arguments, separators=(",", ":")).encode()


def media_type(response: Response) -> str:
    """Return the type of an answer's body, without its parameters."""
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


async def events(stream: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    """Yield kind and data of each event of a stream, as `http.streaming` writes them: one line of data each."""
    rest = b""
    async for chunk in stream:
        *blocks, rest = (rest + chunk).split(b"\n\n")
        for block in blocks:
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"data" in fields:
                yield fields.get(b"event", b"message").decode(), fields[b"data"]


def _request(around: Request, name: str, body: bytes) -> Request:
    lines = [line for line in around.raw_headers if line[0] not in _OF_THE_MESSAGE]
    return Request(
        "POST",
        RPC_PREFIX + name,
        around.query_string,
        [*lines, (b"content-type", b"application/json")],
        around.root_path,
        around.scheme,
        around.server,
        around.client,
        body,
        around.identity,
        around.request_id,
    )
