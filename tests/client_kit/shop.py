"""A contract, the same contract as it was a version ago, and a server that answers as a test says.

The server speaks the wire of docs/design/wire.md with bytes of its own, so that both sides are not wrong together.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic import BaseModel

from client_kit import Connection
from service_kit import Service, ServiceError, command

URL = "http://shop.test"


class Order(BaseModel):
    id: str
    sku: str
    quantity: int = 1


class OutOfStock(ServiceError, status=409):
    sku: str
    left: int = 0


class Busy(ServiceError, status=503):
    """Declared, although its status is one that is retried otherwise."""


@command(errors=[OutOfStock, Busy])
async def place(sku: str, quantity: int = 1) -> Order:
    return Order(id="o-1", sku=sku, quantity=quantity)


@command(method="GET", path="/orders/{id}")
async def show(id: str) -> Order:
    return Order(id=id, sku="sku-1")


@command
async def forget(id: str) -> None:
    return None


@command(errors=[OutOfStock])
async def tail(count: int) -> AsyncIterator[Order]:
    for number in range(count):
        yield Order(id=f"o-{number}", sku="sku-1")


class Shop(Service):
    """Sell things."""

    place = place
    show = show
    forget = forget
    tail = tail


@dataclass
class Answer:
    """What the server says next. `chunks` makes it a body that comes in pieces."""

    body: bytes = b'{"id":"o-1","sku":"sku-1","quantity":2}'
    status: int = 200
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] | None = None


def problem(
    status: int, kind: str = "about:blank", *, headers: dict[str, str] | None = None, **members: Any
) -> Answer:
    body = {"type": kind, "title": "T", "status": status, "detail": "D", "request_id": "r-1", **members}
    return Answer(json.dumps(body).encode(), status, "application/problem+json", headers or {})


def stream(*chunks: bytes) -> Answer:
    return Answer(media_type="text/event-stream", chunks=list(chunks))


ITEM = b'data: {"id":"o-%d","sku":"s"}\n\n'
END = b"event: end\ndata: {}\n\n"


@dataclass
class Asked:
    """A request as the server saw it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


Message: TypeAlias = MutableMapping[str, Any]


class ScriptedApp:
    """An ASGI application that gives one prepared answer after the other, and the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers) or [Answer()]
        self.asked: list[Asked] = []
        self.disconnected = False

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = (await receive())["body"]
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        path = scope["raw_path"].decode()
        self.asked.append(Asked(scope["method"], path, scope["query_string"].decode(), headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        sent = {"content-type": answer.media_type, **answer.headers}
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(k.encode(), v.encode()) for k, v in sent.items()],
            }
        )
        for chunk in answer.chunks or ():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if chunk == b":wait\n\n":
                self.disconnected = (await receive())["type"] == "http.disconnect"
                return
        await send({"type": "http.response.body", "body": b"" if answer.chunks is not None else answer.body})


def connection_of(client: Shop) -> Connection[Any]:
    return client._connection
