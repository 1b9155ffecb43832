"""Requests as ASGI scopes (specification 3.0), read and written."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, TypeAlias
from urllib.parse import quote

from service_kit.contract.exchange import RawHeaders, Request

Scope: TypeAlias = MutableMapping[str, Any]

_IDENTITY = "service_kit.identity"


def request_of(scope: Scope) -> Request:
    """Return the request of a scope, without its body."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    # Servers and Starlette give the full path, the specification's older readers only what follows the prefix.
    if root_path:
        root_path = root_path.rstrip("/")
        if path == root_path or path.startswith(f"{root_path}/"):
            path = path[len(root_path) :] or "/"
    request = Request(
        scope["method"],
        path,
        scope["query_string"],
        scope["headers"],
        root_path,
        scope.get("scheme", "http"),
        scope.get("server"),
        scope.get("client"),
    )
    # Set by a host behind a gateway: nothing that a caller sends becomes a key of the scope.
    if _IDENTITY in scope:
        request.identity = scope[_IDENTITY]
    return request


def scope_of(request: Request, path: str, headers: RawHeaders, raw_path: bytes = b"") -> Scope:
    """Return the scope with which another application is asked at `path`, under the prefix of the request."""
    whole = request.root_path + path
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": whole,
        "raw_path": request.root_path.encode() + raw_path if raw_path else quote(whole).encode(),
        "root_path": request.root_path,
        "query_string": request.query_string,
        "headers": headers,
        "client": request.client,
        "server": request.server,
        _IDENTITY: request.identity,
    }


def own_part(raw_path: bytes, scope: Scope) -> bytes:
    """Return a path as it was sent, without the prefix under which the application is mounted."""
    root_path: str = scope.get("root_path", "").rstrip("/")
    return raw_path[len(root_path) :] if root_path and raw_path.startswith(root_path.encode()) else raw_path
