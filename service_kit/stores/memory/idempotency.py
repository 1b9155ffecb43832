"""Idempotent answers in memory, bounded in time and space."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from service_kit.runtime.idempotency import Beginning, Claimed, InFlight, Kept, KeptAnswer, Mismatch

ENTRY_BYTES = 512
"""What an entry takes beside its key and its answer's body."""


@dataclass(frozen=True, slots=True)
class _Entry:
    fingerprint: bytes
    expires_at: float
    answer: KeptAnswer


class MemoryIdempotencyStore:
    """Keep answers for `keep_s` seconds; past `max_bytes` the oldest answers go first, claims never."""

    def __init__(
        self, clock: Callable[[], float], *, keep_s: float = 86_400.0, max_bytes: int = 64 * 1024 * 1024
    ) -> None:
        self._clock = clock
        self._keep_s = keep_s
        self._max_bytes = max_bytes
        self._running: dict[str, bytes] = {}
        self._kept: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0

    async def begin(self, key: str, fingerprint: bytes) -> Beginning:
        self._forget_expired()
        running = self._running.get(key)
        if running is not None:
            return InFlight() if running == fingerprint else Mismatch()
        entry = self._kept.get(key)
        if entry is None:
            self._running[key] = fingerprint
            return Claimed()
        return Kept(entry.answer) if entry.fingerprint == fingerprint else Mismatch()

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        fingerprint = self._running.pop(key)
        self._kept[key] = _Entry(fingerprint, self._clock() + self._keep_s, answer)
        self._bytes += _size(key, answer)
        while self._bytes > self._max_bytes:
            self._forget_oldest()

    async def release(self, key: str) -> None:
        self._running.pop(key, None)

    def _forget_expired(self) -> None:
        now = self._clock()
        while self._kept and next(iter(self._kept.values())).expires_at <= now:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        key, entry = self._kept.popitem(last=False)
        self._bytes -= _size(key, entry.answer)


def _size(key: str, answer: KeptAnswer) -> int:
    """Return about what an entry takes: an answer without a body takes something, too."""
    return len(key) + len(answer.body) + ENTRY_BYTES
