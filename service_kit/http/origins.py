"""Which pages a browser asks for: names that nobody can own on the internet, and this machine's addresses."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_local(url: str) -> bool:
    """Tell whether a URL names this machine, or one of a network without public names."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return False
    # Names that nobody can own on the internet: those without a dot, and RFC 6761's.
    reserved = name.endswith((".localhost", ".test")) or (name != "" and not {".", ":"} & set(name))
    return reserved or is_loopback(name)


def is_loopback(host: str) -> bool:
    """Tell whether an address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(url: str) -> str:
    """Return scheme and authority of a URL, as browsers write an origin (RFC 6454, section 6.1)."""
    parts = urlsplit(url)
    authority = parts.netloc.rpartition("@")[2].lower()
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{authority.removesuffix(default) if default else authority}"
