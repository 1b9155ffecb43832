"""Tables of DynamoDB and buckets of S3 for tests: empty ones, and what AWS does to them in time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import boto3  # type: ignore[import-untyped] # it has no types
from botocore.config import Config  # type: ignore[import-untyped] # as above

from service_kit.messaging.blobs import S3Blobs
from service_kit.runtime.ports import Retention, Stores
from service_kit.runtime.records import Blob, BlobKey
from service_kit.stores.dynamodb.client import dynamodb_client
from service_kit.stores.dynamodb.keys import PK, SK, TTL, table_definition
from service_kit.stores.dynamodb.table import Table
from service_kit.stores.dynamodb.turns import DAY_S
from tests.stores.emulators import client_options
from tests.stores.lockstep import Lockstep


@cache
def client(emulator: str) -> Any:
    return dynamodb_client(**client_options(emulator))


@cache
def patient_client(emulator: str) -> Any:
    """Return a client that asks once, however long it takes: a table that is made twice is there already."""
    once = Config(read_timeout=60, retries={"total_max_attempts": 1})
    return boto3.client("dynamodb", config=once, **client_options(emulator))


@contextmanager
def fresh_table(emulator: str) -> Iterator[Table]:
    """Make a table for one test."""
    name = f"test-{secrets.token_hex(6)}"
    patient_client(emulator).create_table(**table_definition(name))
    asked = Lockstep(client(emulator), name) if emulator == "moto" else client(emulator)
    table = Table(asked, name)
    try:
        yield table
    finally:
        table.close()
        client(emulator).delete_table(TableName=name)


@contextmanager
def fresh_shelf(emulator: str) -> Iterator[DatedBlobs]:
    """Make a bucket for one test."""
    name, s3 = f"test-{secrets.token_hex(6)}", s3_client(emulator)
    s3.create_bucket(Bucket=name)
    yield DatedBlobs(s3, name)


@cache
def s3_client(emulator: str) -> Any:
    return boto3.client("s3", **client_options(emulator))


class DatedBlobs(S3Blobs):
    """Blobs that were stored when those who store them say so: a bucket has a clock of its own."""

    def __init__(self, client: Any, bucket: str) -> None:
        super().__init__(client, bucket)
        self._stored_at_s: dict[BlobKey, float] = {}

    async def put(self, blobs: Sequence[Blob]) -> None:
        await super().put(blobs)
        self._stored_at_s.update((blob.key, blob.stored_at_s) for blob in blobs)

    async def page(self, after: str, limit: int) -> Sequence[tuple[str, BlobKey | None, float]]:
        found = await super().page(after, limit)
        return [(name, key, self._stored_at_s[key] if key else at_s) for name, key, at_s in found]


def with_time_to_live(stores: Stores, table: Table) -> Stores:
    """Let the table delete what is past its time to live, at the latest when the store is asked to forget.

    That is the table's part of the port `Retention`; emulators do it by another clock than the tests', or never.
    """
    return replace(stores, retention=_WithTimeToLive(stores.retention, table))


@dataclass(frozen=True, slots=True)
class _WithTimeToLive:
    retention: Retention
    table: Table

    async def forget(self, ended_before_s: float | None, used_before_s: float, limit: int) -> int:
        items = self.table._client.scan(TableName=self.table.name, ConsistentRead=True)["Items"]
        old = [item for item in items if TTL in item and float(item[TTL]["N"]) < used_before_s + DAY_S]
        await self.table.delete_many((item[PK]["S"], item[SK]["S"]) for item in old)
        return await self.retention.forget(ended_before_s, used_before_s, limit)
