"""The application as ASGI: for any server, or mounted inside another application."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from service_kit.contract.exchange import Request, Response
from service_kit.contract.service import AsgiMiddleware
from service_kit.http import access_log
from service_kit.http.application import Application
from service_kit.http.lifespan import LifespanRunner
from service_kit.http.problems import KitProblem
from service_kit.http.raw import REQUEST
from service_kit.http.router import Found
from service_kit.http.scopes import Scope, own_part, request_of
from service_kit.http.streaming import HEARTBEAT

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class AsgiApplication:
    """A service's HTTP face for ASGI servers (specification 3.0), with its lifespan and ASGI middleware."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.lifespan: LifespanRunner = LifespanRunner(application.contract.lifespan)
        self._heartbeat_s = application.options.heartbeat_s
        self._limit = application.options.body_limit_bytes
        self.stopping: bool = False
        """Set by a server that stops: from then on a request that is cancelled is answered, if it has no answer yet."""
        self._http: Callable[[Scope, Receive, Send], Awaitable[None]] = self._serve
        for layer in reversed(application.contract.use):
            if isinstance(layer, AsgiMiddleware):
                self._http = layer.wrap(self._http)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if not self.lifespan.opened:
                await self.lifespan.open()
            self.lifespan.variables.lend()
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._follow_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003, "reason": "this service has no websockets"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started_s = time.perf_counter()
        application = self.application
        request = request_of(scope)
        request.request_id = application.request_id(request.header(b"x-request-id"))
        response = application.preflight(request)
        if response is None:
            raw_path = scope.get("raw_path")
            encoded = own_part(raw_path, scope) if raw_path and b"%" in raw_path else b""
            found = application.find(request.method, request.path, encoded)
            if (
                application.raw is not None
                and not isinstance(found, Found)
                and application.raw.has(scope, found)
            ):
                await self._serve_raw(scope, receive, send, request)
                return
            # Bodies mostly come whole, and small answers go so: each coroutine saved is 2 % of a small request.
            try:
                _check_declared(request.first_lines.get(b"content-length"), self._limit)
                message = await receive()
                body: bytes = message.get("body", b"")
                if message.get("more_body", True) or len(body) > self._limit:
                    body = await self._read(receive, message)
                request.body = body
                response = await application.handle(request, found)
            except _HungUp:
                return
            except asyncio.CancelledError:
                if not self.stopping:
                    raise
                response = application.refuse(request, _cut_off())
            except _TooLarge:
                response = application.refuse(request, application.too_large())
        if response.stream is None or request.method == "HEAD":
            start, whole = _whole(response, request)
            await send(start)
            await send(whole)
        else:
            await self._send_stream(response.stream, response, receive, send)
        if access_log.enabled():
            access_log.record(request, response.status, started_s)

    async def _read(self, receive: Receive, message: Message) -> bytes:
        """Return a body that comes in pieces, of which `message` is the first."""
        pieces, size = list[bytes](), 0
        while message["type"] != "http.disconnect":
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > self._limit:
                raise _TooLarge
            if not message.get("more_body", False):
                return b"".join(pieces)
            message = await receive()
        raise _HungUp

    async def _send_stream(
        self, chunks: AsyncIterator[bytes], response: Response, receive: Receive, send: Send
    ) -> None:
        """Write chunks as they come, heartbeats in between, until the stream ends or the caller hangs up."""
        await send(
            {"type": "http.response.start", "status": response.status, "headers": response.raw_headers}
        )
        sent_at = [time.monotonic()]
        writer = asyncio.create_task(_write(chunks, send, sent_at))
        watcher = asyncio.create_task(_wait_for_hang_up(receive))
        try:
            while not writer.done() and not watcher.done():
                quiet_s = time.monotonic() - sent_at[0]
                await asyncio.wait(
                    {writer, watcher},
                    timeout=max(self._heartbeat_s - quiet_s, 0.01),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not writer.done() and time.monotonic() - sent_at[0] >= self._heartbeat_s:
                    sent_at[0] = time.monotonic()
                    await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})
        finally:
            writer.cancel()
            watcher.cancel()
            await asyncio.gather(writer, watcher, return_exceptions=True)
        if not writer.cancelled():
            writer.result()
            await send({"type": "http.response.body", "body": b""})

    async def _serve_raw(self, scope: Scope, receive: Receive, send: Send, request: Request) -> None:
        application = self.application
        assert application.raw is not None
        started_s = time.perf_counter()
        status, begun, complete = 500, False, False
        extra = [(b"x-request-id", request.request_id.encode("latin-1")), *application.cors_headers(request)]

        async def marked(message: Message) -> None:
            nonlocal status, begun, complete
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)
            complete = message["type"] == "http.response.body" and not message.get("more_body")

        async def refuse(error: Exception) -> None:
            nonlocal status, begun
            response = application.refuse(request, error)
            status, begun = response.status, True
            for message in _whole(response, request):
                await send(message)

        application.enter(request)
        try:
            try:
                if application.gate is not None:
                    await application.gate.admit(request)
            except Exception as error:  # noqa: BLE001 - a refusal, or a verifier that failed: both are answers
                await refuse(error)
                return
            scope[REQUEST] = request
            try:
                await application.raw.application(scope, receive, marked)
            except Exception:
                # Starlette raises again what it has answered; we have logged it, and the caller has his problem.
                if not complete:
                    raise
        except asyncio.CancelledError:
            if begun or not self.stopping:
                raise
            await refuse(_cut_off())
        finally:
            if access_log.enabled():
                access_log.record(request, status, started_s)

    async def _follow_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.lifespan.open()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await self.lifespan.close()
        except Exception as error:
            await send({"type": "lifespan.shutdown.failed", "message": f"{type(error).__name__}: {error}"})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def _cut_off() -> KitProblem:
    detail = (
        "the service is stopping, and ended this request before it was finished; try again where that is safe"
    )
    problem = KitProblem(503, "stopping", detail)
    problem.headers["retry-after"] = "1"
    return problem


class _TooLarge(Exception):
    pass


class _HungUp(Exception):
    pass


def _check_declared(length: bytes | None, limit: int) -> None:
    """Raise _TooLarge for a declared length beyond the limit; what is no number is for the server to judge."""
    # Python reads no numbers of thousands of digits.
    if length is not None and length.isdigit() and (len(length) > 18 or int(length) > limit):
        raise _TooLarge


def _whole(response: Response, request: Request) -> tuple[Message, Message]:
    """Return the two messages of an answer in one piece."""
    headers = response.raw_headers
    if response.status not in (204, 304) and response.stream is None:
        headers.append((b"content-length", b"%d" % len(response.body)))
    body = b"" if request.method == "HEAD" else response.body
    return (
        {"type": "http.response.start", "status": response.status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


async def _write(chunks: AsyncIterator[bytes], send: Send, sent_at: list[float]) -> None:
    try:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            sent_at[0] = time.monotonic()
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


async def _wait_for_hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
