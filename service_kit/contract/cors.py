"""Cross-origin resource sharing, as a browser asks for it (Fetch Standard, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service_kit.errors import DefinitionError


@dataclass(frozen=True, slots=True)
class Cors:
    """Which pages of other origins may call the service from a browser."""

    origins: Sequence[str]
    """Such as `https://app.example.com`; `*` for all, which excludes credentials."""
    headers: Sequence[str] = (
        "authorization",
        "content-type",
        "idempotency-key",
        "request-timeout-ms",
        "x-request-id",
    )
    """What pages may send; headers of API keys and of commands' own parameters are allowed beside these."""
    expose_headers: Sequence[str] = ("x-request-id", "retry-after", "etag")
    credentials: bool = False
    max_age_s: int = 600

    def __post_init__(self) -> None:
        if self.credentials and "*" in self.origins:
            raise DefinitionError(
                "cors", "credentials with origin '*'", "name the origins that may send credentials"
            )
        for origin in self.origins:
            if origin != "*" and ("://" not in origin or origin.count("/") > 2):
                raise DefinitionError(
                    "cors", f"'{origin}' is no origin", "write scheme and host: https://example.com"
                )

    def allows(self, origin: str) -> bool:
        return "*" in self.origins or origin in self.origins
