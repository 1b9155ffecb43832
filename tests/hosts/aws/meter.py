"""What is asked of AWS, as AWS bills it: requests by kind, and the units of those that are measured by size.

Counted where boto3 sends. Sizes are those of the items before and after a write, as DynamoDB's developer guide has it
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html): a write unit is a KB of
the larger one, a read unit 4 KB read consistently; a transaction takes both twice, and each entry of an index that
comes or goes takes another unit.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from service_kit.stores.dynamodb.keys import PK, SK, table_definition
from service_kit.stores.dynamodb.values import size_bytes
from tests.hosts.aws.cloud import Cloud

WRITE_BYTES, READ_BYTES = 1024, 4096
_INDEXES = [
    [part["AttributeName"] for part in index["KeySchema"]]
    for index in table_definition("")["GlobalSecondaryIndexes"]
]
_OF_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
_OF_AWS = {"ReceiveMessage", "DeleteMessage", "SendMessage"}
"""What Lambda and EventBridge ask of a queue: our functions send in batches."""

_Key = tuple[str, str]
_Item = Mapping[str, Any]


class Meter:
    """The counts of one stretch of time."""

    def __init__(self, cloud: Cloud) -> None:
        self._table = cloud.client("dynamodb")
        self._name = cloud.settings.table
        self._items: dict[_Key, _Item | None] = {}
        self._lock = threading.Lock()
        self._silent = threading.local()
        self.requests: Counter[str] = Counter()
        """By service and operation, such as `dynamodb.PutItem`; of receipts of messages those that brought some."""
        self.writes = 0
        """Items written: a transaction of two is two."""
        self.write_units = 0
        self.read_units = 0.0
        self.waits = 0
        """Requests that functions wait for."""

    def _begin(self, params: dict[str, Any], model: Any, context: dict[str, Any], **rest: Any) -> None:
        if getattr(self._silent, "on", False):
            return
        context["metered"] = params
        for kind, key, _ in _writes(model.name, params):
            if key not in self._items:
                # A new place, says its condition, and the request is refused if it is none.
                fresh = kind == "Put" and params.get("ConditionExpression") == f"attribute_not_exists(#{SK})"
                self._items[key] = None if fresh else self._read(key)

    def _end(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **rest: Any) -> None:
        params = context.get("metered")
        if params is None or (model.name == "ReceiveMessage" and not parsed.get("Messages")):
            return
        with self._lock:
            service: str = model.service_model.service_name
            entries = params["Entries"] if model.name == "PutEvents" else [None]
            self.requests[f"{service}.{model.name}"] += len(entries)
            self.waits += model.name not in _OF_AWS
            assert "Error" not in parsed, f"{model.name} was refused, and what that costs is not counted here"
            factor = 2 if model.name == "TransactWriteItems" else 1
            for kind, key, item in _writes(model.name, params):
                before, after = self._items[key], self._read(key) if kind == "Update" else item
                self.writes += 1
                self.write_units += factor * _units(before, after) + _index_units(before, after)
                self._items[key] = after
            self.read_units += _read_units(model.name, params, parsed)

    def _read(self, key: _Key) -> _Item | None:
        """Look at an item without counting it."""
        self._silent.on = True
        try:
            place = {PK: {"S": key[0]}, SK: {"S": key[1]}}
            answer = self._table.get_item(TableName=self._name, Key=place, ConsistentRead=True)
            found: _Item | None = answer.get("Item")
            return found
        finally:
            self._silent.on = False


@contextmanager
def metered(cloud: Cloud) -> Generator[Meter, None, None]:
    """Count what is sent to AWS meanwhile, by the functions and by what brings them their work."""
    meter = Meter(cloud)
    hooks: list[tuple[str, Any]] = [("before-parameter-build", meter._begin), ("after-call", meter._end)]
    clients = [cloud.client(name) for name in ("dynamodb", "sqs", "events", "scheduler", "s3")]
    for client in clients:
        for event, hook in hooks:
            client.meta.events.register(event, hook)
    try:
        yield meter
    finally:
        for client in clients:
            for event, hook in hooks:
                client.meta.events.unregister(event, hook)


def _writes(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, _Key, _Item | None]]:
    """Return kind, place and new item (None: gone, or to be looked up) of each write of a request."""
    if operation in _OF_WRITES:
        yield _write(_OF_WRITES[operation], params)
    elif operation == "TransactWriteItems":
        for each in params["TransactItems"]:
            ((kind, request),) = each.items()
            yield _write(kind, request)
    elif operation == "BatchWriteItem":
        for requests in params["RequestItems"].values():
            for each in requests:
                ((kind, request),) = each.items()
                yield _write(kind.removesuffix("Request"), request)


def _write(kind: str, request: Mapping[str, Any]) -> tuple[str, _Key, _Item | None]:
    item: _Item | None = request.get("Item")
    key: Mapping[str, Any] = item or request["Key"]
    return kind, (key[PK]["S"], key[SK]["S"]), item


def _units(before: _Item | None, after: _Item | None) -> int:
    return max(1, *(math.ceil(size_bytes(item) / WRITE_BYTES) for item in (before or {}, after or {})))


def _index_units(before: _Item | None, after: _Item | None) -> int:
    """Return what keeping the indexes costs, which hold keys only: a unit for each entry that goes, or comes."""
    units = 0
    for index in _INDEXES:
        old, new = _entry(before, index), _entry(after, index)
        if old != new:
            units += (old is not None) + (new is not None)
    return units


def _entry(item: _Item | None, index: list[str]) -> list[Any] | None:
    return (
        [item[name] for name in index] if item is not None and all(name in item for name in index) else None
    )


def _read_units(operation: str, params: Mapping[str, Any], parsed: Mapping[str, Any]) -> float:
    match operation:
        case "GetItem":
            return _of_4_kb(size_bytes(parsed.get("Item", {})))
        case "BatchGetItem":
            asked = sum(len(table["Keys"]) for table in params["RequestItems"].values())
            found = [item for items in parsed["Responses"].values() for item in items]
            return sum(_of_4_kb(size_bytes(item)) for item in found) + asked - len(found)
        case "Query":
            units = _of_4_kb(sum(size_bytes(item) for item in parsed["Items"]))
            return units if params.get("ConsistentRead") else units / 2
        case _:
            return 0.0


def _of_4_kb(size: int) -> float:
    return float(max(1, math.ceil(size / READ_BYTES)))
