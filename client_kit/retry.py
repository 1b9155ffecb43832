"""When to try again, and after how long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from client_kit.errors import InvalidOption

__all__ = ["Retry"]

RETRIED_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often to try, and how long to wait in between.

    The wait is drawn evenly from zero to `backoff_s` doubled with each attempt ("full jitter", as in
    AWS Architecture Blog, "Exponential Backoff And Jitter", 2015). Where the service says `Retry-After`, that
    is added to it; if it says more than `retry_after_max_s`, the call ends at once.
    """

    max_attempts: int = 4
    backoff_s: float = 0.1
    backoff_max_s: float = 10.0
    retry_after_max_s: float = 60.0

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise InvalidOption("max_attempts", f"is {self.max_attempts}", "give 1 to never try again")
        for name in ("backoff_s", "backoff_max_s", "retry_after_max_s"):
            value: float = getattr(self, name)
            if not (0 <= value < math.inf):
                raise InvalidOption(name, f"is {value}", "give seconds, zero or more")

    def pause_s(self, attempt: int, draw: float, retry_after_s: float | None = None) -> float | None:
        """Return the wait after attempt number `attempt`, or None to give up; `draw` is random in [0, 1)."""
        if attempt >= self.max_attempts or (retry_after_s or 0) > self.retry_after_max_s:
            return None
        ceiling = min(self.backoff_max_s, self.backoff_s * 2.0 ** min(attempt - 1, 60))
        return (retry_after_s or 0.0) + draw * ceiling


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, as a number or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError):
        return None
