"""EventBridge: the bus on which events are published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from service_kit.messaging.batches import OVERHEAD_BYTES, Entry, send_all
from service_kit.messaging.queues import sendable
from service_kit.runtime.records import PublishedEvent


class Payloads(Protocol):
    """What texts look like on their way: encoded by a codec, or a reference to what is too large to be sent."""

    async def fold(self, text: str, owner: str, run: int | None = None) -> str: ...

    async def unfold(self, text: str) -> str: ...


class EventBus:
    """Puts events on a bus.

    An event's `source` is its service, its `detail-type` its name. Its `detail` has `id`, `time`, `trace` and `data`,
    the event's own content, by which rules filter: `{"detail": {"data": {"amount": [{"numeric": [">", 100]}]}}}`. What
    a codec has written, is too large, or has a character that SQS refuses, is there as `{"id", "time", "trace",
    "packed"}`: rules cannot see into it.
    An entry may have 256 KB, or by newer documentation 1 MB; what is over 200 KB lies among the blobs.
    """

    def __init__(self, client: Any, bus: str, payloads: Payloads) -> None:
        self._client = client
        self._bus = bus
        self._payloads = payloads

    async def put(self, events: Sequence[PublishedEvent]) -> None:
        """Publish events; raise NotAccepted for what EventBridge does not take however often it is sent."""
        entries = [await self._entry(event) for event in events]

        def send(batch: Sequence[Entry]) -> Sequence[int]:
            answer = self._client.put_events(Entries=[entry.request for entry in batch])
            return [number for number, entry in enumerate(answer["Entries"]) if "ErrorCode" in entry]

        await send_all(f"bus '{self._bus}'", send, entries)

    async def _entry(self, event: PublishedEvent) -> Entry:
        detail = await _detail(event, self._payloads)
        request = {
            "EventBusName": self._bus,
            "Source": event.source,
            "DetailType": event.name,
            "Detail": detail,
            "Time": datetime.fromtimestamp(event.time_s, UTC),
        }
        return Entry(event.id, request, len(detail.encode()) + OVERHEAD_BYTES)


async def message_of(event: PublishedEvent, payloads: Payloads) -> str:
    """Return the message by which a rule sends an event on, as far as `read_event` reads it."""
    about = {"detail-type": event.name, "source": event.source}
    return _with_member(about, "detail", await _detail(event, payloads))


async def read_event(body: Mapping[str, Any], payloads: Payloads) -> PublishedEvent:
    """Return the event that a rule has sent on; raise KeyError or TypeError for one that is not from `EventBus`."""
    detail = body["detail"]
    if "packed" in detail:
        payload = await payloads.unfold(detail["packed"])
    else:
        payload = json.dumps(detail["data"], ensure_ascii=False)
    time_s = float(detail["time"])
    return PublishedEvent(detail["id"], body["detail-type"], body["source"], time_s, payload, detail["trace"])


async def _detail(event: PublishedEvent, payloads: Payloads) -> str:
    about = {"id": event.id, "time": event.time_s, "trace": event.trace}
    # EventBridge reads the detail and writes it anew: only in a text of its own does it leave a spelling as it is.
    folded = await payloads.fold(sendable(event.payload), event.id)
    if folded != event.payload:
        return json.dumps({**about, "packed": folded}, ensure_ascii=False)
    return _with_member(about, "data", folded)


def _with_member(about: Mapping[str, Any], name: str, text: str) -> str:
    """Return an object with one more member, whose JSON stays as it is: read and written again it could be longer."""
    return f'{json.dumps(about, ensure_ascii=False)[:-1]}, "{name}": {text}}}'
