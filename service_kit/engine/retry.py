"""When a failed attempt is tried again, and after how long: arithmetic, no clock."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DefinitionError

__all__ = ["Retry", "error_names"]

INFINITE = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Say how often a failed attempt is repeated, and how long to wait before it.

    The wait before attempt n + 1 is `backoff_s * backoff_factor ** (n - 1)`, at most `backoff_max_s`, less a
    random part of it: `jitter=0.2` takes off up to 20 %. Errors in `non_retryable` (classes, or their names
    as `"OutOfStock"` or `"orders:OutOfStock"`; subclasses count) fail at once.
    """

    max_attempts: int | None = 3
    """Attempts in all, the first one included; None: until the schedule-to-close timeout."""
    backoff_s: float = 1.0
    backoff_factor: float = 2.0
    backoff_max_s: float = 300.0
    jitter: float = 0.1
    non_retryable: tuple[type[BaseException] | str, ...] = ()

    def __post_init__(self) -> None:
        for field in ("max_attempts", "backoff_s", "backoff_factor", "backoff_max_s", "jitter"):
            value: object = getattr(self, field)
            if not isinstance(value, int | float) and not (value is None and field == "max_attempts"):
                raise DefinitionError(
                    f"Retry({field}={value!r})", "no number", "give a number; times are in seconds"
                )
        for field, wrong, cure in (
            (
                "max_attempts",
                self.max_attempts is not None and self.max_attempts < 1,
                "count the first attempt: >= 1",
            ),
            ("backoff_s", not 0 <= self.backoff_s < INFINITE, "give seconds, >= 0"),
            (
                "backoff_factor",
                not 1 <= self.backoff_factor < INFINITE,
                "give a factor >= 1; 1 waits equally long each time",
            ),
            ("backoff_max_s", not 0 <= self.backoff_max_s < INFINITE, "give seconds, >= 0"),
            ("jitter", not 0 <= self.jitter <= 1, "give a part of the wait, from 0 to 1"),
        ):
            if wrong:
                raise DefinitionError(f"Retry({field}={getattr(self, field)!r})", "out of range", cure)
        names = tuple(_class_name(e) if isinstance(e, type) else e for e in self.non_retryable)
        object.__setattr__(self, "non_retryable", names)

    def delay_s(self, attempt: int, random: float) -> float:
        """Return the wait after failed attempt number `attempt` (from 1), with `random` from [0, 1)."""
        try:
            growth = math.pow(self.backoff_factor, attempt - 1)
        except OverflowError:
            growth = sys.float_info.max  # long after the cap has been reached
        wait_s = min(self.backoff_s * growth, self.backoff_max_s)
        return wait_s * (1.0 - self.jitter * random)

    def next_delay_s(self, attempt: int, names: Sequence[str], random: float) -> float | None:
        """Return how long to wait before the next attempt, or None if there is none.

        `attempt` has failed with an error of these names (see `error_names`).
        """
        if self.max_attempts is not None and attempt >= self.max_attempts:
            return None
        if any(_matches(name, refused) for refused in self.non_retryable for name in names):
            return None
        return self.delay_s(attempt, random)


def error_names(error: BaseException) -> tuple[str, ...]:
    """Return the names `module:QualName` of the error's class and its bases, most derived first."""
    return tuple(_class_name(cls) for cls in type(error).__mro__ if cls is not object)


def _class_name(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _matches(name: str, refused: type[BaseException] | str) -> bool:
    return name == refused or name.partition(":")[2] == refused
