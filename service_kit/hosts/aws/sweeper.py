"""The function that is called every minute: it finds what lost wake-ups have left behind, and what can be forgotten."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from service_kit.hosts.aws.deliveries import QueuedDeliveries
from service_kit.hosts.aws.gateway import gateway_of
from service_kit.hosts.aws.invocation import Function, Invocation, function_from_environment
from service_kit.hosts.aws.management import management_of
from service_kit.hosts.aws.outbox import bring_to_bus, unpublished
from service_kit.hosts.aws.records import Event
from service_kit.messaging.bus import message_of
from service_kit.messaging.timers import Wake
from service_kit.runtime.records import PublishedEvent
from service_kit.stores.dynamodb.keys import PK

if TYPE_CHECKING:
    handler: SweeperFunction

LATE_S = 30.0
"""What has been due for so long was not on its way: its wake-up is lost."""
MOST = 200
"""Of each kind in one call."""
SENT_FOR_S = 15 * 86_400.0
"""How long a large payload stays that belongs to nothing in the table: a queue keeps what refers to it for 14 days."""
KEEP_ENDED_DAYS = "SERVICE_KIT_KEEP_ENDED_DAYS"
"""The variable that says how long executions are kept after their end; unset: for ever."""


class SweeperFunction(Function):
    """Has executions woken that are long due, brings events to the bus, and sends deliveries to their queues once more.

    It takes no turn itself: the timer queue lets nothing be lost that an invocation has begun.
    """

    _deliveries: QueuedDeliveries | None = None

    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        if self._deliveries is None:
            self._deliveries = QueuedDeliveries(self.host)
            self._has_schedules = False
        late_s = self.host.clock.now_s() - LATE_S
        index = self.host.store.index
        due = [execution.id for execution in await index.due(late_s, MOST)]
        found = dict.fromkeys([*due, *await index.visits(late_s, MOST)])  # some are both
        names = list(self.host.declarations.subscriptions)
        unsent = await unpublished(self.host, late_s, MOST)
        waiting = await self._deliveries.waiting(names, late_s, MOST)
        failed = await invocation.finish(
            {
                "schedules": self._take_over_schedules(),
                **{f"execution {place}": self._wake(place) for place in found},
                **{f"events of {item[PK]!r}": bring_to_bus(self.host, item) for item in unsent},
                **{f"{one.id} for {name}": self._send(one, name, self._deliveries) for one, name in waiting},
            }
        )
        await self._forget()
        if failed:
            raise next(iter(failed.values()))  # nothing comes again by itself; an alarm hears of it
        return []

    async def _take_over_schedules(self) -> None:
        """Let this version's schedules be the ones that count, once in each process."""
        if not self._has_schedules:
            await management_of(self.host, gateway_of(self.host)).schedules.take_over()
            self._has_schedules = True

    async def _wake(self, id: str) -> None:
        now_s = self.host.clock.now_s()
        await self.host.timers.set(Wake(id, now_s, again=True), now_s)

    async def _send(self, event: PublishedEvent, subscription: str, deliveries: QueuedDeliveries) -> None:
        body = await message_of(event, self.host.store.payloads)
        await deliveries.send(subscription, event.id, body, self.host.clock.now_s())

    async def _forget(self) -> None:
        days, now_s = os.environ.get(KEEP_ENDED_DAYS), self.host.clock.now_s()
        before_s = None if not days else now_s - float(days) * 86_400
        await self.host.store.retention.forget(before_s, now_s - SENT_FOR_S, MOST)


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()["handler"] = made = function_from_environment(SweeperFunction)
    return made
