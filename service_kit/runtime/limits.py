"""How many attempts may begin: side by side, and in a second."""

from __future__ import annotations

from dataclasses import dataclass

from service_kit.runtime.clock import Clock


@dataclass(slots=True)
class Allowance:
    """What one process may begin of one task or subscription; None: as much as it likes."""

    clock: Clock
    concurrency: int | None
    rate_per_s: float | None
    _saved: float = 1.0
    _seen_at_s: float | None = None

    @property
    def unlimited(self) -> bool:
        return self.concurrency is None and self.rate_per_s is None

    def room(self, running: int) -> int | None:
        """Return how many more may begin now, with so many running; None: no limit."""
        side_by_side = None if self.concurrency is None else max(self.concurrency - running, 0)
        # A token that is all but there counts: sleeping for exactly its time ends a rounding error too early.
        now = None if self.rate_per_s is None else int(self._tokens(self.rate_per_s) + 1e-6)
        limits = [limit for limit in (side_by_side, now) if limit is not None]
        return min(limits, default=None)

    def next_s(self) -> float | None:
        """Return when the rate allows the next one; None: it does so now, or something else stands in the way."""
        if self.rate_per_s is None or (missing := 1.0 - self._tokens(self.rate_per_s)) <= 1e-6:
            return None
        return self.clock.now_s() + missing / self.rate_per_s

    def spend(self, count: int) -> None:
        """Note that so many have begun."""
        self._saved -= count

    def _tokens(self, rate_per_s: float) -> float:
        """A token bucket that holds what one second allows, and one at least."""
        now_s = self.clock.now_s()
        # A clock that jumped back gives nothing, rather than taking something away.
        passed_s = 0.0 if self._seen_at_s is None else max(now_s - self._seen_at_s, 0.0)
        self._saved = min(self._saved + passed_s * rate_per_s, max(rate_per_s, 1.0))
        self._seen_at_s = now_s
        return self._saved
