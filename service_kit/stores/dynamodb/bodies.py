"""Texts of any length in items: short ones as they are, longer ones compressed, the longest kept elsewhere."""

from __future__ import annotations

import hashlib
import zlib
from typing import Protocol

from service_kit.stores.dynamodb.values import Value

PLAIN_MOST_BYTES = 1024
"""One write unit: shorter texts gain nothing by compression."""
ITEM_MOST_BYTES = 200 * 1024
"""What is larger leaves the item."""


class Blobs(Protocol):
    """Where large values are: written once, under a name that their content has given."""

    async def put(self, name: str, content: bytes) -> None: ...

    async def get(self, name: str) -> bytes: ...


class Bodies:
    """Turn texts into attribute values, and back."""

    def __init__(self, blobs: Blobs | None) -> None:
        self._blobs = blobs

    async def pack(self, text: str | None) -> Value | None:
        """Return a text's value: a string, its compressed bytes, or a list with the name of its blob."""
        if text is None or (len(text) <= PLAIN_MOST_BYTES and len(text.encode()) <= PLAIN_MOST_BYTES):
            return text
        octets = text.encode()
        content = zlib.compress(octets, 1)
        if len(content) > ITEM_MOST_BYTES and self._blobs is not None:
            name = hashlib.sha256(octets).hexdigest()
            await self._blobs.put(name, content)
            return [name]
        return content if len(content) < len(octets) else text

    async def unpack(self, value: Value) -> str:
        match value:
            case str():
                return value
            case bytes():
                return zlib.decompress(value).decode()
            case [str(name)]:
                if self._blobs is None:
                    raise LookupError(
                        f"value '{name}' was kept outside of the table; give the store its bucket"
                    )
                return zlib.decompress(await self._blobs.get(name)).decode()
            case _:
                raise TypeError(f"{value!r:.80} is no text")
