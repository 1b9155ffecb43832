"""Idempotent answers in DynamoDB: whichever process a retry reaches, it gets the first answer."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from typing import Any

from service_kit.runtime.idempotency import Beginning, Claimed, InFlight, Kept, KeptAnswer, Mismatch
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.keys import PK, SK, TTL, answer_place
from service_kit.stores.dynamodb.store import DynamoStore
from service_kit.stores.dynamodb.table import delete, put, update

KEEP_S = 86_400.0
LEASE_S = 900.0
"""A claim that is neither kept nor released for so long was its process's last: no function runs longer."""


class DynamoIdempotencyStore:
    """The port `IdempotencyStore`. An answer counts as forgotten at its time to live, whenever the table deletes it.

    A large one lies beside the table, whose retention leaves it there for longer than that.
    """

    def __init__(self, store: Callable[[], DynamoStore], clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def begin(self, key: str, fingerprint: bytes) -> Beginning:
        store, now_s, (pk, sk) = self._store(), self._clock(), answer_place(key)
        mark, until = secrets.token_hex(8), math.ceil(now_s + LEASE_S)
        claim = {PK: pk, SK: sk, "fingerprint": fingerprint, "by": mark, TTL: until}
        free = f"attribute_not_exists(#{SK}) OR #{TTL} <= :now"
        while await store.table.write(put(claim, free, now=now_s)) is None:
            found: Any = await store.table.get((pk, sk))
            if found is None or found[TTL] <= now_s:
                continue  # it was released just now
            if found.get("by") == mark:
                break  # by this very call: its answer was lost, and boto3 asked again
            if found["fingerprint"] != fingerprint:
                return Mismatch()
            if "status" not in found:
                return InFlight()
            body = (await store.bodies.unpack(found["body"])).encode(found["charset"])
            return Kept(KeptAnswer(found["status"], found["content_type"], body))
        return Claimed()

    async def keep(self, key: str, answer: KeptAnswer) -> None:
        store, place = self._store(), answer_place(key)
        body, charset = await _packed(answer.body, store.bodies, place[0])
        change = (
            "SET #status = :status, #content_type = :type, #charset = :charset, #body = :body, #ttl = :ttl"
        )
        values: dict[str, Any] = {
            "status": answer.status,
            "type": answer.content_type,
            "charset": charset,
            "body": body,
        }
        ttl = math.ceil(self._clock() + KEEP_S)
        await store.table.write(update(place, change, **values, ttl=ttl))

    async def release(self, key: str) -> None:
        await self._store().table.write(delete(answer_place(key), "attribute_not_exists(#status)"))


async def _packed(body: bytes, bodies: Bodies, owner: str) -> tuple[Any, str]:
    """Return bytes as the table keeps texts, and how they are written as one."""
    try:
        text, charset = body.decode(), "utf-8"
    except UnicodeDecodeError:
        text, charset = body.decode("latin-1"), "latin-1"  # a character for each byte, whatever it is
    return await bodies.pack(text, owner), charset
