"""Texts of any length in items: short ones as they are, longer ones compressed, the longest among the blobs."""

from __future__ import annotations

import zlib
from dataclasses import replace

from service_kit.stores.dynamodb.values import Value
from service_kit.stores.packed.packer import Packer

PLAIN_MOST_BYTES = 1024
"""One write unit: shorter texts gain nothing by compression."""


class Bodies:
    """Turn texts into attribute values, and back.

    A turn's texts stand in one item together, which ends at 400 KB: so they are packed together here, and not one
    by one as in stores whose rows have no end. Codecs come first: what they make text of, compression makes bytes.
    """

    def __init__(self, packer: Packer) -> None:
        self._packer = replace(packer, shrunk_bytes=_shrunk_bytes)

    async def pack(self, text: str | None, owner: str, run: int | None = None) -> Value | None:
        """Return a text's value, a string or its compressed bytes; owner and run as for `Packer.fold`."""
        if text is None:
            return None
        folded = await self._packer.fold(text, owner, run)
        octets = folded.encode()
        if len(octets) <= PLAIN_MOST_BYTES:
            return folded
        content = zlib.compress(octets, 1)
        return content if len(content) < len(octets) else folded

    async def note(self, text: str, owner: str) -> str:
        """Return a text for people as it is stored, never compressed; what is no text in it is spelt out."""
        return await self._packer.fold(text.encode("utf-8", "backslashreplace").decode(), owner)

    async def unpack(self, value: Value) -> str:
        """Return the text; raise as `Packer.unpacked`."""
        match value:
            case str():
                return await self._packer.unfold(value)
            case bytes():
                return await self._packer.unfold(zlib.decompress(value).decode())
            case _:
                raise TypeError(f"{value!r:.80} is no text")


def _shrunk_bytes(text: str) -> int:
    return len(zlib.compress(text.encode("utf-8", "surrogatepass"), 1))
