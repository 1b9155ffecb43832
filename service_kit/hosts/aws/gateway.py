"""What commands, tasks and handlers on AWS ask of their service: what they are told is stored by then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service_kit.hosts.aws.deliveries import QueuedDeliveries
from service_kit.hosts.aws.host import AwsHost
from service_kit.hosts.aws.outbox import Outbox
from service_kit.messaging.timers import AwsTimers, Wake
from service_kit.runtime.completion import TaskCompletion
from service_kit.runtime.dispatcher import Dispatcher
from service_kit.runtime.forking import Forking
from service_kit.runtime.gateway import RuntimeGateway
from service_kit.runtime.incoming import Incoming
from service_kit.runtime.management import RuntimeManagement
from service_kit.runtime.records import Claim, Effect, TurnCommit
from service_kit.runtime.schedules import RuntimeSchedules

LOOK_S, LOOK_MOST_S = 0.05, 1.0
"""How long somebody who waits for an end rests between two looks, at first and in the end."""


class AwsGateway(RuntimeGateway):
    """The gateway of one function. Streams and queues carry on what it has stored."""

    async def outcome(self, id: str, wait_s: float | None) -> str | None:
        """Return the outcome of an execution, None if there is none in time: the table is asked again and again."""
        outcome = (await self._record(id)).outcome
        began_s, pause_s = self.clock.now_s(), LOOK_S
        while outcome is None:
            left_s = None if wait_s is None else began_s + wait_s - self.clock.now_s()
            if left_s is not None and left_s <= 0:
                return None
            await self.clock.sleep(pause_s if left_s is None else min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, LOOK_MOST_S)
            outcome = (await self.index.ended([id])).get(id)
        return outcome


class _Nowhere:
    """Places no task: a function that only starts executions takes no turns."""

    def claim_for(self, name: str) -> Claim | None:
        return None

    def withdraw(self, effects: Sequence[Effect]) -> None:
        """Nothing was promised."""


def gateway_of(host: AwsHost) -> AwsGateway:
    """Return the gateway of a function."""
    store = host.store
    return AwsGateway(
        store.executions,
        store.index,
        Outbox(store.table, store.bodies),
        Dispatcher(host.declarations, _Nowhere()),
        host.clock,
        host.new_id,
        store.executions.create,
        lambda _: False,
        _told_by_the_stream,
        _nothing,
    )


@dataclass(frozen=True, slots=True)
class AwsManagement(RuntimeManagement):
    """Operations on the service as a whole; an execution that may go on again is woken."""

    timers: AwsTimers

    async def pause(self, id: str, reason: str | None) -> None:
        await RuntimeManagement.pause(self, id, reason)
        if reason is None:
            now_s = self.clock.now_s()
            await self.timers.set(Wake(id, now_s, again=True), now_s)


def management_of(host: AwsHost, gateway: AwsGateway) -> AwsManagement:
    store = host.store
    return AwsManagement(
        store.executions,
        store.index,
        QueuedDeliveries(host),
        host.clock,
        RuntimeSchedules(store.executions, store.index, gateway, host.declarations, host.clock),
        Forking(store.executions, gateway.dispatcher, host.clock, _committed),
        _moved,
        _nothing,
        host.timers,
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
        return TaskCompletion(host.store.tasks, tokens, host.declarations, host.clock, _told_by_the_stream)


def _told_by_the_stream(_: str, __: Incoming) -> None:
    """Do nothing: what has arrived is in the table, whose stream wakes the execution."""


def _committed(_: TurnCommit) -> None:
    """Do nothing: the stream tells of the new execution, and its first turn is dispatched like one that was not."""


def _moved(_: str) -> None:
    """Do nothing: a message wakes it."""


def _nothing() -> None:
    """Do nothing: as above."""
