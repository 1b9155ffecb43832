"""A table's stream, and what brings a function its records.

As Lambda's developer guide has it ("Using AWS Lambda with Amazon DynamoDB", "Parameters for DynamoDB event source
mappings", "Configuring partial batch response"): records of one partition key come in order, to one invocation at a
time, whatever the parallelization factor; at least once. A batch that fails comes again, in halves if it is to be
bisected; one that failed in part comes again from the first record that did. After so many retries, or at such an
age, records are given up, which the failure destination is told, and the shard goes on.
"""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from service_kit.stores.dynamodb.keys import PK, SK
from service_kit.testing.simulation.aws.table import Change
from service_kit.testing.simulation.chances import Chances

Record: TypeAlias = "dict[str, Any]"
Invoke: TypeAlias = Callable[["dict[str, Any]"], Awaitable["set[str]"]]
"""Hands an event to a function; returns the ids of what is to come again."""

LATENCY_S = 0.2
LATE_S = 20.0
PAUSE_MOST_S = 20.0
"""Between two retries."""


def record_of(change: Change, number: int) -> Record:
    """Return the record of a change as Lambda hands it over: JSON, in which bytes are base64."""
    pk, sk = change.place
    content: dict[str, Any] = {"Keys": {PK: {"S": pk}, SK: {"S": sk}}, "SequenceNumber": f"{number:021d}"}
    if change.after is not None:
        content["NewImage"] = json.loads(json.dumps(change.after, default=_as_text))
    kind = "INSERT" if change.before is None else "MODIFY" if change.after is not None else "REMOVE"
    return {"eventName": kind, "eventSource": "aws:dynamodb", "dynamodb": content}


@dataclass(slots=True)
class Waiting:
    """A record on its way to a function."""

    record: Record
    written_s: float
    comes_s: float

    @property
    def id(self) -> str:
        number: str = self.record["dynamodb"]["SequenceNumber"]
        return number


@dataclass(slots=True)
class Mapping:
    """An event source mapping. A lane has the records of some partition keys, in order."""

    name: str
    chances: Chances
    start: Callable[[Any], None]
    """Runs a coroutine outside of every instance."""
    invoke: Invoke
    wants: Callable[[Record], bool]
    """The filter."""
    trace: Callable[[str], None]
    retries: int
    batch: int = 100
    parallel: int = 10
    age_most_s: float = 3_600.0
    given_up: list[str] = field(default_factory=list[str])
    """What the failure destination was told of: no records, only where they were in the stream."""
    lanes: dict[int, deque[Waiting]] = field(default_factory=dict[int, "deque[Waiting]"])
    _latest_s: dict[int, float] = field(default_factory=dict[int, float])

    @property
    def idle(self) -> bool:
        return not self.lanes

    def put(self, record: Record) -> None:
        """Take a record that has just been written."""
        if not self.wants(record):
            return
        pk: str = record["dynamodb"]["Keys"][PK]["S"]
        lane = zlib.crc32(pk.encode()) % self.parallel
        now_s = asyncio.get_running_loop().time()
        comes_s = now_s + LATENCY_S * self.chances.next_number("stream latency")
        drawn = self.chances.draw("stream")
        if drawn is not None and drawn.fault == "lost":
            # The function was throttled for as long as a record may wait.
            self._give_up([Waiting(record, now_s, now_s)])
            return
        if drawn is not None and drawn.fault == "late":
            comes_s += LATE_S * drawn.amount
        self._latest_s[lane] = comes_s = max(comes_s, self._latest_s.get(lane, 0.0))
        waiting = Waiting(record, now_s, comes_s)
        if lane in self.lanes:
            self.lanes[lane].append(waiting)
        else:
            self.lanes[lane] = deque([waiting])
            self.start(self._work(lane))

    async def _work(self, lane: int) -> None:
        loop, records = asyncio.get_running_loop(), self.lanes[lane]
        while records:
            await asyncio.sleep(max(records[0].comes_s - loop.time(), 0.0))
            batch = [one for one in records if one.comes_s <= loop.time()][: self.batch]
            await self._handle(batch)
            for _ in batch:
                records.popleft()
        del self.lanes[lane]

    async def _handle(self, batch: Sequence[Waiting]) -> None:
        """Hand a batch over until it is handled or given up."""
        left, tries = list(batch), 0
        while left:
            failed, broken = await self._tried(left)
            if not failed:
                return
            first = next(number for number, one in enumerate(left) if one.id in failed)
            left = left[first:]
            if broken and len(left) > 1:
                # Being divided is not counted as a retry.
                for half in (left[: len(left) // 2], left[len(left) // 2 :]):
                    await self._handle(half)
                return
            tries += 1
            if tries > self.retries or self._too_old(left[0]):
                self._give_up(left)
                return
            await asyncio.sleep(min(0.2 * 2**tries, PAUSE_MOST_S) * self.chances.next_number("pause"))

    async def _tried(self, batch: Sequence[Waiting]) -> tuple[set[str], bool]:
        """Return what is to come again, and whether the function has failed as a whole."""
        event = {"Records": [one.record for one in batch]}
        drawn = self.chances.draw("stream")
        try:
            failed = await self.invoke(event)
            if drawn is not None and drawn.fault == "doubled":
                failed = await self.invoke(event)
        except Exception as error:  # noqa: BLE001 - whatever a function raises brings its batch again
            self.trace(f"{self.name} failed: {type(error).__name__}")
            return {one.id for one in batch}, True
        if drawn is not None and drawn.fault == "fails":
            return {one.id for one in batch}, True
        return failed, False

    def _give_up(self, records: Sequence[Waiting]) -> None:
        self.trace(f"{self.name} gives up {len(records)} records")
        self.given_up.extend(one.id for one in records)

    def _too_old(self, one: Waiting) -> bool:
        return asyncio.get_running_loop().time() - one.written_s > self.age_most_s


def _as_text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} is in no item")
    return base64.b64encode(value).decode()
