"""Operations on the service as a whole, and tasks that are completed from outside, on AWS."""

from __future__ import annotations

from dataclasses import dataclass

from service_kit.hosts.aws.deliveries import QueuedLetters
from service_kit.hosts.aws.gateway import AwsGateway, nothing, told_by_the_stream
from service_kit.hosts.aws.host import AwsHost
from service_kit.hosts.aws.outside import OutsideTasks
from service_kit.messaging.timers import AwsTimers, Wake
from service_kit.runtime.clock import Clock
from service_kit.runtime.completion import TaskCompletion
from service_kit.runtime.forking import Forking
from service_kit.runtime.letters import RuntimeLetters
from service_kit.runtime.management import RuntimeManagement
from service_kit.runtime.records import TurnCommit
from service_kit.runtime.schedules import RuntimeSchedules


@dataclass(frozen=True, slots=True)
class AwsManagement(RuntimeManagement):
    """Operations on the service as a whole; an execution that may go on again is woken."""

    timers: AwsTimers
    clock: Clock

    async def pause(self, id: str, reason: str | None) -> bool:
        runs = await RuntimeManagement.pause(self, id, reason)
        if runs and reason is None:
            now_s = self.clock.now_s()
            await self.timers.set(Wake(id, now_s, again=True), now_s)
        return runs


def management_of(host: AwsHost, gateway: AwsGateway) -> AwsManagement:
    store = host.store
    return AwsManagement(
        store.executions,
        store.index,
        RuntimeLetters(QueuedLetters(host), host.clock, nothing),
        RuntimeSchedules(store.executions, store.index, gateway, host.declarations, host.clock),
        Forking(store.executions, gateway.dispatcher, host.clock, _committed),
        _moved,
        host.timers,
        host.clock,
    )


class AwsCompletion:
    """Implements `contract.gateway.Completion`. The secret of tokens is read when the first one comes."""

    def __init__(self, host: AwsHost) -> None:
        self._host = host

    async def succeed(self, token: str, value: str) -> bool:
        return await (await self._made()).succeed(token, value)

    async def fail(self, token: str, message: str, type: str = "") -> bool:
        return await (await self._made()).fail(token, message, type)

    async def heartbeat(self, token: str, details: str | None = None) -> bool:
        return await (await self._made()).heartbeat(token, details)

    async def _made(self) -> TaskCompletion:
        host = self._host
        tokens = await host.tokens()
        return TaskCompletion(OutsideTasks(host), tokens, host.declarations, host.clock, told_by_the_stream)


def _committed(_: TurnCommit) -> None:
    """Do nothing: the stream tells of the new execution, and its first turn is dispatched like one that was not."""


def _moved(_: str) -> None:
    """Do nothing: a message wakes it."""
