"""API keys, where the service's scheme wants them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal, TypeAlias
from urllib.parse import quote

from client_kit.effects import Flow
from client_kit.errors import InvalidOption
from client_kit.options import check_header_value
from client_kit.wire import Request

__all__ = ["ApiKeyAuth"]

Location: TypeAlias = Literal["header", "query", "cookie"]


class ApiKeyAuth:
    """Send a key in a header, the query string or a cookie.

    A query string is written into access logs on its way: prefer a header.
    """

    def __init__(self, key: str, *, name: str = "x-api-key", location: Location = "header") -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            raise InvalidOption("name", f"is {name!r}", "use letters, digits, '_', '.' and '-'")
        check_header_value("key", key)
        if location == "cookie" and re.search(r"[\s\",;\\]", key):
            raise InvalidOption("key", "has characters that cookies may not have", "send it in a header")
        self._key = key
        self._name = name
        self._location: Location = location

    def authorize(self, request: Request) -> Flow[Request]:
        yield from ()  # asks for nothing
        match self._location:
            case "header":
                return request.with_headers({self._name.lower(): self._key})
            case "cookie":
                others = request.headers.get("cookie")
                cookie = f"{self._name}={self._key}"
                return request.with_headers({"cookie": f"{others}; {cookie}" if others else cookie})
            case "query":
                separator = "&" if "?" in request.url else "?"
                return replace(
                    request, url=f"{request.url}{separator}{self._name}={quote(self._key, safe='')}"
                )

    def rejected(self, request: Request) -> bool:
        return False
