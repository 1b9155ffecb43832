"""Completing tasks from outside, by the tokens that their attempts have given away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service_kit.contract.gather import Declarations
from service_kit.engine.arrivals import Arrival, TaskRaised, TaskSucceeded
from service_kit.engine.failure import Failure
from service_kit.runtime.clock import Clock
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.incoming import Incoming
from service_kit.runtime.overdue import schedule_to_close_s
from service_kit.runtime.ports import Tasks
from service_kit.runtime.records import Heartbeat
from service_kit.runtime.tokens import TaskTokens


@dataclass(frozen=True, slots=True)
class TaskCompletion:
    """What the holder of a task's token may do. All raise ValueError for a token that this service did not sign.

    False says that nobody waits for the task: it was completed before, cancelled, timed out, or its execution is over.
    """

    tasks: Tasks
    tokens: TaskTokens
    declarations: Declarations
    clock: Clock
    arrived: Callable[[str, Incoming], None]
    """Told of what has reached an execution."""

    async def succeed(self, token: str, value: str) -> bool:
        """Complete a task with its result as JSON; raise pydantic's ValidationError for one that is no such result."""
        key, name = self.tokens.read(token)
        codec = self.declarations.task(name).calls.result
        return await self._settle(token, TaskSucceeded(key.seq, codec.encode(codec.decode(value))))

    async def fail(self, token: str, message: str, type: str = "") -> bool:
        """Fail a task for good: no other attempt follows. `type` is the name of the error's class, for its readers."""
        key, _ = self.tokens.read(token)
        return await self._settle(token, TaskRaised(key.seq, Failure(type, message)))

    async def heartbeat(self, token: str, details: str | None = None) -> bool:
        """Say that a task is being worked on: its heartbeat timeout, or else its attempt's, begins anew.

        The end of all its attempts, `schedule_to_close_s` after its call, stays where it is.
        """
        key, name = self.tokens.read(token)
        now_s, until_s = self.clock.now_s(), self._until_s(token, name)
        if until_s <= now_s:
            return False
        (cancelled,) = await self.tasks.heartbeat([Heartbeat(key, None, until_s, details)])
        return cancelled is False

    def _until_s(self, token: str, name: str) -> float:
        """Return until when a heartbeat of now is good, by what the call says, or else the definition."""
        scheduled_at_s, chosen = self.tokens.scheduled(token)
        declared = self.declarations.task(name)
        defined = declared.definition
        silence_s = chosen.heartbeat_timeout_s or defined.get("heartbeat_timeout_s")
        silence_s = silence_s or chosen.timeout_s or defined.get("timeout_s") or float("inf")
        whole_s = schedule_to_close_s(chosen, declared) or float("inf")
        return min(self.clock.now_s() + silence_s, scheduled_at_s + whole_s)

    async def _settle(self, token: str, arrival: Arrival) -> bool:
        key, _ = self.tokens.read(token)
        settled = await self.tasks.settle(key, None, arrival)
        if settled:
            self.arrived(key.execution, Incoming(stored(arrival), key.run))
        return settled
