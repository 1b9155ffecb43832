"""How requests reach a service. Each module is one way; `httpx` is the default.

A transport sends bytes and knows nothing of commands, retries or credentials.
"""

from __future__ import annotations

from typing import Protocol

from client_kit.wire import Request, Response

__all__ = ["Transport"]


class Transport(Protocol):
    """A way to a service, with an async and a sync side.

    `send` and `send_sync` return the answer with its whole body, at most `request.max_answer_bytes` of it, without
    following redirects. If `request.streaming` and the answer is 200 with `text/event-stream`, they leave
    its body open in `response.stream`. They raise ConnectFailed if the request certainly never left,
    ConnectionLost otherwise, AnswerTooLarge. `send` is cancelled when the call's time is over; `send_sync` keeps
    `request.timeout_s` itself and raises TimeoutError.
    """

    async def send(self, request: Request) -> Response: ...
    def send_sync(self, request: Request) -> Response: ...
    async def close(self) -> None:
        """Close both sides. A later `send` opens them again."""
        ...

    def close_sync(self) -> None:
        """Close the sync side."""
        ...
