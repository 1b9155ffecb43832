"""How calls prove who makes them: `connect(Orders, url, auth=BearerToken(...))`.

Each module is one scheme. An `Auth` adds credentials to a request; what it has to fetch for that, it asks of
the driver through effects, so that it serves async and sync callers alike.
"""

from __future__ import annotations

from typing import Protocol

from client_kit.effects import Flow
from client_kit.wire import Request

__all__ = ["Auth", "NoAuth"]


class Auth(Protocol):
    """A scheme. One object serves all calls of a client, from any thread and loop."""

    def authorize(self, request: Request) -> Flow[Request]:
        """Return the request with credentials; runs for every attempt, after the request hooks."""
        ...

    def rejected(self, request: Request) -> bool:
        """Hear that the service answered 401; tell whether `authorize` would now give other credentials."""
        ...


class NoAuth:
    """Send no credentials."""

    def authorize(self, request: Request) -> Flow[Request]:
        yield from ()  # asks for nothing
        return request

    def rejected(self, request: Request) -> bool:
        return False
