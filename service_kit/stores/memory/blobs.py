"""Large payloads in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from service_kit.runtime.records import Blob, BlobKey


class MemoryBlobs:
    """The port `Blobs`."""

    def __init__(self) -> None:
        self._kept: dict[BlobKey, Blob] = {}

    async def put(self, blobs: Sequence[Blob]) -> None:
        self._kept.update((blob.key, blob) for blob in blobs)

    async def get(self, keys: Sequence[BlobKey]) -> Mapping[BlobKey, str]:
        return {key: self._kept[key].text for key in keys if key in self._kept}

    def forget(self, before_s: float, is_needed: Callable[[BlobKey], bool]) -> None:
        """Drop what was stored before a time and is not needed."""
        old = [blob.key for blob in self._kept.values() if blob.stored_at_s < before_s]
        for key in old:
            if not is_needed(key):
                del self._kept[key]
