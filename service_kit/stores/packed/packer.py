"""The packer: turns payloads into what is stored, and back; what is large goes to the blobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias, TypeVar

from service_kit.runtime.ports import Blobs, Unstorable
from service_kit.runtime.records import Blob, BlobKey
from service_kit.stores.packed.codec import BLOB, MARK, Codecs

T = TypeVar("T")
R = TypeVar("R")

Change: TypeAlias = Callable[[str], str]
"""What is done with each payload of a record."""


@dataclass(slots=True)
class Packing:
    """One write: what it keeps beside."""

    packer: Packer
    blobs: dict[BlobKey, Blob] = field(default_factory=dict[BlobKey, Blob])

    def of(self, owner: str, run: int | None) -> Change:
        """Return what packs the payloads of a run of an execution (None: of all its runs), or of an event."""

        def pack(text: str) -> str:
            try:
                coded = self.packer.codecs.encode(text)
            except UnicodeEncodeError as error:
                raise Unstorable(f"it cannot be stored: {error}; it is no text") from error
            if self.packer.blobs is None or not self.packer.is_large(coded):
                return coded
            key = BlobKey(owner, run, sha256(_bytes(coded)).hexdigest())
            self.blobs[key] = Blob(key, coded, self.packer.now_s())
            return MARK + BLOB + json.dumps([key.owner, key.run, key.digest])

        return pack

    async def keep(self) -> None:
        """Store what lies beside. Before the write that refers to it: a crash in between leaves nothing but waste."""
        if self.blobs and self.packer.blobs is not None:
            await self.packer.blobs.put(list(self.blobs.values()))


@dataclass(frozen=True, slots=True)
class Packer:
    """Packs and unpacks for one store."""

    codecs: Codecs
    blobs: Blobs | None
    large_bytes: int
    now_s: Callable[[], float]
    shrunk_bytes: Callable[[str], int] | None = None
    """What room a text takes in a store that compresses; None: it does not."""

    def is_large(self, text: str) -> bool:
        """Return whether a text is kept beside."""
        size = len(text)
        large = size > self.large_bytes or (not text.isascii() and len(_bytes(text)) > self.large_bytes)
        return large and (self.shrunk_bytes is None or self.shrunk_bytes(text) > self.large_bytes)

    def leaves(self, text: str) -> bool:
        """Return whether a text, and whatever is a part of it, is stored as it is."""
        return not self.codecs.writes and not self.is_large(text)

    async def fold(self, text: str, owner: str, run: int | None = None) -> str:
        """Return a text as it is stored or sent, for a run of an execution (None: for all of them), or for an event."""
        packing = Packing(self)
        folded = packing.of(owner, run)(text)
        await packing.keep()
        return folded

    async def unfold(self, text: str) -> str:
        """Return the text that was folded; raise as `unpacked`."""
        return await self.unpacked(text, lambda given, change: change(given))

    async def unpacked(self, record: T, change: Callable[[T, Change], R]) -> R:
        """Return a record with its payloads as they were; `change` applies a function to all of them.

        Raises CodecMissing, and LookupError for something beside that is gone.
        """
        found: dict[str, str] = {}

        def note(text: str) -> str:
            if text.startswith(MARK + BLOB):
                found[text] = ""
            return text if text.startswith(MARK + BLOB) else self.codecs.decode(text)

        plain = change(record, note)
        if not found:
            return plain
        await self._fetch(found)
        return change(record, lambda text: self.codecs.decode(found.get(text, text)))

    async def _fetch(self, found: dict[str, str]) -> None:
        keys = {text: BlobKey(*json.loads(text[len(MARK + BLOB) :])) for text in found}
        if self.blobs is None:
            raise LookupError("a payload is kept beside the history, and this store has nothing there")
        kept = await self.blobs.get(list(keys.values()))
        for text, key in keys.items():
            if key not in kept:
                raise LookupError(
                    f"the payload {key.digest} of '{key.owner}' is gone; restore it from a backup"
                )
            found[text] = kept[key]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")  # what is no text, the store itself refuses
