"""The function that brings events from the table's outbox to the bus. It runs no code of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service_kit.hosts.aws.gateway import events_of_outbox
from service_kit.hosts.aws.invocation import Function, Invocation
from service_kit.hosts.aws.records import Event, StreamRecord, stream_records
from service_kit.stores.dynamodb.keys import OUTBOX

if TYPE_CHECKING:
    handler: RelayFunction


class RelayFunction(Function):
    """Puts events on the bus, each of them at least once."""

    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        work = {
            record.id: self._put(record)
            for record in stream_records(event)
            if record.sk == OUTBOX and record.kind == "INSERT"
        }
        return list(await invocation.finish(work))

    async def _put(self, record: StreamRecord) -> None:
        assert record.image is not None, "what was inserted has an image"
        published = await events_of_outbox(record.image["events"], self.host.store.bodies)
        await self.host.bus.put([one.event for one in published])


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from service_kit.hosts.aws.environment import imported
    from service_kit.hosts.aws.host import host_from_environment

    globals()["handler"] = made = imported(lambda: RelayFunction(host_from_environment()))
    return made
