"""Streaming commands as server-sent events (HTML Standard, section 9.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from service_kit.contract.command import StreamCommand
from service_kit.contract.exchange import Request, Response
from service_kit.http.problems import KitProblem, respond

HEARTBEAT = b":\n\n"
MEDIA_TYPE = b"text/event-stream"
TURN_S = 0.01
"""For so long a stream may keep the event loop to itself."""

_HEADERS = [
    (b"content-type", MEDIA_TYPE),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would collect the stream
]
_END = b"event: end\ndata: {}\n\n"


def event_stream(
    service: str,
    declared: StreamCommand[..., Any],
    request: Request,
    arguments: dict[str, Any],
    limit_s: float | None,
) -> Response:
    """Return the response whose chunks are the command's items; it ends with one `end` or one `error` event."""
    return Response(200, list(_HEADERS), stream=_events(service, declared, request, arguments, limit_s))


async def _events(
    service: str,
    declared: StreamCommand[..., Any],
    request: Request,
    arguments: dict[str, Any],
    limit_s: float | None,
) -> AsyncIterator[bytes]:
    dump = declared.codec.output.serializer.to_json
    try:
        items = _limited(declared.function(**arguments), limit_s)
        try:
            async for item in items:
                yield b"data: " + dump(item, by_alias=True, warnings="error") + b"\n\n"
        finally:
            await items.aclose()  # type: ignore[attr-defined]  # `_limited` is an async generator
    except Exception as error:  # noqa: BLE001 - it is told to the caller, and logged if it is ours
        yield b"event: error\ndata: " + respond(error, service, declared, request).body + b"\n\n"
    else:
        yield _END


async def _limited(items: AsyncIterator[Any], limit_s: float | None) -> AsyncIterator[Any]:
    """Pass items on until the deadline, then raise; close the source in every case.

    A source that waits for nothing has to let others have their turn: so long as a caller takes whatever comes, or has
    hung up, sending waits for nothing either.
    """
    clock = asyncio.get_running_loop().time
    turn_at = clock()
    deadline = None if limit_s is None else turn_at + limit_s
    try:
        while True:
            now = clock()
            if now - turn_at >= TURN_S:
                await asyncio.sleep(0)
                turn_at = clock()
            if deadline is not None and now >= deadline:  # a source that never waits is never cancelled
                raise _too_late(limit_s)
            scope = asyncio.timeout_at(deadline)
            try:
                async with scope:
                    item = await anext(items)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if not scope.expired():
                    raise
                raise _too_late(limit_s) from None
            yield item
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


def _too_late(limit_s: float | None) -> KitProblem:
    return KitProblem(504, "timeout", f"the stream did not end within {limit_s:g} s")
