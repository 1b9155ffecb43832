"""Values that are too large for a message or an item, in S3; and messages that refer to them."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, Protocol

MESSAGE_MOST_BYTES = 200 * 1024
"""What is larger goes by reference: SQS and EventBridge take 256 KB for a whole request."""
_REFERENCE = "blob:"
"""No JSON begins so."""


class Blobs(Protocol):
    """Where large values are: written once, under a name that their content has given."""

    async def put(self, name: str, content: bytes) -> None: ...

    async def get(self, name: str) -> bytes: ...


class S3Blobs:
    """Blobs in a bucket, which forgets them when its lifecycle rule says so."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def put(self, name: str, content: bytes) -> None:
        await asyncio.to_thread(self._client.put_object, Bucket=self._bucket, Key=name, Body=content)

    async def get(self, name: str) -> bytes:
        return await asyncio.to_thread(self._read, name)

    def _read(self, name: str) -> bytes:
        with self._client.get_object(Bucket=self._bucket, Key=name)["Body"] as body:
            content: bytes = body.read()
        return content


async def fold(text: str, blobs: Blobs | None) -> str:
    """Return what is sent for a JSON text: itself, or a reference to it."""
    octets = text.encode()
    if blobs is None or len(octets) <= MESSAGE_MOST_BYTES:
        return text
    name = hashlib.sha256(octets).hexdigest()
    await blobs.put(name, octets)
    return _REFERENCE + name


async def unfold(text: str, blobs: Blobs | None) -> str:
    """Return the text that a message stands for."""
    if not text.startswith(_REFERENCE):
        return text
    if blobs is None:
        raise LookupError(f"the message refers to '{text}', and no bucket is known; set SERVICE_KIT_BUCKET")
    return (await blobs.get(text.removeprefix(_REFERENCE))).decode()
