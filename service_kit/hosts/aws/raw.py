"""Raw routes and ASGI middleware on Lambda: the ASGI application, driven by Mangum."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, TypeAlias, cast

from mangum import Mangum

from service_kit.contract.exchange import Request, Response
from service_kit.hosts.aws.answers import ROOM_BYTES, AnswerTooLarge
from service_kit.hosts.aws.loop import STOP_BEFORE_S, DeadlinePassed
from service_kit.http import AsgiApplication
from service_kit.http.scopes import scope_of

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


def carry(
    application: AsgiApplication,
    request: Request,
    raw_path: bytes,
    invocation: Mapping[str, Any],
    remaining_s: float | None,
) -> Response:
    """Answer a request by the ASGI application, on the thread's event loop; raise DeadlinePassed, AnswerTooLarge.

    `invocation` becomes part of the scope: `aws.event` and `aws.context`, where users of Mangum look for them.
    """
    bounded = _Bounded(application, remaining_s)
    mangum = Mangum(bounded, lifespan="off", custom_handlers=[_Exchange])
    answer = mangum({"scope": _scope(request, raw_path, invocation), "body": request.body}, cast(Any, None))
    if bounded.failure is not None:
        raise bounded.failure
    return cast(Response, answer["response"])


class _Bounded:
    """An ASGI application that ends in time, and answers no more than Lambda carries."""

    def __init__(self, application: AsgiApplication, remaining_s: float | None) -> None:
        self._application = application
        self._limit_s = None if remaining_s is None else max(remaining_s - STOP_BEFORE_S, 0.0)
        self._room = ROOM_BYTES
        self._send: Send | None = None
        self.failure: Exception | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        self._send = send
        deadline = asyncio.timeout(self._limit_s)
        try:
            async with deadline:
                await self._application(scope, receive, self._count)
        except TimeoutError:
            if deadline.expired():
                self.failure = DeadlinePassed()
            raise
        except AnswerTooLarge as error:
            self.failure = error
            raise

    async def _count(self, message: Message) -> None:
        self._room -= len(message.get("body", b""))
        if self._room < 0:
            raise AnswerTooLarge
        assert self._send is not None
        await self._send(message)


class _Exchange:
    """What Mangum takes for a source of events: scopes and responses that are ours already."""

    def __init__(self, event: dict[str, Any], *_: Any) -> None:
        self._event = event

    @classmethod
    def infer(cls, event: object, context: object, config: object) -> bool:
        return True

    @property
    def body(self) -> bytes:
        return cast(bytes, self._event["body"])

    @property
    def scope(self) -> Message:
        return cast(Message, self._event["scope"])

    def __call__(self, response: Mapping[str, Any]) -> dict[str, Any]:
        headers = [(bytes(name).lower(), bytes(value)) for name, value in response["headers"]]
        return {"response": Response(response["status"], headers, response["body"])}


def _scope(request: Request, raw_path: bytes, invocation: Mapping[str, Any]) -> Message:
    request_id = (b"x-request-id", request.request_id.encode("latin-1"))
    # The application takes the request id from the caller; here the caller is Lambda.
    headers = [line for line in request.raw_headers if line[0] != b"x-request-id"] + [request_id]
    return {**scope_of(request, request.path, headers, raw_path), **invocation}
