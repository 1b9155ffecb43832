"""A table of DynamoDB in memory: items, conditional writes, transactions, queries by page, late indexes.

What it does is what the API reference and the developer guide say:

- A condition is looked at and the item written in one step; a transaction's conditions all hold or nothing is written,
  and no two of its actions may name one item ("TransactWriteItems").
- A page ends at `Limit` items, or at what it may read (1 MB), and says where ("Query"): more may follow, or nothing.
- Global secondary indexes follow the table later, and each item in order ("Managing write synchronization between
  tables and global secondary indexes").
- A read that is not consistent may not show the latest write ("Read consistency").
- A write that changes nothing has no record in the stream ("Change data capture for DynamoDB Streams").
- An item past its time to live is deleted at some later time ("Using time to live").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from service_kit.stores.dynamodb.keys import PK, SK, TTL, table_definition
from service_kit.stores.dynamodb.values import MOST_BYTES, size_bytes
from service_kit.testing.simulation.aws.errors import AwsError, check
from service_kit.testing.simulation.aws.expressions import (
    Attributes,
    holds,
    number,
    parse_condition,
    parse_update,
    updated,
)

Marshalled: TypeAlias = "dict[str, Mapping[str, Any]]"
Place: TypeAlias = "tuple[str, str]"

PAGE_BYTES = 1024 * 1024
TRANSACTION_MOST = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One item, before and after a write."""

    place: Place
    before: Marshalled | None
    after: Marshalled | None


@dataclass(frozen=True, slots=True)
class Write:
    """A write as the API takes it, its item's place known."""

    kind: str
    place: Place
    request: Mapping[str, Any]


@dataclass(slots=True)
class Index:
    """An index that holds keys only; `delay` decides when it hears of a change."""

    hashed: str
    ranged: str
    entries: dict[Place, Marshalled] = field(default_factory=dict["Place", "Marshalled"])

    def entry_of(self, item: Marshalled | None) -> Marshalled | None:
        if item is None or self.hashed not in item or self.ranged not in item:
            return None
        return {name: item[name] for name in (PK, SK, self.hashed, self.ranged)}

    def set(self, place: Place, entry: Marshalled | None) -> None:
        if entry is None:
            self.entries.pop(place, None)
        else:
            self.entries[place] = entry


Delay: TypeAlias = Callable[[Place, Callable[[], None]], None]
"""Calls something later, for each place in order."""


def _at_once(_: Place, act: Callable[[], None]) -> None:
    act()


@dataclass(slots=True)
class ModelTable:
    """The items of one table. Each method is one step: nothing else happens meanwhile."""

    page_bytes: int = PAGE_BYTES
    index_later: Delay = _at_once
    stale: Callable[[Place], bool] = lambda _: False
    """Whether a read that is not consistent misses the last write of an item."""
    changed: list[Callable[[Change], None]] = field(default_factory=list[Callable[[Change], None]])
    """Told of each change, in order: the stream, and whoever watches."""
    partitions: dict[str, dict[str, Marshalled]] = field(default_factory=dict[str, "dict[str, Marshalled]"])
    indexes: dict[str, Index] = field(default_factory=dict[str, Index])
    _before: dict[Place, Marshalled | None] = field(default_factory=dict["Place", "Marshalled | None"])
    """Items as they were before their last writes."""
    _tokens: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        for index in table_definition("")["GlobalSecondaryIndexes"]:
            hashed, ranged = (key["AttributeName"] for key in index["KeySchema"])
            self.indexes[index["IndexName"]] = Index(hashed, ranged)

    def get(self, place: Place, *, consistent: bool = True) -> Marshalled | None:
        if not consistent and place in self._before and self.stale(place):
            return self._before[place]
        return self.partitions.get(place[0], {}).get(place[1])

    def write(self, one: Write) -> Change:
        """Perform one write; raise what DynamoDB answers if its condition does not hold."""
        if not self._admits(one):
            raise AwsError("ConditionalCheckFailedException", "The conditional request failed")
        change = self._change(one)
        self._apply(change)
        return change

    def write_all(self, writes: Sequence[Write], token: str | None = None) -> None:
        """Perform all or none; with a token that was used before, nothing is left to be done."""
        if token is not None and token in self._tokens:
            return
        check(len(writes) <= TRANSACTION_MOST, "Member must have length less than or equal to 100")
        check(
            len({one.place for one in writes}) == len(writes),
            "Transaction request cannot include multiple operations on one item",
        )
        reasons = ["None" if self._admits(one) else "ConditionalCheckFailed" for one in writes]
        if any(reason != "None" for reason in reasons):
            raise AwsError("TransactionCanceledException", "Transaction cancelled", reasons)
        for change in [self._change(one) for one in writes]:
            self._apply(change)
        if token is not None:
            self._tokens.add(token)

    def rows(self, index: str | None, hashed: Mapping[str, Any], *, consistent: bool) -> list[Marshalled]:
        """Return a partition of the table or of an index, in order."""
        if index is None:
            partition = self.partitions.get(hashed["S"], {})
            if not consistent:
                seen = ((sk, self.get((hashed["S"], sk), consistent=False)) for sk in partition)
                partition = {sk: item for sk, item in seen if item is not None}
            return [partition[sk] for sk in sorted(partition)]
        found = self.indexes[index]
        entries = [entry for entry in found.entries.values() if entry[found.hashed] == hashed]
        return sorted(
            entries, key=lambda entry: (sortable(entry[found.ranged]), entry[PK]["S"], entry[SK]["S"])
        )

    def keys_of(self, index: str | None) -> tuple[str, ...]:
        """Return what names a row, so that a query can go on after it."""
        return (PK, SK) if index is None else (PK, SK, self.indexes[index].hashed, self.indexes[index].ranged)

    def expire(self, place: Place, before_s: float) -> None:
        """Delete an item if its time to live is over."""
        item = self.get(place)
        if item is not None and TTL in item and float(item[TTL]["N"]) < before_s:
            self._apply(Change(place, item, None))

    def _admits(self, one: Write) -> bool:
        when = one.request.get("ConditionExpression")
        if when is None:
            return True
        names = one.request.get("ExpressionAttributeNames", {})
        values = one.request.get("ExpressionAttributeValues", {})
        return holds(parse_condition(when), self.get(one.place) or {}, names, values)

    def _change(self, one: Write) -> Change:
        before = self.get(one.place)
        match one.kind:
            case "Put":
                after: Marshalled | None = dict(one.request["Item"])
            case "Delete":
                after = None
            case _:
                after = self._updated(one, before)
        if after is not None:
            check(size_bytes(after) <= MOST_BYTES, "Item size has exceeded the maximum allowed size")
        return Change(one.place, before, after)

    def _updated(self, one: Write, before: Marshalled | None) -> Marshalled:
        update = parse_update(one.request["UpdateExpression"])
        names = one.request.get("ExpressionAttributeNames", {})
        values: Attributes = one.request.get("ExpressionAttributeValues", {})
        changed = [tuple(names[part] for part in path.split(".")) for path in update.paths]
        check(not {path[0] for path in changed} & {PK, SK}, "This attribute is part of the key")
        check(len(set(changed)) == len(changed), "Two document paths overlap with each other")
        key = {PK: {"S": one.place[0]}, SK: {"S": one.place[1]}}
        return updated(update, before or key, names, values)

    def _apply(self, change: Change) -> None:
        pk, sk = change.place
        if change.after is not None:
            self.partitions.setdefault(pk, {})[sk] = change.after
        elif change.before is not None:
            del self.partitions[pk][sk]
        self._before[change.place] = change.before
        for index in self.indexes.values():
            entry = index.entry_of(change.after)
            if entry != index.entry_of(change.before):
                self.index_later(change.place, partial(index.set, change.place, entry))
        if change.before != change.after:
            for tell in self.changed:
                tell(change)


def sortable(value: Mapping[str, Any]) -> Any:
    """Return a sort key's value as it sorts."""
    return number(value) if "N" in value else value["S"]
