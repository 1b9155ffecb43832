"""The function behind the timer queue: it wakes executions whose time has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service_kit.hosts.aws.invocation import Function, Invocation
from service_kit.hosts.aws.mover import Mover
from service_kit.hosts.aws.records import Event, queue_records
from service_kit.messaging.timers import Wake

if TYPE_CHECKING:
    handler: TimersFunction


class TimersFunction(Function):
    """Moves executions; one that comes early is sent on to its time."""

    _mover: Mover | None = None

    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        if self._mover is None:
            self._mover = Mover(self.host, await self.host.tokens())
        self._mover.begin_invocation(invocation.owner, invocation.remaining_s())
        wakes: dict[str, Wake] = {}
        messages: dict[str, list[str]] = {}
        for record in queue_records(event):
            wake = Wake.decode(record.body)
            messages.setdefault(wake.execution, []).append(record.id)
            known = wakes.get(wake.execution)
            wakes[wake.execution] = wake if known is None or wake.at_s < known.at_s else known
        failed = await invocation.finish(
            {place: self._wake(wake, self._mover) for place, wake in wakes.items()}
        )
        return [message for place in failed for message in messages[place]]

    async def _wake(self, wake: Wake, mover: Mover) -> None:
        now_s = self.host.clock.now_s()
        if wake.at_s > now_s:
            await self.host.timers.set(wake, now_s)
        else:
            await mover.move(wake.execution)


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    from service_kit.hosts.aws.environment import imported
    from service_kit.hosts.aws.host import host_from_environment

    globals()["handler"] = made = imported(lambda: TimersFunction(host_from_environment()))
    return made
