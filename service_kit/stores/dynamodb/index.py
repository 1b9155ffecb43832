"""Finding executions in DynamoDB, by what the indexes say and the table confirms."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from service_kit.contract.schedule import SCHEDULER
from service_kit.runtime.dispatcher import ENDS
from service_kit.runtime.records import (
    DueExecution,
    ExecutionPage,
    ExecutionQuery,
    ExecutionRecord,
    Known,
)
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.due import due_at_s, earliest_s, entries
from service_kit.stores.dynamodb.following import Following
from service_kit.stores.dynamodb.items import due_of, record_of_item
from service_kit.stores.dynamodb.keys import (
    BY_LISTING,
    DUE_AT,
    DUE_PK,
    LIST_PK,
    LIST_SK,
    META,
    PK,
    SK,
    arrival_sk,
    execution_pk,
    listing_sk,
    schedulers_pk,
    shards,
)
from service_kit.stores.dynamodb.reading import Reader
from service_kit.stores.dynamodb.table import Table, update
from service_kit.stores.dynamodb.values import Item
from service_kit.stores.packed.reading import readable

ENDING = frozenset(arrival_sk(key) for key in ENDS)
STATUSES = ("running", "succeeded", "failed", "cancelled", "timed_out", "terminated")


class DynamoIndex:
    """The port `ExecutionIndex`. Lists are of some milliseconds ago; what is due was looked up again."""

    def __init__(self, table: Table, bodies: Bodies, reader: Reader, following: Following) -> None:
        self._table = table
        self._bodies = bodies
        self._reader = reader
        self._following = following

    async def list(self, query: ExecutionQuery) -> ExecutionPage:
        """Return a page: read from every partition of its statuses, and merged by time."""
        partitions = _partitions(query)
        found, after = list[ExecutionRecord](), query.after
        while True:
            wanted = query.limit + 1 - len(found)
            looked = await asyncio.gather(*(self._entries(pk, after, wanted) for pk in partitions))
            merged = sorted((e for each in looked for e in each), key=_listed_at, reverse=True)[:wanted]
            found += [r for r in await self._records(merged) if _wanted(r, query)]
            if len(merged) < wanted or len(found) > query.limit:
                break
            after = _listed_at(merged[-1])
        page = found[: query.limit]
        last = page[-1] if len(found) > len(page) else None
        return ExecutionPage(page, None if last is None else listing_sk(last.created_at_s, last.id))

    async def ended(self, ids: Sequence[str]) -> Mapping[str, str]:
        items = await self._table.get_many((execution_pk(each), META) for each in ids)
        ended = [item for item in items if "outcome" in item]
        records = await readable(ended, lambda item: record_of_item(item, self._bodies), _named)
        return {record.id: record.outcome for record in records if record.outcome is not None}

    async def due(self, now_s: float, limit: int) -> Sequence[DueExecution]:
        """Return what is due. Turns whose process died before their effects are followed up on the way."""
        await self._following.relay(now_s, limit)
        wakes = await entries(self._table, shards("w"), now_s, limit)
        size = limit
        while True:
            arrived = await entries(self._table, shards("a"), math.inf, size)
            found = await self._due(wakes, await self._still_waiting(arrived), now_s)
            fullest = max(Counter(str(entry[DUE_PK]) for entry in arrived).values(), default=0)
            if len(found) >= limit or fullest < size:
                return [DueExecution(r.id, Known(r.run, r.turn)) for r in found[:limit]]
            # What waits with paused and delayed executions stays in front of whatever else there is.
            size *= 2

    async def visits(self, now_s: float, limit: int) -> Sequence[str]:
        """Return executions that nobody has looked at for long; each is told once, and again after as long.

        Only with queues: there an answer stands in no index, and what it should have woken is found so.
        """
        told: list[str] = []
        for entry in await entries(self._table, shards("v"), now_s, limit):
            record = await self._reader.record(str(entry[PK])[2:])
            if record is None or record.outcome is not None or record.paused is not None:
                continue
            change = f"SET #{DUE_PK} = :{DUE_PK}, #{DUE_AT} = :{DUE_AT}"
            when = f"#{DUE_PK} = :seen_pk AND #{DUE_AT} = :seen_at"
            values = {**due_of(record, now_s), "seen_pk": entry[DUE_PK], "seen_at": entry[DUE_AT]}
            place = str(entry[PK]), META
            if await self._table.write(update(place, change, when, **values)) is not None:
                told.append(record.id)
        return told

    async def next_wake_s(self) -> float | None:
        return await earliest_s(self._table, shards("w"))

    async def _due(
        self, wakes: Sequence[Item], waiting: Sequence[Item], now_s: float
    ) -> Sequence[ExecutionRecord]:
        """Return those of these executions that are due, the earliest first."""
        since: dict[str, float] = {}
        for entry in [*wakes, *waiting]:
            execution = str(entry[PK])[2:]
            since[execution] = min(since.get(execution, math.inf), due_at_s(entry))
        records = await asyncio.gather(*(self._reader.record(each) for each in since))
        # Before its first turn an execution may be delayed: what has arrived then waits with it, but for its end.
        awaited = {str(e[PK])[2:] for e in waiting}
        ending = {str(e[PK])[2:] for e in waiting if e[SK] in ENDING}
        due = [
            record
            for record in records
            if record is not None
            and _is_due(record, now_s, record.id in (awaited if record.turn else ending))
        ]
        return sorted(due, key=lambda record: (since[record.id], record.id))

    async def _still_waiting(self, found: Sequence[Item]) -> Sequence[Item]:
        """Return those of these arrivals whose execution can use them now; strike off what none will ever use."""
        items: Sequence[Any] = await self._table.get_many((str(e[PK]), str(e[SK])) for e in found)
        kept = [item for item in items if DUE_PK in item]
        metas: Sequence[Any] = await self._table.get_many((str(item[PK]), META) for item in kept)
        goes_on = {meta[PK]: meta for meta in metas if "outcome" not in meta}
        usable = [i for i in kept if (m := goes_on.get(i[PK])) and i.get("run", m["run"]) == m["run"]]
        places = {(item[PK], item[SK]) for item in usable}
        for place in [(str(i[PK]), str(i[SK])) for i in kept if (i[PK], i[SK]) not in places]:
            await self._table.write(update(place, f"REMOVE #{DUE_PK}, #{DUE_AT}", f"attribute_exists(#{SK})"))
        return [item for item in usable if "paused" not in goes_on[item[PK]]]

    async def _entries(self, pk: str, after: str | None, limit: int) -> Sequence[Item]:
        condition, values = f"#{LIST_PK} = :pk", {"pk": pk}
        if after is not None:
            condition, values = f"{condition} AND #{LIST_SK} < :after", {**values, "after": after}
        return await self._table.query_index(BY_LISTING, condition, values, limit=limit, backwards=True)

    async def _records(self, found: Sequence[Item]) -> Sequence[ExecutionRecord]:
        """Return records as they are now, in the order in which they were found.

        Reasons and outcomes that cannot be read are empty: a list is what finds such executions.
        """
        items = await self._table.get_many((str(e[PK]), META) for e in found)
        records = await readable(
            items, lambda item: record_of_item(item, self._bodies), _named, self._emptied
        )
        by_place = {execution_pk(record.id): record for record in records}
        # While its status changes, an execution may stand in the index twice.
        places = dict.fromkeys(str(e[PK]) for e in found)
        return [by_place[place] for place in places if place in by_place]

    async def _emptied(self, item: Item) -> Sequence[ExecutionRecord]:
        empty: Item = {name: "" for name in ("outcome", "paused") if name in item}
        return [await record_of_item({**item, **empty}, self._bodies)]


def _is_due(record: ExecutionRecord, now_s: float, waits: bool) -> bool:
    if record.outcome is not None or record.paused is not None:
        return False
    return waits or (record.wake_at_s is not None and record.wake_at_s <= now_s)


def _partitions(query: ExecutionQuery) -> list[str]:
    """Return where in the index of lists there may be what a query wants."""
    statuses = STATUSES if query.status is None else (query.status,)
    schedulers = [schedulers_pk(status) for status in statuses]
    others = [pk for status in statuses for pk in shards(status)]
    if query.workflow is None:
        return [*schedulers, *others]
    return schedulers if query.workflow == SCHEDULER else others


def _wanted(record: ExecutionRecord, query: ExecutionQuery) -> bool:
    return (
        query.workflow in (None, record.workflow)
        and query.status in (None, record.status)
        and all(record.attributes.get(name) == value for name, value in query.attributes.items())
    )


def _named(item: Any) -> str:
    return f"the outcome of execution '{item['id']}'"


def _listed_at(entry: Item) -> str:
    return str(entry[LIST_SK])
