"""Requests that a page elsewhere makes a browser send, with its user's cookies, and without asking first.

Browsers ask (a preflight, Fetch Standard section 4.8) before anything but a simple request: GET, HEAD, or a POST whose
content type is absent, text or a form (section 2.2.2). So JSON needs no more than CORS; the others are refused where
the browser says that they come from elsewhere. Programs send neither `Origin` nor `Sec-Fetch-Site`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from service_kit.contract.exchange import Request
from service_kit.http.problems import KitProblem

if TYPE_CHECKING:
    from service_kit.contract.cors import Cors

_SIMPLE = frozenset({"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})


def refuse_forged(request: Request, cors: Cors | None) -> None:
    """Raise the 415 for a request that a page elsewhere could have made without being allowed to."""
    if is_forgeable(request, cors):
        raise KitProblem(
            415,
            "unsupported-media-type",
            "a page of another origin must send application/json, and be named in cors=Cors(origins=[...])",
        )


def is_forgeable(request: Request, cors: Cors | None) -> bool:
    """Tell whether a page that nothing allows to could have made a browser send this."""
    if request.method != "POST":
        return False
    content_type = request.header(b"content-type") or ""
    if content_type.partition(";")[0].strip().lower() not in _SIMPLE or not _comes_from_elsewhere(request):
        return False
    origin = request.header(b"origin")
    if origin is None or _is_development(origin, request):
        return origin is None
    if cors is None or not cors.allows(origin):
        return True
    # Everybody's pages are allowed to call, but not in the name of their visitors.
    return "*" in cors.origins and request.header(b"cookie") is not None


def _is_development(origin: str, request: Request) -> bool:
    """Tell whether a page of the caller's own machine asks a service that has no public name."""
    from service_kit.http.origins import is_local, is_loopback

    try:
        page = urlsplit(origin).hostname or ""
    except ValueError:
        return False
    own_machine = page == "localhost" or page.endswith(".localhost") or is_loopback(page)
    return own_machine and is_local(f"//{request.header(b'host') or ''}")


def _comes_from_elsewhere(request: Request) -> bool:
    site = request.header(b"sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    # Older browsers, and pages without TLS. The scheme is left out: what ends TLS in front of us may not tell it.
    origin = request.header(b"origin")
    return (
        origin is not None and origin.partition("://")[2].lower() != (request.header(b"host") or "").lower()
    )
