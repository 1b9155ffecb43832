"""The default transport: httpx, with one pool per event loop and one for sync callers."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import lru_cache
from typing import TypeVar

import httpx

from client_kit.errors import AnswerTooLarge, ConnectFailed, ConnectionLost, NetworkError
from client_kit.transports.loops import PerLoop
from client_kit.wire import EVENT_STREAM, Request, Response

__all__ = ["HttpxTransport"]

T = TypeVar("T")

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_parse_url = lru_cache(maxsize=4096)(httpx.URL)


class HttpxTransport:
    """Send requests by httpx.

    `make_async` and `make_sync` make the clients, for proxies, certificates or limits of your own:
    `HttpxTransport(make_async=lambda: httpx.AsyncClient(verify=context))`. Timeouts and redirects are not
    theirs: the call's own rules hold.
    """

    def __init__(
        self,
        *,
        make_async: Callable[[], httpx.AsyncClient] = httpx.AsyncClient,
        make_sync: Callable[[], httpx.Client] = httpx.Client,
        connect_timeout_s: float = 10.0,
    ) -> None:
        self._async = PerLoop(make_async)
        self._make_sync = make_sync
        self._sync: httpx.Client | None = None
        self._lock = threading.Lock()
        self._connect_timeout_s = connect_timeout_s
        self._timeouts: dict[str, float | None] = {"connect": connect_timeout_s}

    async def send(self, request: Request) -> Response:
        try:
            response = await self._async.get().send(
                _outgoing(request, self._timeouts), stream=True, follow_redirects=False
            )
            if _stays_open(request, response):
                return Response(response.status_code, response.headers, stream=_AsyncBody(response))
            try:
                body = b"" if _is_stream(response) else await _read(request, response)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise _network_error(request, error) from error
        return Response(response.status_code, response.headers, body)

    def send_sync(self, request: Request) -> Response:
        timeouts = _Timeouts(request, self._connect_timeout_s)
        try:
            response = self._sync_client().send(
                _outgoing(request, timeouts), stream=True, follow_redirects=False
            )
            if _stays_open(request, response):
                return Response(response.status_code, response.headers, stream=_SyncBody(response, timeouts))
            try:
                body = b"" if _is_stream(response) else _read_sync(request, response, timeouts)
            finally:
                response.close()
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            raise TimeoutError(str(error)) from error
        except httpx.HTTPError as error:
            timeouts.check()
            raise _network_error(request, error) from error
        return Response(response.status_code, response.headers, body)

    async def close(self) -> None:
        client = self._async.pop()
        if client is not None:
            await client.aclose()
        self.close_sync()

    def close_sync(self) -> None:
        with self._lock:
            client, self._sync = self._sync, None
        if client is not None:
            client.close()

    def _sync_client(self) -> httpx.Client:
        if self._sync is None:
            with self._lock:
                if self._sync is None:
                    self._sync = self._make_sync()
                return self._sync
        return self._sync


class _Timeouts(Mapping[str, float | None]):
    """The timeouts of a sync request's phases: httpcore looks each up when the phase begins.

    So connecting, writing and reading share what is left of the call's time. A server that keeps sending
    its headers byte by byte can still stretch it, as no phase ends then.
    """

    def __init__(self, request: Request, connect_timeout_s: float) -> None:
        self._end = None if request.timeout_s is None else time.monotonic() + request.timeout_s
        self._connect_s = connect_timeout_s
        self.patience_s: float | None = None
        """For the body of a stream, instead of what is left."""

    def __getitem__(self, phase: str) -> float | None:
        if self.patience_s is not None:
            return self.patience_s
        left = math.inf if self._end is None else max(0.001, self._end - time.monotonic())
        shortest = min(left, self._connect_s) if phase == "connect" else left
        return None if shortest == math.inf else shortest

    def __iter__(self) -> Iterator[str]:
        return iter(("connect", "read", "write", "pool"))

    def __len__(self) -> int:
        return 4

    def check(self) -> None:
        """Raise TimeoutError if the call's time is over."""
        if self._end is not None and time.monotonic() >= self._end:
            raise TimeoutError


class _AsyncBody:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._chunks: AsyncIterator[bytes] = response.aiter_bytes()

    async def read(self) -> bytes:
        try:
            return await anext(self._chunks, b"")
        except httpx.HTTPError as error:
            raise ConnectionLost(_reason(error)) from error

    async def close(self) -> None:
        await self._response.aclose()


class _SyncBody:
    def __init__(self, response: httpx.Response, timeouts: _Timeouts) -> None:
        self._response = response
        self._timeouts = timeouts
        self._chunks: Iterator[bytes] = response.iter_bytes()

    def read(self, timeout_s: float | None) -> bytes:
        self._timeouts.patience_s = timeout_s  # the first read's holds: httpcore looks once
        try:
            return next(self._chunks, b"")
        except httpx.ReadTimeout as error:
            raise TimeoutError from error
        except httpx.HTTPError as error:
            raise ConnectionLost(_reason(error)) from error

    def close(self) -> None:
        self._response.close()


def _outgoing(request: Request, timeouts: Mapping[str, float | None]) -> httpx.Request:
    return httpx.Request(
        request.method,
        _parse_url(request.url),
        headers={"accept-encoding": "gzip, deflate", **request.headers},
        content=request.body,
        extensions={"timeout": timeouts},
    )


def _is_stream(response: httpx.Response) -> bool:
    media_type: str = response.headers.get("content-type", "")
    return media_type.startswith(EVENT_STREAM)


def _stays_open(request: Request, response: httpx.Response) -> bool:
    return request.streaming and response.status_code == 200 and _is_stream(response)


async def _read(request: Request, response: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > request.max_answer_bytes:
            raise AnswerTooLarge(request.max_answer_bytes)
        parts.append(chunk)
    return b"".join(parts)


def _read_sync(request: Request, response: httpx.Response, timeouts: _Timeouts) -> bytes:
    parts: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > request.max_answer_bytes:
            raise AnswerTooLarge(request.max_answer_bytes)
        timeouts.check()
        parts.append(chunk)
    return b"".join(parts)


def _network_error(request: Request, error: httpx.HTTPError) -> NetworkError:
    if isinstance(error, _NOT_SENT):
        url = httpx.URL(request.url)
        return ConnectFailed(f"cannot connect to {url.scheme}://{url.netloc.decode()}: {_reason(error)}")
    return ConnectionLost(f"the connection was lost: {_reason(error)}")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
