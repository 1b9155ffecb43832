"""What the flow and the transports hand each other: requests, responses and the bodies of streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

__all__ = ["AsyncBody", "Request", "Response", "SyncBody"]

EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Names of headers are in lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"
    streaming: bool = False
    """Whether a stream is expected: then an answer that is one is left open."""
    timeout_s: float | None = None
    """What is left for the answer, or for the opening of a stream."""
    max_answer_bytes: int = 64 * 1024 * 1024

    def with_headers(self, headers: Mapping[str, str]) -> Request:
        """Return the request with these headers added or replaced; names in lower case."""
        return replace(self, headers={**self.headers, **headers})


class AsyncBody(Protocol):
    """The body of an open stream, read by one asyncio.Task."""

    async def read(self) -> bytes:
        """Return what came next, b"" at the end; raise ConnectionLost."""
        ...

    async def close(self) -> None:
        """Close the connection if the body is not at its end; may be called again."""
        ...


class SyncBody(Protocol):
    """The body of an open stream, read by one thread."""

    def read(self, timeout_s: float | None) -> bytes:
        """Return what came next, b"" at the end; raise ConnectionLost, or TimeoutError if nothing came.

        A transport may keep to the `timeout_s` of the first read throughout.
        """
        ...

    def close(self) -> None:
        """Close the connection if the body is not at its end; may be called again."""
        ...


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. Look headers up in lower case: transports differ in what else they take."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    stream: AsyncBody | SyncBody | None = None
    """The open body, if a stream was expected and came: AsyncBody from `send`, SyncBody from `send_sync`."""

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()
