"""The function that brings events from the table's outbox to the bus. It runs no code of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service_kit.hosts.aws.invocation import Function, Invocation, function_from_environment
from service_kit.hosts.aws.outbox import bring_to_bus
from service_kit.hosts.aws.records import Event, stream_records
from service_kit.stores.dynamodb.keys import OUTBOX

if TYPE_CHECKING:
    handler: RelayFunction


class RelayFunction(Function):
    """Puts events on the bus, each of them at least once. What it gives up stays in the table, for the sweeper."""

    def prepare(self) -> None:
        super().prepare()
        _ = self.host.bus  # it is kept

    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        work = {
            record.id: bring_to_bus(self.host, record.image)
            for record in stream_records(event)
            if record.sk == OUTBOX and record.kind == "INSERT" and record.image is not None
        }
        return list(await invocation.finish(work))


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()["handler"] = made = function_from_environment(RelayFunction)
    return made
