"""What Lambda hands over of a table's stream and of queues."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from service_kit.stores.dynamodb.keys import PK, SK
from service_kit.stores.dynamodb.values import Item, unmarshal

Event: TypeAlias = Mapping[str, Any]
Failures: TypeAlias = dict[str, list[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One change of an item."""

    id: str
    """What names it in a partial answer."""
    kind: str
    """INSERT, MODIFY or REMOVE."""
    pk: str
    sk: str
    image: Item | None
    """The item after it."""


def stream_records(event: Event) -> list[StreamRecord]:
    """Return the records of an event, in their order."""
    return [_record(each) for each in event["Records"]]


def failures(ids: Iterable[str]) -> Failures:
    """Return the partial answer of a batch: these are to come again, the others are done."""
    return {"batchItemFailures": [{"itemIdentifier": each} for each in ids]}


def _record(record: Mapping[str, Any]) -> StreamRecord:
    change = record["dynamodb"]
    keys = change["Keys"]
    image = change.get("NewImage")
    return StreamRecord(
        change["SequenceNumber"],
        record["eventName"],
        keys[PK]["S"],
        keys[SK]["S"],
        None if image is None else unmarshal(_with_bytes(image)),
    )


def _with_bytes(value: Any) -> Any:
    """Return attribute values whose bytes are bytes: in the JSON of an event they are base64."""
    if isinstance(value, Mapping):
        return {
            name: base64.b64decode(held) if name == "B" and isinstance(held, str) else _with_bytes(held)
            for name, held in value.items()
        }
    return (
        [_with_bytes(each) for each in value]
        if isinstance(value, Sequence) and not isinstance(value, str | bytes)
        else value
    )


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """One message of a queue."""

    id: str
    body: str
    queue: str
    """The name of the queue."""
    again: bool
    """Whether it may have been received before."""


def queue_records(event: Event) -> list[QueueRecord]:
    return [
        QueueRecord(
            each["messageId"],
            each["body"],
            each["eventSourceARN"].rsplit(":", 1)[1],
            each.get("attributes", {}).get("ApproximateReceiveCount") != "1",
        )
        for each in event["Records"]
    ]
