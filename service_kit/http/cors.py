"""CORS answers, computed by the declaration and the request's `Origin`."""

from __future__ import annotations

from collections.abc import Iterable

from service_kit.contract.cors import Cors
from service_kit.contract.exchange import RawHeaders, Request, Response


class CorsPolicy:
    """Answer preflights, and mark answers that a page of an allowed origin may read."""

    def __init__(self, cors: Cors, own_headers: Iterable[str] = ()) -> None:
        self._cors = cors
        self._headers = ", ".join(
            dict.fromkeys(name.lower() for name in (*cors.headers, *own_headers))
        ).encode()
        self._open = "*" in cors.origins and not cors.credentials

    def preflight(self, request: Request, allowed: tuple[str, ...]) -> Response | None:
        """Return the answer to a preflight request; None if it is none."""
        if request.method != "OPTIONS" or request.header(b"access-control-request-method") is None:
            return None
        headers = self.headers(request)
        if headers and any(name == b"access-control-allow-origin" for name, _ in headers):
            headers += [
                (b"access-control-allow-methods", ", ".join(allowed).encode()),
                (b"access-control-allow-headers", self._headers),
                (b"access-control-max-age", str(self._cors.max_age_s).encode()),
            ]
        return Response(204, headers)

    def headers(self, request: Request) -> RawHeaders:
        """Return the headers that let the page at the request's origin read the answer."""
        origin = request.header(b"origin")
        vary = [] if self._open else [(b"vary", b"Origin")]
        if origin is None or not self._cors.allows(origin):
            return vary
        headers = [(b"access-control-allow-origin", b"*" if self._open else origin.encode("latin-1")), *vary]
        if self._cors.credentials:
            headers.append((b"access-control-allow-credentials", b"true"))
        if self._cors.expose_headers:
            headers.append((b"access-control-expose-headers", ", ".join(self._cors.expose_headers).encode()))
        return headers
