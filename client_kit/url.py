"""URLs of services, checked and normalised once, when a client is made."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, urlsplit

from client_kit.errors import InvalidOption

_PATH_SAFE = "/%:@!$&'()*+,;=~-._"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = "http://127.0.0.1:8000"


def parse_url(url: str) -> str:
    """Return a service's URL without the slash at its end; raise InvalidOption if nothing could be called there."""
    shown = f"url {_without_password(url)!r}"
    if re.search(r"[\x00-\x20\x7f]", url):
        raise InvalidOption(shown, "has spaces or control characters", "percent-encode them")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidOption(shown, f"is not a URL ({error})", f"write one such as '{_LOOPBACK}'") from None
    _check_parts(shown, url, parts)
    host = _ascii_host(shown, parts.hostname or "")
    netloc = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    path = quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", parts.path), safe=_PATH_SAFE).rstrip("/")
    return f"{parts.scheme}://{netloc}{path}"


def command_url(base: str, command: str) -> str:
    return f"{base}/rpc/{quote(command, safe='')}"


def _check_parts(shown: str, url: str, parts: SplitResult) -> None:
    if parts.scheme not in ("http", "https"):
        cure = f"write 'https://{url}'" if "://" not in url else "use http or https"
        raise InvalidOption(shown, "does not begin with http:// or https://", cure)
    if not parts.hostname:
        raise InvalidOption(shown, "names no host", f"write one such as '{_LOOPBACK}'")
    if parts.username is not None or parts.password is not None:
        raise InvalidOption(shown, "carries credentials", "give them as auth=...")
    if parts.query or parts.fragment:
        raise InvalidOption(shown, "has a query or a fragment", "give the URL of the service alone")


def _ascii_host(shown: str, host: str) -> str:
    if ":" in host:
        return f"[{host}]"
    try:
        return host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError as error:
        raise InvalidOption(shown, f"names a host that cannot be ({error})", "check its spelling") from None


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//...@", url)
