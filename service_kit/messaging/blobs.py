"""Large payloads in a bucket of S3."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

from service_kit.runtime.ports import Unstorable
from service_kit.runtime.records import Blob, BlobKey

OWNER_MOST = 900
"""Names of objects have 1,024 bytes: of a longer owner there is the digest alone."""
_ALL_RUNS = "-"
_DIGEST = "="
"""What an owner's digest begins with. No quoted text does."""
_GONE = {"NoSuchKey", "404"}


class S3Blobs:
    """The port `Blobs`, and what it takes to look through them: an object's name tells what it belongs to."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    async def put(self, blobs: Sequence[Blob]) -> None:
        """Store them. If that fails half-way, some are there: waste, as nothing refers to them yet."""
        await asyncio.gather(*(asyncio.to_thread(self._write, blob) for blob in blobs))

    async def get(self, keys: Sequence[BlobKey]) -> Mapping[BlobKey, str]:
        texts = await asyncio.gather(*(asyncio.to_thread(self._read, key) for key in keys))
        return {key: text for key, text in zip(keys, texts, strict=True) if text is not None}

    async def page(self, after: str, limit: int) -> Sequence[tuple[str, BlobKey | None, float]]:
        """Return names after another one, in their order, each with its key and the time at which it was stored.

        Of an object that is somebody else's, or whose owner has too long a name, the key is not known.
        """
        answer = await asyncio.to_thread(
            self._client.list_objects_v2, Bucket=self._bucket, StartAfter=after, MaxKeys=limit
        )
        return [
            (found["Key"], key_of(found["Key"]), found["LastModified"].timestamp())
            for found in answer.get("Contents", ())
        ]

    async def drop(self, keys: Sequence[BlobKey]) -> None:
        """Delete at most 1,000."""
        gone = {"Objects": [{"Key": name_of(key)} for key in keys], "Quiet": True}
        answer = await asyncio.to_thread(self._client.delete_objects, Bucket=self._bucket, Delete=gone)
        if failed := answer.get("Errors"):
            raise RuntimeError(f"bucket '{self._bucket}' kept {len(failed)} objects: {failed[0]}")

    def _write(self, blob: Blob) -> None:
        try:
            body = blob.text.encode()
        except UnicodeEncodeError as error:
            raise Unstorable(f"it cannot be stored: {error}; it is no text") from error
        self._client.put_object(Bucket=self._bucket, Key=name_of(blob.key), Body=body)

    def _read(self, key: BlobKey) -> str | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=name_of(key))
        except self._client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _GONE:
                return None
            if code in ("AccessDenied", "403"):
                # Who may not list a bucket is not told that an object is not there.
                raise LookupError(
                    f"S3 does not show '{name_of(key)}' of bucket '{self._bucket}': it is gone, or this role may "
                    "not read it"
                ) from error
            raise
        with answer["Body"] as body:
            content: bytes = body.read()
        return content.decode()


def name_of(key: BlobKey) -> str:
    """Return the name of an object. Its beginning spreads them, and lets whoever looks through them begin anywhere."""
    digest = sha256(key.owner.encode("utf-8", "surrogatepass")).hexdigest()
    owner = quote(key.owner, safe="", errors="surrogatepass")
    if len(owner) > OWNER_MOST:
        owner = _DIGEST + digest
    return f"{digest[:2]}/{owner}/{_ALL_RUNS if key.run is None else key.run}/{key.digest}"


def key_of(name: str) -> BlobKey | None:
    """Return whose object it is by its name; None if that does not tell."""
    match name.split("/"):
        case [_, owner, run, digest] if not owner.startswith(_DIGEST) and (run == _ALL_RUNS or run.isdigit()):
            return BlobKey(
                unquote(owner, errors="surrogatepass"), None if run == _ALL_RUNS else int(run), digest
            )
        case _:
            return None
