"""Dead letters in DynamoDB: deliveries that stand in a partition of the index by the time of their death."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from service_kit.runtime.records import DeadLetter, LetterPage, LetterPlace, PublishedEvent
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.deliveries import event_of, name_of
from service_kit.stores.dynamodb.due import due_at_s
from service_kit.stores.dynamodb.keys import (
    BY_DUE,
    DEAD_PK,
    DELIVERY,
    DUE_AT,
    DUE_PK,
    PK,
    SK,
    TTL,
    delivery_place,
    subscription_pk,
)
from service_kit.stores.dynamodb.table import Table, update
from service_kit.stores.dynamodb.turns import DAY_S, ttl_of
from service_kit.stores.dynamodb.values import Item
from service_kit.stores.packed.reading import readable

_IS_DEAD = "attribute_exists(#failure)"


class DynamoLetters:
    """The port `DeadLetters`. Lists are of some milliseconds ago, but for what is no dead letter any more."""

    def __init__(self, table: Table, bodies: Bodies) -> None:
        self._table = table
        self._bodies = bodies

    async def list(self, subscription: str | None, limit: int, after: LetterPlace | None) -> LetterPage:
        found = await self._entries(subscription, limit + 1, after)
        page = found[:limit]
        items: list[Any] = await self._table.get_many((str(e[PK]), str(e[SK])) for e in page)
        dead = sorted((item for item in items if "failure" in item), key=_place)
        letters = await readable(dead, self._letter, name_of)
        return LetterPage(letters, _place(page[-1]) if len(found) > len(page) else None)

    async def read(self, subscription: str, event_id: str) -> DeadLetter | None:
        item = await self._table.get(delivery_place(event_id, subscription))
        return None if item is None or "failure" not in item else await self._letter(item)

    async def redrive(self, subscription: str, event_id: str | None, now_s: float) -> int:
        return len(await self.reopen(subscription, event_id, now_s))

    async def reopen(self, subscription: str, event_id: str | None, now_s: float) -> Sequence[PublishedEvent]:
        """Make dead letters available again; return their events."""
        if event_id is None:
            entries = await self._entries(subscription, None, None)
            places = [(str(e[PK]), str(e[SK])) for e in entries]
        else:
            places = [delivery_place(event_id, subscription)]
        change = f"SET #{DUE_PK} = :open, #{DUE_AT} = :at, #attempt = :one REMOVE #failure"
        values = {"open": subscription_pk(subscription), "at": now_s, "one": 1}
        again = await asyncio.gather(
            *(self._table.write(update(place, change, _IS_DEAD, **values), "ALL_NEW") for place in places)
        )
        return await readable([item for item in again if item is not None], self._event, name_of)

    async def discard(self, subscription: str, event_ids: Sequence[str], now_s: float) -> Mapping[str, bool]:
        ids = list(dict.fromkeys(event_ids))
        found = await asyncio.gather(
            *(self._discard(delivery_place(each, subscription), now_s) for each in ids)
        )
        return {each: was_dead for each, was_dead in zip(ids, found, strict=True) if was_dead is not None}

    async def _discard(self, place: tuple[str, str], now_s: float) -> bool | None:
        """Finish a delivery; return whether it was a dead letter, None if it is not known."""
        change = f"SET #{TTL} = :ttl REMOVE #failure, #envelope, #{DUE_PK}, #{DUE_AT}"
        values = {"ttl": ttl_of(now_s, DAY_S)}
        if await self._table.write(update(place, change, _IS_DEAD, **values)) is not None:
            return True
        return None if await self._table.get(place) is None else False

    async def _entries(
        self, subscription: str | None, wanted: int | None, after: LetterPlace | None
    ) -> Sequence[Item]:
        """Return entries of the index in the order of their places, behind one of them; None: all of them."""
        condition, values = f"#{DUE_PK} = :pk", dict[str, Any](pk=DEAD_PK)
        if after is not None:
            condition, values = f"{condition} AND #{DUE_AT} >= :at", {**values, "at": after.died_at_s}
        last = None if after is None else _fitted(after)
        size = wanted
        while True:
            size = None if size is None else 2 * size
            looked = await self._table.query_index(BY_DUE, condition, values, limit=size)
            found = [e for e in looked if subscription is None or e[SK] == DELIVERY + subscription]
            found = sorted((e for e in found if last is None or _place(e) > last), key=_place)
            if size is None or len(looked) < size:
                return found[:wanted]
            # The index has no order for equal times: beside the last ones there may be others.
            whole = [e for e in found if due_at_s(e) < due_at_s(looked[-1])]
            if wanted is not None and len(whole) >= wanted:
                return whole[:wanted]

    async def _letter(self, item: Any) -> DeadLetter:
        failure = await self._bodies.unpack(item["failure"])
        event = await self._event(item)
        return DeadLetter(event, item["subscription"], item["attempt"], failure, due_at_s(item))

    async def _event(self, item: Any) -> PublishedEvent:
        return await event_of(item, self._bodies)


def _place(entry: Item) -> LetterPlace:
    """Return where an entry stands; an event's id that is too long for a key counts by its digest."""
    subscription, event = str(entry[SK]).removeprefix(DELIVERY), str(entry[PK]).partition("#")[2]
    return LetterPlace(due_at_s(entry), subscription, event)


def _fitted(place: LetterPlace) -> LetterPlace:
    pk, _ = delivery_place(place.event_id, "")
    return LetterPlace(place.died_at_s, place.subscription, pk.partition("#")[2])
