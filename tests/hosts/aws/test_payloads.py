"""Large payloads, and those of a service with a codec, on their way through all functions of a deployment."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped] # it has no types

from client_kit import connect
from service_kit.messaging.blobs import S3Blobs
from service_kit.runtime.records import BlobKey
from service_kit.stores.dynamodb.values import Item
from tests.hosts.aws import vault
from tests.hosts.aws.calling import URL, LambdaTransport
from tests.hosts.aws.cloud import Cloud, deployed
from tests.hosts.aws.vault import MARK, SealedVault, Vault

MEGABYTE = MARK + base64.b64encode(random.Random(7).randbytes(750_000)).decode()
MESSAGE_MOST = 256 * 1024
"""What SQS took for a message, and EventBridge for an event, before both came to take 1 MB."""


@pytest.mark.parametrize("service", [Vault, SealedVault])
def test_a_megabyte_goes_in_through_a_task_and_out_and_an_event_of_300_kb_is_handled(
    service: type[Vault],
) -> None:
    vault.LENGTHS.clear()
    with deployed(service) as cloud:
        api = cloud.api()
        transport = LambdaTransport(api)

        async def begin() -> None:
            async with connect(service, URL, transport=transport) as client:
                await client.keep.options(id="large").start(MEGABYTE)
                await client.deposit(MEGABYTE[:300_000])

        async def result() -> str:
            async with connect(service, URL, transport=transport) as client:
                return await client.keep.get("large").result()

        asyncio.run(begin())
        cloud.run(lambda: vault.LENGTHS == [300_000, 300_000])
        assert asyncio.run(result()) == MEGABYTE
        api.close()
        assert all(len(json.dumps(event)) < MESSAGE_MOST for event in _messages(cloud))
        assert _found_in(cloud) == (set() if service is SealedVault else {"bucket"})


def test_what_a_codec_has_written_is_found_nowhere_however_small_it_is() -> None:
    vault.LENGTHS.clear()
    with deployed(SealedVault) as cloud:
        api = cloud.api()

        async def begin() -> None:
            async with connect(SealedVault, URL, transport=LambdaTransport(api)) as client:
                await client.keep.options(id="small").start(MARK)
                await client.deposit(MARK)

        asyncio.run(begin())
        cloud.run(lambda: [len(MARK)] * 2 == vault.LENGTHS)
        api.close()
        assert cloud.told
        assert _found_in(cloud) == set()


def test_without_a_codec_the_same_is_found_by_the_same_search() -> None:
    vault.LENGTHS.clear()
    with deployed(Vault) as cloud:
        api = cloud.api()

        async def begin() -> None:
            async with connect(Vault, URL, transport=LambdaTransport(api)) as client:
                await client.keep.options(id="small").start(MARK)

        asyncio.run(begin())
        cloud.run(lambda: [len(MARK)] == vault.LENGTHS)
        api.close()
        assert _found_in(cloud) == {"table", "messages"}


def _found_in(cloud: Cloud) -> set[str]:
    """Return where values can be read: in the table, in the bucket, in what functions were called with."""
    settings, s3 = cloud.settings, cloud.client("s3")
    names = [found["Key"] for found in s3.list_objects_v2(Bucket=settings.bucket).get("Contents", ())]
    bodies = [s3.get_object(Bucket=settings.bucket, Key=name)["Body"].read().decode() for name in names]
    places = {
        "table": cloud.client("dynamodb").scan(TableName=settings.table, ConsistentRead=True)["Items"],
        "bucket": bodies,
        "messages": cloud.told,
    }
    return {place for place, held in places.items() if any(MARK in text for text in _texts(held))}


def _messages(cloud: Cloud) -> Iterator[Mapping[str, Any]]:
    """Return what has come through queues."""
    for event in cloud.told:
        yield from (record for record in event["Records"] if "body" in record)


def _texts(held: Any) -> Iterator[str]:
    """Return all texts of items, messages and streams, what was compressed as it was."""
    match held:
        case str():
            yield held
        case bytes():
            yield _text(held)
        case {"B": str(encoded)}:
            yield _text(base64.b64decode(encoded))
        case Mapping():
            for each in held.values():
                yield from _texts(each)
        case list() | tuple():
            for each in held:
                yield from _texts(each)
        case _:
            pass


def _text(octets: bytes) -> str:
    try:
        return zlib.decompress(octets).decode()
    except zlib.error:
        return octets.decode("latin-1")


def test_a_bucket_that_does_not_answer_at_first_parks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    refused: set[BlobKey] = set()
    read = S3Blobs._read

    def busy_at_first(self: S3Blobs, key: BlobKey) -> str | None:
        if key not in refused:
            refused.add(key)
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "try again"}}, "GetObject")
        return read(self, key)

    with deployed(Vault) as cloud:
        api, table = cloud.api(), cloud.host().store.table

        async def begin() -> None:
            async with connect(Vault, URL, transport=LambdaTransport(api)) as client:
                await client.keep.options(id="large").start(MEGABYTE)

        asyncio.run(begin())
        monkeypatch.setattr(S3Blobs, "_read", busy_at_first)
        shown: Item = {}

        def is_over() -> bool:
            found = asyncio.run(table.get(("x#large", "meta")))
            shown.update({} if found is None else found)
            return "outcome" in shown or "paused" in shown

        cloud.run(is_over)
        api.close()
    assert (shown["status"], "paused" in shown) == ("succeeded", False)
    assert "large" in {key.owner for key in refused}
