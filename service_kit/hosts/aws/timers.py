"""The function behind the timer queue: it wakes executions whose time has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from service_kit.hosts.aws.doubt import Doubt
from service_kit.hosts.aws.invocation import Function, Invocation, function_from_environment
from service_kit.hosts.aws.mover import Mover
from service_kit.hosts.aws.records import Event, queue_records
from service_kit.messaging.timers import Wake

if TYPE_CHECKING:
    handler: TimersFunction


class TimersFunction(Function):
    """Moves executions; one that comes early is sent on to its time."""

    _mover: Mover | None = None

    def prepare(self) -> None:
        super().prepare()
        _ = self.host.queues  # it is kept

    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        if self._mover is None:
            self._mover = Mover(self.host, await self.host.tokens(), await self.user_context())
        self._mover.begin_invocation(invocation.owner, invocation.remaining_s())
        wakes: dict[str, list[tuple[Wake, bool]]] = {}
        messages: dict[str, list[str]] = {}
        for record in queue_records(event):
            wake = Wake.decode(record.body)
            wakes.setdefault(wake.execution, []).append((wake, record.again))
            messages.setdefault(wake.execution, []).append(record.id)
        failed = await invocation.finish(
            {place: self._wake(place, found, self._mover) for place, found in wakes.items()}
        )
        return [message for place in failed for message in messages[place]]

    async def _wake(self, id: str, wakes: Sequence[tuple[Wake, bool]], mover: Mover) -> None:
        now_s = self.host.clock.now_s()
        for wake, _ in wakes:
            if wake.at_s > now_s:
                await self.host.timers.set(wake, now_s)
        due = [(wake, again) for wake, again in wakes if wake.at_s <= now_s]
        if due:
            # A message that comes again has a turn behind it, perhaps, whose invocation died.
            since_s = min((wake.at_s for wake, again in due if again), default=None)
            await mover.move(id, (), Doubt(since_s=since_s, last=any(wake.again for wake, _ in due)))


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()["handler"] = made = function_from_environment(TimersFunction)
    return made
