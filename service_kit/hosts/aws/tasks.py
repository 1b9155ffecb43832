"""The function behind the queue of a task: it claims what messages bring, runs attempts, and stores their answers."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from service_kit.engine.arrivals import Arrival, TaskRaised
from service_kit.engine.failure import describe_error
from service_kit.hosts.aws.dispatch import Dispatch, task_of_message
from service_kit.hosts.aws.host import AwsHost
from service_kit.hosts.aws.invocation import Function, Invocation, function_from_environment
from service_kit.hosts.aws.records import Event, queue_records
from service_kit.runtime.attempt import Attempt
from service_kit.runtime.attempt_runner import AttemptRunner
from service_kit.runtime.ports import Unstorable
from service_kit.runtime.records import Claim, Heartbeat, ScheduleTask, TaskKey
from service_kit.runtime.threads import THREADS, Threads
from service_kit.stores.dynamodb.tasks import DynamoTasks

if TYPE_CHECKING:
    handler: TasksFunction

logger: logging.Logger = logging.getLogger("service_kit.lambda")

BEAT_S = 1.0
"""How long what a heartbeat says may stay in this process."""


class QueuedTasks(DynamoTasks):
    """The port `Tasks` where an attempt that is to be made later needs a message."""

    def __init__(self, host: AwsHost) -> None:
        super().__init__(host.store.table, host.store.bodies, queued=True, clock=host.clock.now_s)
        self._host = host
        self._dispatch = Dispatch(host)
        self.scheduled: dict[TaskKey, ScheduleTask] = {}
        """The tasks whose attempts are running."""

    async def retry(self, key: TaskKey, claim: Claim, at_s: float, details: str | None = None) -> bool:
        kept = await super().retry(key, claim, at_s, details)
        if kept:
            await self.send(self.scheduled[key], at_s)
        return kept

    async def detach(
        self, key: TaskKey, claim: Claim, until_s: float | None, details: str | None = None
    ) -> bool:
        kept = await super().detach(key, claim, until_s, details)
        if kept and until_s is not None:
            await self.send(self.scheduled[key], until_s)
        return kept

    async def send(self, task: ScheduleTask, at_s: float) -> None:
        """Send a task to its queue for a time."""
        await self._dispatch.tasks([task], max(at_s - self._host.clock.now_s(), 0.0))


class TasksFunction(Function):
    """Runs the attempts of a batch side by side. A message is done when what became of its attempt is stored."""

    _tasks: QueuedTasks | None = None

    async def handle(self, event: Event, invocation: Invocation) -> list[str]:
        if self._tasks is None:
            self._context = await self.user_context()
            self._sign = (await self.host.tokens()).sign
            self._tasks = QueuedTasks(self.host)
            self._runner = AttemptRunner(
                self._tasks,
                self.host.declarations,
                self.host.clock,
                self.host.random,
                Threads(THREADS),
            )
        work = {
            record.id: self._run(record.body, invocation, record.id, self._tasks)
            for record in queue_records(event)
        }
        return list(await invocation.finish(work))

    async def _run(self, body: str, invocation: Invocation, message: str, tasks: QueuedTasks) -> None:
        task = await task_of_message(self.host, body)
        claim = Claim(f"{invocation.owner}/{message}", invocation.ends_at_s)
        now_s = self.host.clock.now_s()
        claimed = await tasks.begin(task, claim, now_s)
        if claimed is None:
            # Somebody else has it, or it is not its time: what is left to be done then needs a message.
            at_s = await tasks.available_at_s(task.key)
            if at_s is not None and at_s < now_s + 86_400 * 365:
                await tasks.send(task, at_s)
            return
        attempt = Attempt(claimed, claimed.claim, self._sign)
        tasks.scheduled[task.key] = replace(task, claim=None)
        beating = asyncio.create_task(self._beat(attempt, tasks))
        try:
            running = self._runner.run(attempt)
            answer = await asyncio.create_task(running, name=task.name, context=self._context.copy())
        finally:
            attempt.over = True
            beating.cancel()
            del tasks.scheduled[task.key]
        if answer is not None and not await self._settle(attempt, answer, tasks):
            logger.warning("task '%s' of '%s' lost its claim", task.name, task.key.execution)

    async def _settle(self, attempt: Attempt, answer: Arrival, tasks: QueuedTasks) -> bool:
        """Store the answer; a value that cannot be stored is a failure, which can."""
        key = attempt.task.key
        try:
            return await tasks.settle(key, attempt.claim, answer)
        except Unstorable as error:
            failure = describe_error(error, self.host.declarations.failures)
            return await tasks.settle(key, attempt.claim, TaskRaised(key.seq, failure))

    async def _beat(self, attempt: Attempt, tasks: QueuedTasks) -> None:
        """Store what heartbeats have said, and hear whether anybody still waits."""
        said = 0
        while True:
            await self.host.clock.sleep(BEAT_S)
            beats = attempt.beats
            if beats == said:
                continue
            beat = Heartbeat(attempt.task.key, attempt.claim, attempt.claim.until_s, attempt.details)
            try:
                (cancelled,) = await tasks.heartbeat([beat])
            except Exception:
                logger.warning("a heartbeat of %s is not stored; it is tried again", beat.key, exc_info=True)
                said = -1
            else:
                said = beats
                attempt.lost = cancelled is None
                attempt.cancelled = cancelled is not False


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()["handler"] = made = function_from_environment(TasksFunction)
    return made
