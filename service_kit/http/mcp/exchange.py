"""One message over streamable HTTP: through the SDK's own transport, from our request to our response.

Each message gets a session manager of its own, which ends with it: nothing is kept between messages, so that a process
may serve them on any event loop, and Lambda may freeze it after each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from service_kit.contract.exchange import RawHeaders, Response
from service_kit.http.mcp.calls import Caller
from service_kit.http.mcp.face import CALLER

PATH = "/mcp"


class Exchange:
    """A message on its way through the SDK."""

    def __init__(self, server: Server[Any], caller: Caller, limit_bytes: int) -> None:
        self._server = server
        self._caller = caller
        self._limit_bytes = limit_bytes
        self._received = False
        self._status = 500
        self._headers: RawHeaders = []
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def whole(self) -> Response:
        """Return the answer as JSON."""
        await self._run(as_json=True)
        chunks = [self._chunks.get_nowait() for _ in range(self._chunks.qsize())]
        return self._response(b"".join(chunk for chunk in chunks if chunk))

    async def streamed(self) -> Response:
        """Return the answer as events, progress before the result; as JSON if there was nothing to tell before it."""
        running = asyncio.create_task(self._run(as_json=False))
        try:
            # A transport may send its headers long before it is known what follows.
            first = await self._chunks.get()
        except BaseException:
            running.cancel()
            raise
        if first is None:
            await running  # raises what went wrong
            return self._response(b"")
        return self._response(b"", self._rest(first, running))

    def _response(self, body: bytes, stream: AsyncIterator[bytes] | None = None) -> Response:
        headers = [line for line in self._headers if line[0] not in (b"content-length", b"connection")]
        return Response(self._status, headers, body, stream)

    async def _run(self, *, as_json: bool) -> None:
        manager = StreamableHTTPSessionManager(
            self._server, json_response=as_json, stateless=True, max_request_body_size=self._limit_bytes
        )
        try:
            async with manager.run():
                await manager.handle_request(self._scope(), self._receive, self._send)
        finally:
            self._chunks.put_nowait(None)

    async def _rest(self, first: bytes, running: asyncio.Task[None]) -> AsyncIterator[bytes]:
        chunk: bytes | None = first
        try:
            while chunk is not None:
                yield chunk
                chunk = await self._chunks.get()
            await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    def _scope(self) -> MutableMapping[str, Any]:
        request = self._caller.request
        path = request.root_path + PATH
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": request.scheme,
            "path": path,
            "raw_path": path.encode(),
            "root_path": request.root_path,
            "query_string": request.query_string,
            "headers": request.raw_headers,
            "client": request.client,
            "server": request.server,
            CALLER: self._caller,
        }

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._received:
            # A caller who hangs up cancels us; the SDK need not watch for it.
            await asyncio.Event().wait()
        self._received = True
        return {"type": "http.request", "body": self._caller.request.body, "more_body": False}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", ()))
        elif body := message.get("body", b""):
            self._chunks.put_nowait(bytes(body))
