"""The port that keeps answers by idempotency key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer as it was first given."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Claimed:
    """The key is new, or its last holder gave up: the caller of `begin` runs the command."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """Another call with this key is running."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The key was first used with another request."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The key has its answer."""

    answer: KeptAnswer


Beginning: TypeAlias = Claimed | InFlight | Mismatch | Kept


class IdempotencyStore(Protocol):
    """Keep the first answer of each key, for a day at least.

    `begin` is atomic: of any number of concurrent calls with one key exactly one is told `Claimed`, and it
    ends the claim with `keep` or `release`.
    """

    async def begin(self, key: str, fingerprint: bytes) -> Beginning:
        """Claim a key for a request with this fingerprint, or say what stands in the way."""
        ...

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        """End the claim with the answer that every later call gets."""
        ...

    async def release(self, key: str) -> None:
        """End the claim without an answer: the next call may run the command."""
        ...
