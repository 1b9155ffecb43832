"""Tasks in DynamoDB: one item for each, with its claim, its heartbeats and its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from service_kit.engine.arrivals import Arrival
from service_kit.engine.wire import decode_options, encode_options
from service_kit.runtime.records import Claim, ClaimedTask, Heartbeat, ScheduleTask, TaskKey
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.due import earliest_s, entries
from service_kit.stores.dynamodb.keys import (
    DUE_AT,
    DUE_PK,
    PK,
    SK,
    task_pk,
    task_place,
    waiting_pk,
)
from service_kit.stores.dynamodb.outbox import encode_arrival
from service_kit.stores.dynamodb.own import is_claimed_by, is_given_up_by
from service_kit.stores.dynamodb.table import Table, put, update
from service_kit.stores.dynamodb.turns import MINE, finish
from service_kit.stores.dynamodb.values import Item

NEVER_S = 1e100
"""Later than any clock: when a task that is completed from outside becomes available by itself."""
NOBODY = "-"
"""The owner of what will be completed from outside."""

_OPEN = "attribute_not_exists(#done) AND attribute_not_exists(#answer)"


class DynamoTasks:
    """The port `Tasks`.

    Polled, a task stands in the index by when it is available; its claim pushes that to its own end. With queues it
    stands nowhere before its first claim, and messages bring it to whoever claims it.
    """

    def __init__(
        self, table: Table, bodies: Bodies, *, queued: bool, clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._bodies = bodies
        self._queued = queued
        self._clock = clock

    async def schedule(self, task: ScheduleTask) -> None:
        """Make a task available, unless it is known."""
        await self._table.write(put(await self._item(task), f"attribute_not_exists(#{SK})"))

    async def cancel(self, key: TaskKey) -> None:
        """Finish a task that nobody runs; mark one that somebody does."""
        idle = f"attribute_exists(#{SK}) AND {_OPEN} AND (attribute_not_exists(#owner) OR #owner = :nobody)"
        done = finish(key, self._clock())
        dropped = await self._table.write(replace(done, when=idle, values={**done.values, "nobody": NOBODY}))
        if dropped is None:
            # With queues a message may be on its way: the mark is there before the task is.
            when = _OPEN if self._queued else f"attribute_exists(#{SK}) AND {_OPEN}"
            await self._table.write(update(task_place(key), "SET #cancelled = :one", when, one=1))

    async def claim(
        self, names: Sequence[str], claim: Claim, now_s: float, limit: int
    ) -> Sequence[ClaimedTask]:
        found = await entries(self._table, [task_pk(name) for name in names], now_s, limit)
        claimed = await asyncio.gather(
            *(self._claim((str(e[PK]), str(e[SK])), claim, now_s) for e in found[:limit])
        )
        return [one for one in claimed if one is not None]

    async def begin(self, task: ScheduleTask, claim: Claim, now_s: float) -> ClaimedTask | None:
        """Claim a task that a message has brought, whether it was claimed before or not; None: it is not available."""
        when = (
            f"{_OPEN} AND (attribute_not_exists(#{DUE_AT}) OR #{DUE_AT} <= :now)"
            " AND (attribute_not_exists(#until) OR #until <= :now)"
        )
        change = (
            "SET #owner = :owner, #until = :until, #loss = :one, #after_loss = if_not_exists(#loss, :zero),"
            " #attempt = if_not_exists(#attempt, :one) + if_not_exists(#loss, :zero) ADD #epoch :one"
        )
        held = {"owner": claim.owner, "until": claim.until_s, "now": now_s, "one": 1, "zero": 0}
        item: Any = await self._table.write(update(task_place(task.key), change, when, **held), "ALL_NEW")
        if item is None:
            item = await self._table.get(task_place(task.key))
            if not is_claimed_by(item, claim):
                return None
        if "cancelled" in item:
            await self._table.write(finish(task.key, now_s))
            return None
        return ClaimedTask(
            task.key,
            task.name,
            task.input,
            task.options,
            task.scheduled_at_s,
            item["attempt"],
            replace(claim, epoch=item["epoch"]),
            await self._details(item),
            bool(item["after_loss"]),
        )

    async def available_at_s(self, key: TaskKey) -> float | None:
        """Return when a task that `begin` did not claim can be claimed; None: never, it is finished."""
        item: Any = await self._table.get(task_place(key))
        if item is None or "done" in item or "answer" in item:
            return None
        return float(max(item.get("until", 0), item.get(DUE_AT, 0)))

    async def heartbeat(self, beats: Sequence[Heartbeat]) -> Sequence[bool | None]:
        return await asyncio.gather(*(self._beat(beat) for beat in beats))

    async def retry(self, key: TaskKey, claim: Claim, at_s: float, details: str | None = None) -> bool:
        change = f"SET #attempt = #attempt + :one, #loss = :zero, #{DUE_AT} = :at"
        values = {"one": 1, "zero": 0, "at": at_s}
        return await self._give_up(key, claim, change, " REMOVE #owner, #until", values, details)

    async def settle(self, key: TaskKey, claim: Claim | None, arrival: Arrival | None) -> bool:
        now_s = self._clock()
        if arrival is None:
            one = finish(key, now_s)
        else:
            change = "SET #answer = :answer, #at = :at"
            values: dict[str, Any] = {
                "answer": await self._bodies.pack(encode_arrival(arrival), key.execution, key.run),
                "at": int(now_s * 1e9),
            }
            gone = "#owner, #until, #input, #details"
            if self._queued:
                gone += f", #{DUE_AT}"
            else:
                change += f", #{DUE_PK} = :waiting, #{DUE_AT} = :now"
                values |= {"waiting": waiting_pk(key.execution), "now": now_s}
            one = update(task_place(key), f"{change} REMOVE {gone}", **values)
        if claim is None:
            valid, held = f"attribute_exists(#{SK}) AND {_OPEN}", dict[str, Any]()
        else:
            valid = f"{MINE} AND attribute_not_exists(#answer)"
            held = {"owner": claim.owner, "epoch": claim.epoch}
        return await self._table.write(replace(one, when=valid, values={**one.values, **held})) is not None

    async def detach(
        self, key: TaskKey, claim: Claim, until_s: float | None, details: str | None = None
    ) -> bool:
        at_s = NEVER_S if until_s is None else until_s
        change = f"SET #owner = :nobody, #until = :at, #{DUE_AT} = :at"
        return await self._give_up(key, claim, change, "", {"nobody": NOBODY, "at": at_s}, details)

    async def next_available_s(self, names: Sequence[str]) -> float | None:
        return await earliest_s(self._table, [task_pk(name) for name in names])

    async def _claim(self, place: tuple[str, str], claim: Claim, now_s: float) -> ClaimedTask | None:
        """Claim what the index has shown, if it is still available."""
        change = (
            f"SET #owner = :owner, #until = :until, #{DUE_AT} = :until, #attempt = #attempt + #loss, #loss = :one"
            " ADD #epoch :one"
        )
        when = f"{_OPEN} AND #{DUE_AT} <= :now"
        values = {"owner": claim.owner, "until": claim.until_s, "now": now_s, "one": 1}
        before: Any = await self._table.write(update(place, change, when, **values), "ALL_OLD")
        if before is None:
            return None
        key = TaskKey(before["execution"], before["call"][0], before["call"][1])
        if "cancelled" in before:
            await self._table.write(finish(key, now_s))
            return None
        options, lost = before.get("options"), before["loss"]
        return ClaimedTask(
            key,
            before["name"],
            await self._bodies.unpack(before["input"]),
            None if options is None else decode_options(options),
            float(before["scheduled_at"]),
            before["attempt"] + lost,
            replace(claim, epoch=before["epoch"] + 1),
            await self._details(before),
            bool(lost),
        )

    async def _beat(self, beat: Heartbeat) -> bool | None:
        until_s = min(beat.until_s, NEVER_S)
        change, values = "SET #until = :until", dict[str, Any](until=until_s)
        if not self._queued:
            change += f", #{DUE_AT} = :until"
        if beat.details is not None:
            packed = await self._bodies.pack(beat.details, beat.key.execution, beat.key.run)
            change, values = f"{change}, #details = :details", {**values, "details": packed}
        when = MINE if beat.claim is not None else f"#owner = :owner AND {_OPEN}"
        values["owner"] = NOBODY if beat.claim is None else beat.claim.owner
        if beat.claim is not None:
            values["epoch"] = beat.claim.epoch
        item: Item | None = await self._table.write(
            update(task_place(beat.key), change, when, **values), "ALL_NEW"
        )
        if item is None and beat.claim is None:
            item = await self._table.get(task_place(beat.key))
            item = item if item is not None and "owner" in item else None
        return None if item is None else "cancelled" in item

    async def _give_up(
        self,
        key: TaskKey,
        claim: Claim,
        change: str,
        removal: str,
        values: dict[str, Any],
        details: str | None,
    ) -> bool:
        """Change a task that is held; one that is cancelled ends here."""
        if details is not None:
            packed = await self._bodies.pack(details, key.execution, key.run)
            change, values = f"{change}, #details = :details", {**values, "details": packed}
        given = {**values, "owner": claim.owner, "epoch": claim.epoch}
        item = await self._table.write(update(task_place(key), change + removal, MINE, **given), "ALL_NEW")
        if item is None:
            item = await self._table.get(task_place(key))
            if not is_given_up_by(item, claim, values.get("nobody"), values["at"]):
                return False
        if item is not None and "cancelled" in item:
            await self._table.write(finish(key, self._clock()))
        return item is not None

    async def _details(self, item: Item) -> str | None:
        details = item.get("details")
        return None if details is None else await self._bodies.unpack(details)

    async def _item(self, task: ScheduleTask) -> dict[str, Any]:
        pk, sk = task_place(task.key)
        claim = task.claim
        return {
            PK: pk,
            SK: sk,
            "execution": task.key.execution,
            "call": [task.key.run, task.key.seq],
            "name": task.name,
            "input": await self._bodies.pack(task.input, task.key.execution, task.key.run),
            "options": None if task.options is None else encode_options(task.options),
            "scheduled_at": task.scheduled_at_s,
            "attempt": 1,
            "loss": 0 if claim is None else 1,
            "epoch": 0 if claim is None else claim.epoch,
            "owner": None if claim is None else claim.owner,
            "until": None if claim is None else claim.until_s,
            DUE_PK: None if self._queued else task_pk(task.name),
            DUE_AT: task.scheduled_at_s if claim is None else claim.until_s,
        }
