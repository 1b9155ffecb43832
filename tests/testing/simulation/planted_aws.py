"""Bugs that are planted one at a time in the functions on AWS and in the store beneath them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from service_kit.engine.arrivals import Arrival, SignalReceived
from service_kit.engine.machine import Machine
from service_kit.hosts.aws import outbox
from service_kit.hosts.aws.host import AwsHost
from service_kit.hosts.aws.invocation import Invocation
from service_kit.hosts.aws.mover import Mover
from service_kit.hosts.aws.sweeper import SweeperFunction
from service_kit.hosts.aws.tasks import QueuedTasks
from service_kit.runtime.records import Claim, ScheduleTask, StoredArrival, TaskKey, TurnCommit
from service_kit.stores.dynamodb import turns
from service_kit.stores.dynamodb.executions import DynamoExecutions
from service_kit.stores.dynamodb.table import Table, Write, delete, put
from service_kit.stores.dynamodb.tasks import NEVER_S, DynamoTasks

Plant = Callable[[pytest.MonkeyPatch], None]


def _dispatch_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    begin, commit, movers = Mover.__init__, DynamoExecutions.commit, dict[DynamoExecutions, Mover]()

    def made(self: Mover, host: Any, *args: Any) -> None:
        begin(self, host, *args)
        movers[host.store.executions] = self

    async def planted(self: DynamoExecutions, turn: TurnCommit) -> None:
        theirs = [e for e in turn.effects if not (isinstance(e, ScheduleTask) and e.claim is not None)]
        await movers[self]._dispatch.effects(theirs)
        await commit(self, turn)

    patch.setattr(Mover, "__init__", made)
    patch.setattr(DynamoExecutions, "commit", planted)


def _nothing_is_dispatched_again(patch: pytest.MonkeyPatch) -> None:
    async def planted(self: Mover, *args: Any) -> None:
        pass

    patch.setattr(Mover, "_dispatch_again", planted)


def _answers_are_not_fenced(patch: pytest.MonkeyPatch) -> None:
    begin, settle = DynamoTasks.begin, QueuedTasks.settle

    async def briefly(self: DynamoTasks, task: ScheduleTask, claim: Claim, now_s: float) -> Any:
        return await begin(self, task, replace(claim, until_s=now_s + 5), now_s)

    async def planted(self: QueuedTasks, key: TaskKey, claim: Claim | None, arrival: Arrival | None) -> bool:
        return await settle(self, key, None, arrival)

    patch.setattr(DynamoTasks, "begin", briefly)
    patch.setattr(QueuedTasks, "settle", planted)


def _claims_are_taken_over_early(patch: pytest.MonkeyPatch) -> None:
    begin = DynamoTasks.begin

    async def planted(self: DynamoTasks, task: ScheduleTask, claim: Claim, now_s: float) -> Any:
        return await begin(self, task, claim, NEVER_S)

    patch.setattr(DynamoTasks, "begin", planted)


def _events_are_acknowledged_before_they_are_sent(patch: pytest.MonkeyPatch) -> None:
    bring, sending = outbox.bring_to_bus, set[asyncio.Task[None]]()

    async def planted(host: AwsHost, image: Any) -> None:
        await host.store.table.write(delete((image["pk"], image["sk"])))
        sending.add(asyncio.create_task(bring(host, image)))

    patch.setattr("service_kit.hosts.aws.relay.bring_to_bus", planted)


def _arrivals_are_not_deduplicated(patch: pytest.MonkeyPatch) -> None:
    deliver, expects, numbers = DynamoExecutions.deliver, Machine.expects, count()

    async def twice(
        self: DynamoExecutions, id: str, arrival: StoredArrival, run: int | None = None, **named: Any
    ) -> bool:
        return await deliver(self, id, replace(arrival, key=f"{arrival.key}#{next(numbers)}"), run, **named)

    def anything(self: Machine, arrival: Arrival) -> bool:
        return isinstance(arrival, SignalReceived) or expects(self, arrival)

    patch.setattr(DynamoExecutions, "deliver", twice)
    patch.setattr(Machine, "expects", anything)


def _nobody_sweeps(patch: pytest.MonkeyPatch) -> None:
    async def planted(self: SweeperFunction, *args: Any) -> list[str]:
        return []

    patch.setattr(SweeperFunction, "handle", planted)


def _turns_are_put_without_a_condition(patch: pytest.MonkeyPatch) -> None:
    def planted(self: turns.Writes) -> list[Write]:
        return [put(self.chunk), *self.finished, *self.rest, *self.clearing]

    patch.setattr(turns.Writes, "_all", property(planted))


def _reads_may_be_stale(patch: pytest.MonkeyPatch) -> None:
    call = Table._call

    async def planted(self: Table, ask: Callable[..., Any], **request: Any) -> Any:
        if "ConsistentRead" in request:
            request["ConsistentRead"] = False
        return await call(self, ask, **request)

    patch.setattr(Table, "_call", planted)


def _failures_are_acknowledged(patch: pytest.MonkeyPatch) -> None:
    finish = Invocation.finish

    async def planted(self: Invocation, work: Mapping[str, Any]) -> dict[str, BaseException]:
        await finish(self, work)
        return {}

    patch.setattr(Invocation, "finish", planted)


BUGS: Mapping[str, Plant] = {
    "turns are dispatched before they are committed": _dispatch_before_the_commit,
    "what comes again is not dispatched again": _nothing_is_dispatched_again,
    "answers are stored whatever the epoch, after the end of a claim, too": _answers_are_not_fenced,
    "messages take over claims that hold": _claims_are_taken_over_early,
    "the relay acknowledges before it sends": _events_are_acknowledged_before_they_are_sent,
    "arrivals that come twice are stored twice": _arrivals_are_not_deduplicated,
    "nobody sweeps": _nobody_sweeps,
    "a warm function puts its turn without a condition": _turns_are_put_without_a_condition,
    "the table is read without consistency": _reads_may_be_stale,
    "what has failed in a batch is acknowledged": _failures_are_acknowledged,
}
