"""The fast transport: aiohttp, many times quicker than httpx with many calls at a time.

It is an extra: `pip install 'service-kit[fast]'`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

try:
    import aiohttp
    from yarl import URL
except ModuleNotFoundError as _missing:
    raise ModuleNotFoundError(
        "AiohttpTransport needs aiohttp; install it with: pip install 'service-kit[fast]'", name="aiohttp"
    ) from _missing

from client_kit.errors import AnswerTooLarge, ConnectFailed, ConnectionLost, NetworkError
from client_kit.transports.loops import PerLoop
from client_kit.transports.portal import AsyncOnly
from client_kit.wire import EVENT_STREAM, Request, Response

__all__ = ["AiohttpTransport"]


@lru_cache(maxsize=4096)
def _parse_url(url: str) -> URL:
    return URL(url, encoded=True)


class AiohttpTransport(AsyncOnly):
    """Send requests by aiohttp, with one pool per event loop; sync callers share a loop in a thread.

    `make_session` makes the sessions, for proxies, certificates or limits of your own. Unlike httpx, aiohttp reads
    no proxies from the environment unless its session has `trust_env=True`.
    """

    def __init__(self, *, make_session: Callable[[], aiohttp.ClientSession] | None = None) -> None:
        super().__init__()
        self._sessions = PerLoop(make_session or _make_session)

    async def send(self, request: Request) -> Response:
        try:
            response = await self._sessions.get().request(
                request.method,
                _parse_url(request.url),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
            )
            headers = response.headers
            is_stream = headers.get("content-type", "").startswith(EVENT_STREAM)
            if is_stream and request.streaming and response.status == 200:
                return Response(response.status, headers, stream=_Body(response))
            try:
                body = b"" if is_stream else await _read(request, response)
            finally:
                response.close()  # nothing, after the whole body: its connection is back in the pool by then
        except (aiohttp.ClientError, OSError) as error:
            raise _network_error(request, error) from error
        return Response(response.status, headers, body)

    async def close_running_loop(self) -> None:
        session = self._sessions.pop()
        if session is not None:
            await session.close()


class _Body:
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def read(self) -> bytes:
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionLost(_reason(error)) from error

    async def close(self) -> None:
        self._response.close()


def _make_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10.0),
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=100),
    )


async def _read(request: Request, response: aiohttp.ClientResponse) -> bytes:
    first = await response.content.readany()
    if response.content.at_eof() and len(first) <= request.max_answer_bytes:
        return first
    body = bytearray(first)
    while len(body) <= request.max_answer_bytes:
        chunk = await response.content.readany()
        if not chunk:
            return bytes(body)
        body += chunk
    raise AnswerTooLarge(request.max_answer_bytes)


def _network_error(request: Request, error: Exception) -> NetworkError:
    reason = _reason(error)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        url = _parse_url(request.url)
        return ConnectFailed(f"cannot connect to {url.scheme}://{url.authority}: {reason}")
    return ConnectionLost(f"the connection was lost: {reason}")


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError):  # its text shows the URL, which may carry a key
        return error.message
    return str(error) or type(error).__name__
