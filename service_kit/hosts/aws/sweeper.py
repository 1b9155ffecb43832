"""The function that is called every minute: it finds what lost wake-ups have left behind, and what can be forgotten."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from service_kit.hosts.aws.gateway import gateway_of, management_of
from service_kit.hosts.aws.invocation import Function, Invocation
from service_kit.hosts.aws.mover import Mover
from service_kit.hosts.aws.records import Event
from service_kit.hosts.aws.subscriptions import QueuedDeliveries
from service_kit.messaging.bus import message_of
from service_kit.runtime.records import PublishedEvent

if TYPE_CHECKING:
    handler: SweeperFunction

LATE_S = 30.0
"""What has been due for so long was not on its way: its wake-up is lost."""
MOST = 200
"""Of each kind in one call."""
KEEP_ENDED_DAYS = "SERVICE_KIT_KEEP_ENDED_DAYS"
"""The variable that says how long executions are kept after their end; unset: for ever."""


class SweeperFunction(Function):
    """Moves executions that are long due, and sends deliveries of events to their queues once more."""

    _mover: Mover | None = None

    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        if self._mover is None:
            mover = Mover(self.host, await self.host.tokens())
            await management_of(self.host, gateway_of(self.host)).schedules.take_over()
            self._mover, self._deliveries = mover, QueuedDeliveries(self.host)
        self._mover.begin_invocation(invocation.owner, invocation.remaining_s())
        late_s = self.host.clock.now_s() - LATE_S
        due = await self.host.store.index.due(late_s, MOST)
        names = list(self.host.declarations.subscriptions)
        waiting = await self._deliveries.waiting(names, late_s, MOST)
        failed = await invocation.finish(
            {
                **{found.id: self._mover.move(found.id) for found in due},
                **{f"{one.id} for {name}": self._send(one, name) for one, name in waiting},
            }
        )
        await self._forget()
        if failed:
            raise next(iter(failed.values()))  # nothing comes again by itself; an alarm hears of it
        return []

    async def _send(self, event: PublishedEvent, subscription: str) -> None:
        body = await message_of(event, self.host.blobs)
        await self._deliveries.send(subscription, event.id, body, self.host.clock.now_s())

    async def _forget(self) -> None:
        days, now_s = os.environ.get(KEEP_ENDED_DAYS), self.host.clock.now_s()
        before_s = None if not days else now_s - float(days) * 86_400
        await self.host.store.retention.forget(before_s, now_s, MOST)


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from service_kit.hosts.aws.environment import imported
    from service_kit.hosts.aws.host import host_from_environment

    globals()["handler"] = made = imported(lambda: SweeperFunction(host_from_environment()))
    return made
