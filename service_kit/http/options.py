"""Options of the HTTP face."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How the HTTP face behaves; the defaults suit production."""

    url: str | None = None
    """The service's public URL in specification and manifest; by default the one that the caller used."""
    include_rpc: bool = False
    """Show the RPC route of every command in the specification, beside the REST routes."""
    docs: bool = True
    """Serve `/docs`."""
    mcp: bool = True
    """Serve `/mcp`: commands and workflows as tools of agents."""
    body_limit_bytes: int = 4 * 1024 * 1024
    heartbeat_s: float = 15.0
    """Silence after which a stream sends a heartbeat, so that proxies keep it open."""
    max_timeout_s: float = 900.0
    """The longest `request-timeout-ms` that a caller can ask for."""
