"""Random numbers that every replay draws equally."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["Chance"]

BLOCK_BITS = 512


class Chance:
    """A stream of random bits from a seed: BLAKE2b, keyed by the seed, of a counter.

    As unpredictable as its seed is secret.
    """

    __slots__ = ("_drawn", "_key")

    def __init__(self, seed: str) -> None:
        self._key = blake2b(seed.encode(), digest_size=32).digest()
        self._drawn = 0

    def bits(self, count: int) -> int:
        """Return an integer of `count` random bits."""
        value = 0
        for _ in range(-(-count // BLOCK_BITS)):
            self._drawn += 1
            block = blake2b(self._drawn.to_bytes(8, "big"), key=self._key).digest()
            value = value << BLOCK_BITS | int.from_bytes(block, "big")
        return value >> (-count % BLOCK_BITS)

    def number(self) -> float:
        """Return a float from [0, 1), each of its 53 bits random."""
        return self.bits(53) / (1 << 53)

    def uuid4_bytes(self) -> bytes:
        """Return the 16 bytes of a random UUID (RFC 9562, version 4)."""
        value = self.bits(128)
        value = value & ~(0xF << 76) | 0x4 << 76
        value = value & ~(0x3 << 62) | 0x2 << 62
        return value.to_bytes(16, "big")
