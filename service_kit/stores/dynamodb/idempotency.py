"""Idempotent answers in DynamoDB: whichever process a retry reaches, it gets the first answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from service_kit.runtime.idempotency import Beginning, Claimed, InFlight, Kept, KeptAnswer, Mismatch
from service_kit.stores.dynamodb.keys import PK, SK, TTL, answer_place
from service_kit.stores.dynamodb.table import Table, delete, put, update

KEEP_S = 86_400.0
LEASE_S = 900.0
"""A claim that is neither kept nor released for so long was its process's last: no function runs longer."""


class DynamoIdempotencyStore:
    """The port `IdempotencyStore`. An answer counts as forgotten at its time to live, whenever the table deletes it."""

    def __init__(self, table: Callable[[], Table], clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    async def begin(self, key: str, fingerprint: bytes) -> Beginning:
        now_s, (pk, sk) = self._clock(), answer_place(key)
        claim = {PK: pk, SK: sk, "fingerprint": fingerprint, TTL: math.ceil(now_s + LEASE_S)}
        free = f"attribute_not_exists(#{SK}) OR #{TTL} <= :now"
        while await self._table().write(put(claim, free, now=now_s)) is None:
            found: Any = await self._table().get((pk, sk))
            if found is None or found[TTL] <= now_s:
                continue  # it was released just now
            if found["fingerprint"] != fingerprint:
                return Mismatch()
            if "status" not in found:
                return InFlight()
            return Kept(KeptAnswer(found["status"], found["content_type"], found["body"]))
        return Claimed()

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        change = "SET #status = :status, #content_type = :type, #body = :body, #ttl = :ttl"
        values: dict[str, Any] = {"status": answer.status, "type": answer.content_type, "body": answer.body}
        await self._table().write(
            update(answer_place(key), change, **values, ttl=math.ceil(self._clock() + KEEP_S))
        )

    async def release(self, key: str) -> None:
        await self._table().write(delete(answer_place(key), "attribute_not_exists(#status)"))
