"""The in-process transport: runs an ASGI application without sockets, for tests and for embedding.

The application sees the bytes that a server would hand it, and streams flow as they are made, with back pressure.
It runs in the caller's event loop (in one of its own for sync callers), its lifespan once per loop.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from client_kit.errors import AnswerTooLarge, ConnectionLost
from client_kit.transports.loops import PerLoop
from client_kit.transports.portal import AsyncOnly
from client_kit.wire import EVENT_STREAM, Request, Response

__all__ = ["AsgiApp", "InProcessTransport"]

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_CHUNKS_AHEAD = 4
_GRACE_S = 5.0


class InProcessTransport(AsyncOnly):
    """Call an ASGI application as if it were behind a server: `connect(Orders, "http://test", transport=...)`."""

    def __init__(self, app: AsgiApp) -> None:
        super().__init__()
        self._servers = PerLoop(lambda: _Server(app))

    async def send(self, request: Request) -> Response:
        server = self._servers.get()
        await server.lifespan.started()
        exchange = _Exchange(server, request)
        left_open = False
        try:
            start = await exchange.next()
            status = int(start["status"])
            headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in start.get("headers", ())}
            is_stream = headers.get("content-type", "").startswith(EVENT_STREAM)
            if request.streaming and status == 200 and is_stream:
                left_open = True
                return Response(status, headers, stream=exchange)
            body = b"" if is_stream else await _whole(exchange, request.max_answer_bytes)
            return Response(status, headers, body)
        finally:
            if not left_open:
                exchange.leave()

    async def close_running_loop(self) -> None:
        server = self._servers.pop()
        if server is not None:
            await server.stop()


class _Server:
    """An application in one loop: its lifespan, and the requests that it still works on."""

    def __init__(self, app: AsgiApp) -> None:
        self.app = app
        self.lifespan = _Lifespan(app)
        self.tasks: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Let what is in flight finish, then end the lifespan."""
        if self.tasks:
            _, late = await asyncio.wait(self.tasks, timeout=_GRACE_S)
            for task in late:
                task.cancel()
        await self.lifespan.stop()


class _ClientGone(OSError):
    """What `send` raises in an application whose client has left (ASGI specification 2.4)."""


class _Exchange:
    """One request: the application's asyncio.Task, and what it has sent and the client has not read."""

    def __init__(self, server: _Server, request: Request) -> None:
        self._body: bytes | None = request.body
        self._messages: deque[Message] = deque()
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._gone = asyncio.Event()
        self._ended = False
        # An empty context: variables of the caller do not cross a network either.
        self._task = asyncio.get_running_loop().create_task(
            _run(server.app, _scope(request), self._receive, self._send), context=contextvars.Context()
        )
        server.tasks.add(self._task)
        self._task.add_done_callback(server.tasks.discard)
        self._task.add_done_callback(self._finished)

    async def next(self) -> Message:
        """Return the application's next message; raise ConnectionLost if it stopped short of one."""
        while not self._messages:
            if self._task.done():
                error = None if self._task.cancelled() else self._task.exception()
                shown = f"the application failed: {error!r}" if error else "the application stopped early"
                raise ConnectionLost(shown) from error
            self._news.clear()
            await self._news.wait()
        self._space.set()
        return self._messages.popleft()

    async def read(self) -> bytes:
        while not self._ended:
            message = await self.next()
            self._ended = not message.get("more_body", False)
            if message.get("body"):
                return bytes(message["body"])
        return b""

    def leave(self) -> None:
        """Tell the application that its client is gone; it goes on or not, as behind a server."""
        self._gone.set()
        self._space.set()

    async def close(self) -> None:
        """Leave, and give the application the time to hear of it."""
        self.leave()
        await asyncio.wait({self._task}, timeout=_GRACE_S)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._news.set()
        if self._gone.is_set() and not task.cancelled():
            error = task.exception()
            if error is not None and not isinstance(error, _ClientGone):  # nobody else will hear of it
                task.get_loop().call_exception_handler(
                    {"message": "the application failed after its client left", "exception": error}
                )

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        while len(self._messages) >= _CHUNKS_AHEAD and not self._gone.is_set():
            self._space.clear()
            await self._space.wait()
        if self._gone.is_set():
            raise _ClientGone("the client is gone")
        self._messages.append(message)
        self._news.set()


class _Lifespan:
    """The lifespan of an application in one loop."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._stop = asyncio.Event()
        self._settled = asyncio.Event()
        self._failure: str | None = None
        self._task = asyncio.get_running_loop().create_task(self._run(), context=contextvars.Context())

    async def started(self) -> None:
        if not self._settled.is_set():
            await self._settled.wait()
        if self._failure is not None:
            raise ConnectionLost(f"the application did not start: {self._failure}")

    async def stop(self) -> None:
        self._stop.set()
        await self._task

    async def _run(self) -> None:
        messages: list[Message] = [{"type": "lifespan.startup"}]

        async def receive() -> Message:
            if messages:
                return messages.pop()
            await self._stop.wait()
            return {"type": "lifespan.shutdown"}

        async def send(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                self._failure = message.get("message") or "no reason given"
            self._settled.set()

        try:
            await self._app(
                {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.4"}}, receive, send
            )
        except Exception:  # an application without lifespan raises, says the ASGI specification
            if self._settled.is_set():
                raise
        finally:
            self._settled.set()


async def _run(app: AsgiApp, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


async def _whole(exchange: _Exchange, limit: int) -> bytes:
    body = bytearray()
    while chunk := await exchange.read():
        body += chunk
        if len(body) > limit:
            raise AnswerTooLarge(limit)
    return bytes(body)


def _scope(request: Request) -> MutableMapping[str, Any]:
    url = urlsplit(request.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    headers = [(b"host", url.netloc.encode("latin-1")), (b"content-length", str(len(request.body)).encode())]
    headers += [(k.encode("latin-1"), v.encode("latin-1")) for k, v in request.headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": unquote(url.path) or "/",
        "raw_path": (url.path or "/").encode("ascii"),
        "query_string": url.query.encode("ascii"),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": (url.hostname or "", port),
    }
