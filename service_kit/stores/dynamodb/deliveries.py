"""Deliveries of events in DynamoDB: one item for each event and subscription."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service_kit.runtime.ports import Unstorable
from service_kit.runtime.records import Claim, ClaimedDelivery, Publish, PublishedEvent
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.due import earliest_s, entries
from service_kit.stores.dynamodb.keys import (
    DEAD_PK,
    DUE_AT,
    DUE_PK,
    PK,
    SK,
    TTL,
    delivery_place,
    subscription_pk,
)
from service_kit.stores.dynamodb.own import is_claimed_by, is_given_up_by
from service_kit.stores.dynamodb.table import TRANSACTION_MOST, Table, put, update
from service_kit.stores.dynamodb.turns import DAY_S, ttl_of
from service_kit.stores.packed.reading import readable

_MINE = "#owner = :owner AND #epoch = :epoch"


class DynamoDeliveries:
    """The ports `Deliveries` and `DeliverySchedule`."""

    def __init__(self, table: Table, bodies: Bodies) -> None:
        self._table = table
        self._bodies = bodies

    async def publish(self, events: Sequence[Publish]) -> None:
        items = [item for event in events for item in await self._items(event)]
        if len(items) > TRANSACTION_MOST:
            raise Unstorable(
                f"{len(items)} deliveries are more than DynamoDB stores together ({TRANSACTION_MOST});"
                f" publish fewer events at once"
            )
        while items:
            known = await self._table.write_all([put(item, f"attribute_not_exists(#{SK})") for item in items])
            if known is None:
                return
            items = [item for number, item in enumerate(items) if number not in known]

    async def add(self, event: Publish) -> None:
        """Store the deliveries of an event one by one, those that are not known: for whoever tries again."""
        items = await self._items(event)
        await asyncio.gather(
            *(self._table.write(put(item, f"attribute_not_exists(#{SK})")) for item in items)
        )

    async def claim(
        self, subscriptions: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedDelivery]:
        found = await entries(self._table, [subscription_pk(name) for name in subscriptions], now_s, limit)
        claimed = await asyncio.gather(
            *(self._claim((str(e[PK]), str(e[SK])), claim, now_s) for e in found[:limit])
        )
        return [one for one in claimed if one is not None]

    async def begin(
        self, event: PublishedEvent, subscription: str, claim: Claim, now_s: float
    ) -> ClaimedDelivery | None:
        """Claim a delivery that a message has brought, known or not; None: it is done, dead, or not available."""
        change = (
            "SET #subscription = :subscription, #envelope = :envelope, #owner = :owner, #until = :until,"
            f" #{DUE_PK} = :pk, #{DUE_AT} = :until, #loss = :one, #after_loss = if_not_exists(#loss, :zero),"
            " #attempt = if_not_exists(#attempt, :one) + if_not_exists(#loss, :zero) ADD #epoch :one"
        )
        when = (
            f"attribute_not_exists(#{TTL}) AND attribute_not_exists(#failure)"
            f" AND (attribute_not_exists(#{DUE_AT}) OR #{DUE_AT} <= :now)"
        )
        values: dict[str, Any] = {
            "subscription": subscription,
            "envelope": await self._envelope(event),
            "owner": claim.owner,
            "until": claim.until_s,
            "pk": subscription_pk(subscription),
            "now": now_s,
            "one": 1,
            "zero": 0,
        }
        place = delivery_place(event.id, subscription)
        item: Any = await self._table.write(update(place, change, when, **values), "ALL_NEW")
        if item is None:
            item = await self._table.get(place)
            if not is_claimed_by(item, claim):
                return None
        held = replace(claim, epoch=item["epoch"])
        return ClaimedDelivery(event, subscription, item["attempt"], held, bool(item["after_loss"]))

    async def available_at_s(self, event_id: str, subscription: str) -> float | None:
        """Return when a delivery can be claimed; None: never, it is done or dead."""
        item: Any = await self._table.get(delivery_place(event_id, subscription))
        if item is None or TTL in item or "failure" in item:
            return None
        return float(item[DUE_AT])

    async def waiting(
        self, subscriptions: Sequence[str], until_s: float, limit: int
    ) -> list[tuple[PublishedEvent, str]]:
        """Return deliveries that could have been claimed for some time."""
        found = await entries(self._table, [subscription_pk(name) for name in subscriptions], until_s, limit)
        items: list[Any] = await self._table.get_many((str(e[PK]), str(e[SK])) for e in found)
        return await readable([item for item in items if "envelope" in item], self._waiting, name_of)

    async def done(self, event_id: str, subscription: str, claim: Claim) -> bool:
        # About when it was done: what is claimed now will have ended by the end of its claim.
        ttl = ttl_of(claim.until_s, DAY_S)
        change = f"SET #{TTL} = :ttl REMOVE #owner, #until, #envelope, #{DUE_PK}, #{DUE_AT}"
        return await self._change(event_id, subscription, claim, change, {"ttl": ttl})

    async def retry(self, event_id: str, subscription: str, claim: Claim, at_s: float) -> bool:
        change = f"SET #attempt = #attempt + :one, #loss = :zero, #{DUE_AT} = :at REMOVE #owner, #until"
        values = {"one": 1, "zero": 0, "at": at_s}
        if await self._change(event_id, subscription, claim, change, values):
            return True
        return is_given_up_by(
            await self._table.get(delivery_place(event_id, subscription)), claim, None, at_s
        )

    async def bury(self, event_id: str, subscription: str, claim: Claim, failure: str, at_s: float) -> bool:
        change = f"SET #failure = :failure, #{DUE_PK} = :dead, #{DUE_AT} = :at, #loss = :zero REMOVE #owner, #until"
        packed = await self._bodies.pack(failure, event_id)
        values = {"failure": packed, "dead": DEAD_PK, "at": at_s, "zero": 0}
        return await self._change(event_id, subscription, claim, change, values)

    async def next_delivery_s(self, subscriptions: Sequence[str]) -> float | None:
        return await earliest_s(self._table, [subscription_pk(name) for name in subscriptions])

    async def _claim(self, place: tuple[str, str], claim: Claim, now_s: float) -> ClaimedDelivery | None:
        change = (
            f"SET #owner = :owner, #until = :until, #{DUE_AT} = :until, #attempt = #attempt + #loss, #loss = :one"
            " ADD #epoch :one"
        )
        when = f"attribute_exists(#envelope) AND attribute_not_exists(#failure) AND #{DUE_AT} <= :now"
        values = {"owner": claim.owner, "until": claim.until_s, "now": now_s, "one": 1}
        before: Any = await self._table.write(update(place, change, when, **values), "ALL_OLD")
        if before is None:
            return None
        lost = before["loss"]
        return ClaimedDelivery(
            await event_of(before, self._bodies),
            before["subscription"],
            before["attempt"] + lost,
            replace(claim, epoch=before["epoch"] + 1),
            bool(lost),
        )

    async def _change(
        self, event_id: str, subscription: str, claim: Claim, change: str, values: dict[str, Any]
    ) -> bool:
        place = delivery_place(event_id, subscription)
        held = {"owner": claim.owner, "epoch": claim.epoch}
        return await self._table.write(update(place, change, _MINE, **values, **held)) is not None

    async def _waiting(self, item: Any) -> tuple[PublishedEvent, str]:
        return await event_of(item, self._bodies), item["subscription"]

    async def _envelope(self, event: PublishedEvent) -> Any:
        row = [event.id, event.name, event.source, event.time_s, event.payload, event.trace]
        return await self._bodies.pack(json.dumps(row, ensure_ascii=False), event.id)

    async def _items(self, publish: Publish) -> list[dict[str, Any]]:
        event, envelope = publish.event, await self._envelope(publish.event)
        return [
            {
                PK: delivery_place(event.id, name)[0],
                SK: delivery_place(event.id, name)[1],
                "subscription": name,
                "envelope": envelope,
                "attempt": 1,
                "loss": 0,
                "epoch": 0,
                DUE_PK: subscription_pk(name),
                DUE_AT: event.time_s,
            }
            for name in publish.subscriptions
        ]


async def event_of(item: Any, bodies: Bodies) -> PublishedEvent:
    """Return the event of a delivery's item."""
    return PublishedEvent(*json.loads(await bodies.unpack(item["envelope"])))


def name_of(item: Any) -> str:
    """Return what a delivery's item is called where it is told of."""
    return f"event '{str(item[PK]).partition('#')[2]}' for '{item['subscription']}'"
