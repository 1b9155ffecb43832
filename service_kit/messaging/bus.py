"""EventBridge: the bus on which events are published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from service_kit.messaging.batches import OVERHEAD_BYTES, Entry, send_all
from service_kit.messaging.blobs import Blobs, fold, unfold
from service_kit.runtime.records import PublishedEvent


class EventBus:
    """Puts events on a bus.

    An event's `source` is its service, its `detail-type` its name. Its `detail` has `id`, `time`, `trace` and `data`,
    the event's own content, by which rules filter: `{"detail": {"data": {"amount": [{"numeric": [">", 100]}]}}}`. What
    is too large for the bus is there as `{"id", "time", "trace", "reference"}`: rules cannot see into it.
    """

    def __init__(self, client: Any, bus: str, blobs: Blobs | None) -> None:
        self._client = client
        self._bus = bus
        self._blobs = blobs

    async def put(self, events: Sequence[PublishedEvent]) -> None:
        """Publish events; raise NotAccepted for what EventBridge does not take however often it is sent."""
        entries = [await self._entry(event) for event in events]

        def send(batch: Sequence[Entry]) -> Sequence[int]:
            answer = self._client.put_events(Entries=[entry.request for entry in batch])
            return [number for number, entry in enumerate(answer["Entries"]) if "ErrorCode" in entry]

        await send_all(f"bus '{self._bus}'", send, entries)

    async def _entry(self, event: PublishedEvent) -> Entry:
        detail = json.dumps(await _detail(event, self._blobs), ensure_ascii=False)
        request = {
            "EventBusName": self._bus,
            "Source": event.source,
            "DetailType": event.name,
            "Detail": detail,
            "Time": datetime.fromtimestamp(event.time_s, UTC),
        }
        return Entry(event.id, request, len(detail.encode()) + OVERHEAD_BYTES)


async def message_of(event: PublishedEvent, blobs: Blobs | None) -> str:
    """Return the message by which a rule sends an event on, as far as `read_event` reads it."""
    body = {"detail-type": event.name, "source": event.source, "detail": await _detail(event, blobs)}
    return json.dumps(body, ensure_ascii=False)


async def read_event(body: Mapping[str, Any], blobs: Blobs | None) -> PublishedEvent:
    """Return the event that a rule has sent on; raise KeyError or TypeError for one that is not from `EventBus`."""
    detail = body["detail"]
    if "reference" in detail:
        payload = await unfold(detail["reference"], blobs)
    else:
        payload = json.dumps(detail["data"], ensure_ascii=False)
    time_s = float(detail["time"])
    return PublishedEvent(detail["id"], body["detail-type"], body["source"], time_s, payload, detail["trace"])


async def _detail(event: PublishedEvent, blobs: Blobs | None) -> dict[str, Any]:
    folded = await fold(event.payload, blobs)
    content = {"data": json.loads(folded)} if folded == event.payload else {"reference": folded}
    return {"id": event.id, "time": event.time_s, "trace": event.trace, **content}
