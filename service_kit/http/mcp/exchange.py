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
from pydantic_core import to_json

from service_kit.contract.exchange import RawHeaders, Response
from service_kit.http.mcp.calls import Caller
from service_kit.http.mcp.face import CALLER
from service_kit.http.scopes import scope_of
from service_kit.http.streaming import HEARTBEAT

PATH = "/mcp"
OPENED_S = 5.0
"""A watched call that is silent for so long is answered by events all the same: only these notice a hang-up."""

_EVENTS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would collect the stream
]


class Exchange:
    """A message on its way through the SDK."""

    def __init__(self, server: Server[Any], caller: Caller, limit_bytes: int) -> None:
        self._server = server
        self._caller = caller
        self._limit_bytes = limit_bytes
        self._received = False
        self._status = 500
        self._headers: RawHeaders = []
        self._body = b""

    async def whole(self) -> Response:
        """Return the answer as JSON."""
        manager = StreamableHTTPSessionManager(
            self._server, json_response=True, stateless=True, max_request_body_size=self._limit_bytes
        )
        async with manager.run():
            request = self._caller.request
            scope = {**scope_of(request, PATH, request.raw_headers), CALLER: self._caller}
            await manager.handle_request(scope, self._receive, self._send)
        headers = [line for line in self._headers if line[0] not in (b"content-length", b"connection")]
        return Response(self._status, headers, self._body)

    async def watched(self, token: str | int) -> Response:
        """Return the answer as events, progress before the result; as JSON if there was nothing to tell before it.

        The SDK's own events are not used: its library ends them when the process is told to end, and polls for that
        for ever.
        """
        told: asyncio.Queue[bytes | None] = asyncio.Queue()
        count = 0

        async def tell(item: str) -> None:
            nonlocal count
            count += 1
            params = {"progressToken": token, "progress": count, "message": item}
            told.put_nowait(to_json({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}))

        self._caller.tell = tell
        running = asyncio.create_task(self.whole())
        running.add_done_callback(lambda _: told.put_nowait(None))
        try:
            first = await asyncio.wait_for(told.get(), OPENED_S)
        except TimeoutError:
            opening = HEARTBEAT
        except BaseException:
            running.cancel()
            raise
        else:
            if first is None:
                return await running
            opening = _event(first)
        return Response(200, list(_EVENTS), stream=_events(opening, told, running))

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._received:
            # Nobody tells us that a caller has hung up: his call ends as every command does, and a stream in time.
            await asyncio.Event().wait()
        self._received = True
        return {"type": "http.request", "body": self._caller.request.body, "more_body": False}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", ()))
        else:
            self._body += message.get("body", b"")


async def _events(
    opening: bytes, told: asyncio.Queue[bytes | None], running: asyncio.Task[Response]
) -> AsyncIterator[bytes]:
    try:
        yield opening
        while (item := await told.get()) is not None:
            yield _event(item)
        yield _event((await running).body)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _event(message: bytes) -> bytes:
    return b"event: message\ndata: " + message + b"\n\n"
