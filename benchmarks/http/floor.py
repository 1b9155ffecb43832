"""Raw ASGI and TypeAdapters: the floor, with no framework at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError

from benchmarks.orders import baskets, order_of, orders, placements

HEADERS = [(b"content-type", b"application/json")]


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status = 200
    try:
        if scope["path"] == "/orders":
            answer = orders.dump_json(order_of(placements.validate_json(body)))
        else:
            answer = baskets.dump_json(baskets.validate_json(body))
    except ValidationError as error:
        status, answer = 422, error.json().encode()
    length = (b"content-length", str(len(answer)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*HEADERS, length]})
    await send({"type": "http.response.body", "body": answer})
