"""Values as the engine sees them: encoded, opaque, compared by digest."""

from __future__ import annotations

from hashlib import blake2b
from typing import TypeAlias

__all__ = ["Payload", "call_id", "digest"]

Payload: TypeAlias = str
"""A value as JSON text. Who declared the value encodes and decodes it; the engine only carries it.

An encoder must give the same text for the same value in every process (sort the members of sets), because
replay compares digests of it.
"""


def digest(payload: Payload) -> str:
    """Return 16 hexadecimal digits that stand for `payload` when a replay compares arguments."""
    return blake2b(payload.encode(), digest_size=8).hexdigest()


def call_id(execution: str, run: int, seq: int) -> str:
    """Return the id of one call, equal in every replay: what receivers deduplicate by.

    It reads from the right, so ids of executions may hold any character.
    """
    return f"{execution}:{run}:{seq}"
