"""The neutral request and response: what middleware sees, whatever carried them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
"""Header lines as ASGI has them: lower-case names, latin-1 bytes, repeats in order."""


class Headers(Mapping[str, str]):
    """A read-only, case-insensitive view of header lines; repeats are joined as RFC 9110 section 5.3 says."""

    __slots__ = ("_raw",)

    def __init__(self, raw: RawHeaders) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        key = name.lower().encode("latin-1")
        values = [value for line, value in self._raw if line == key]
        if not values:
            raise KeyError(name)
        return (b"; " if key == b"cookie" else b", ").join(values).decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(line.decode("latin-1") for line, _ in self._raw))

    def __len__(self) -> int:
        return len({line for line, _ in self._raw})

    def __repr__(self) -> str:
        return f"Headers({sorted(self)})"  # values may be secrets


def _no_params() -> dict[str, str]:
    return {}


@dataclass(slots=True, eq=False, repr=False)
class Request:
    """One HTTP request, its body read in full.

    `path` is decoded and without the prefix at which the service is mounted; `root_path` is that prefix.
    `base_url` is scheme, authority and prefix as the caller used them: the service's own URL.
    """

    method: str
    path: str
    query_string: bytes
    raw_headers: RawHeaders
    root_path: str = ""
    scheme: str = "http"
    server: tuple[str, int | None] | None = None
    """Host and port as the transport knows them; a `Host` header takes precedence in `base_url`."""
    client: tuple[str, int] | None = None
    """Host and port of the caller, or of the nearest proxy."""
    body: bytes = b""
    identity: Mapping[str, Any] | None = None
    """What a trusted gateway said of the caller (API Gateway's authorizer context); never from headers."""
    request_id: str = ""
    path_params: Mapping[str, str] = field(default_factory=_no_params)
    """What the path's parameters matched; empty on the RPC face."""
    principal: str = ""
    """An opaque digest of the proof that admitted the caller; empty where the command is open."""
    first_lines: dict[bytes, bytes] = field(init=False)
    """The first header line of each name."""

    def __post_init__(self) -> None:
        # Reversed, so that of repeated lines the first one stays.
        self.first_lines = dict(self.raw_headers[::-1])

    def __repr__(self) -> str:
        # Not more: headers, query and body may be secrets.
        return f"<Request {self.request_id} {self.method} {self.path}>"

    @property
    def headers(self) -> Headers:
        return Headers(self.raw_headers)

    @property
    def query(self) -> list[tuple[str, str]]:
        """Query parameters in order, decoded."""
        return parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True)

    @property
    def base_url(self) -> str:
        host = self.header(b"host")
        if host is None:
            name, port = self.server or ("localhost", None)
            host = f"{name}:{port}" if port else name
        return f"{self.scheme}://{host}{quote(self.root_path)}"

    def header(self, name: bytes) -> str | None:
        """Return the first header line of this lower-case name: the quick way for a single look."""
        value = self.first_lines.get(name)
        return None if value is None else value.decode("latin-1")


@dataclass(slots=True, eq=False)
class Response:
    """One HTTP response: `body` in one piece, or `stream` where it comes in pieces."""

    status: int = 200
    raw_headers: RawHeaders = field(default_factory=list[tuple[bytes, bytes]])
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None

    @property
    def headers(self) -> Headers:
        return Headers(self.raw_headers)

    def set_header(self, name: str, value: str) -> None:
        """Replace every line of this name by one."""
        key = name.lower().encode("latin-1")
        self.raw_headers = [line for line in self.raw_headers if line[0] != key]
        self.raw_headers.append((key, value.encode("latin-1")))


Next: TypeAlias = Callable[[Request], Awaitable[Response]]
Middleware: TypeAlias = Callable[[Request, Next], Awaitable[Response]]
"""`async def middleware(request, call_next)`: answer, or await `call_next(request)` and edit the response."""

_request: ContextVar[Request] = ContextVar("service_kit_request")


def current_request() -> Request:
    """Return the request being served; raise LookupError outside of one."""
    return _request.get()


def present_request() -> Request | None:
    """Return the request being served, None outside of one."""
    return _request.get(None)


def set_current_request(request: Request) -> None:
    """Make `request` the current one for the rest of this asyncio task; for hosts."""
    _request.set(request)
