"""Inline tasks: short work that runs in the invocation of the turn that has scheduled it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from service_kit.engine.arrivals import Arrival
from service_kit.hosts.aws.dispatch import Dispatch
from service_kit.hosts.aws.host import AwsHost
from service_kit.runtime.attempt import Attempt
from service_kit.runtime.attempt_runner import AttemptRunner
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.incoming import Incoming
from service_kit.runtime.records import (
    Claim,
    ClaimedTask,
    Effect,
    FinishedTask,
    ScheduleTask,
    TaskKey,
)
from service_kit.runtime.threads import THREADS, Threads
from service_kit.runtime.tokens import TaskTokens
from service_kit.stores.dynamodb.tasks import DynamoTasks

ROOM_S = 5.0
"""With less time left than that an invocation begins no inline task: it goes through its queue."""


class InlineTasks(DynamoTasks):
    """The port `Tasks` for attempts that have no item yet: what is kept of them makes one."""

    def __init__(self, host: AwsHost, dispatch: Dispatch) -> None:
        super().__init__(host.store.table, host.store.bodies, queued=True, clock=host.clock.now_s)
        self._host = host
        self._dispatch = dispatch
        self.running: dict[TaskKey, tuple[ScheduleTask, Attempt]] = {}
        """What was begun here, until its answer is in the table: an execution that is paused may leave it to us."""

    async def retry(self, key: TaskKey, claim: Claim, at_s: float, details: str | None = None) -> bool:
        task, _ = self.running[key]
        await self.schedule(replace(task, claim=claim))
        kept = await super().retry(key, claim, at_s, details)
        if kept:
            await self._dispatch.tasks([replace(task, claim=None)], at_s - self._host.clock.now_s())
        return kept

    async def detach(
        self, key: TaskKey, claim: Claim, until_s: float | None, details: str | None = None
    ) -> bool:
        task, _ = self.running[key]
        await self.schedule(replace(task, claim=claim))
        kept = await super().detach(key, claim, until_s, details)
        if kept and until_s is not None:
            await self._dispatch.tasks([replace(task, claim=None)], until_s - self._host.clock.now_s())
        return kept

    async def settle(self, key: TaskKey, claim: Claim | None, arrival: Arrival | None) -> bool:
        if arrival is None:
            return True  # nobody waits for it, and nothing of it is stored
        task, _ = self.running[key]
        await self.schedule(replace(task, claim=claim))
        return await super().settle(key, claim, arrival)


class Inline:
    """Decides what runs in this invocation, and runs it."""

    def __init__(self, host: AwsHost, dispatch: Dispatch, tokens: TaskTokens) -> None:
        self._host = host
        self._dispatch = dispatch
        self._tokens = tokens
        self.tasks: InlineTasks = InlineTasks(host, dispatch)
        self._runner = AttemptRunner(self.tasks, host.declarations, host.clock, host.random, Threads(THREADS))
        self.owner: str = ""
        self.ends_at_s: float = 0.0
        """When the function is ended by force: its claims hold until then."""

    def claim_for(self, name: str) -> Claim | None:
        inline = self._host.declarations.tasks[name].definition.get("inline", False)
        if not inline or self.ends_at_s - self._host.clock.now_s() < ROOM_S:
            return None
        return Claim(self.owner, self.ends_at_s)

    def withdraw(self, effects: Sequence[Effect]) -> None:
        """Nothing was set aside for them."""

    def cancel(self, key: TaskKey) -> None:
        """Let a running attempt hear, at its next heartbeat, that nobody waits for it."""
        if key in self.tasks.running:
            self.tasks.running[key][1].cancelled = True

    def answered(self, finished: Sequence[FinishedTask]) -> None:
        """Let go of tasks whose answers a turn has used: they are in the table."""
        for one in finished:
            self.tasks.running.pop(one.key, None)

    def leave(self, execution: str) -> None:
        """Let go of whatever is left of an execution that goes no further here."""
        for key in [key for key in self.tasks.running if key.execution == execution]:
            del self.tasks.running[key]

    async def run(self, task: ScheduleTask, claim: Claim) -> Incoming | None:
        """Run the first attempt of a task; return its answer, None if it has none now.

        The answer is not in the table: the task is known here until the caller says that it is, or leaves.
        """
        claimed = ClaimedTask(task.key, task.name, task.input, task.options, task.scheduled_at_s, 1, claim)
        attempt = Attempt(claimed, claim, self._tokens.sign)
        self.tasks.running[task.key] = task, attempt
        try:
            answer = await self._runner.run(attempt)
        finally:
            attempt.over = True
        if answer is None:
            return None
        return Incoming(stored(answer), task.key.run, FinishedTask(task.key, claim))

    async def take_over(self, task: ScheduleTask) -> None:
        """Hand a task to its queue whose claim has run out without an answer: that was an attempt."""
        await self.tasks.schedule(task)
        await self._dispatch.tasks([replace(task, claim=None)])
