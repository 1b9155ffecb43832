"""The whole store in one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from service_kit.contract.at_rest import Codec
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import (
    CancelTask,
    CreateExecution,
    Deliver,
    Effect,
    Publish,
    ScheduleTask,
)
from service_kit.stores.dynamodb.bodies import Bodies
from service_kit.stores.dynamodb.deliveries import DynamoDeliveries
from service_kit.stores.dynamodb.executions import DynamoExecutions
from service_kit.stores.dynamodb.index import DynamoIndex
from service_kit.stores.dynamodb.letters import DynamoLetters
from service_kit.stores.dynamodb.retention import DynamoRetention
from service_kit.stores.dynamodb.table import Table
from service_kit.stores.dynamodb.tasks import DynamoTasks
from service_kit.stores.dynamodb.waste import Shelf
from service_kit.stores.packed.codec import Codecs
from service_kit.stores.packed.packer import Packer
from service_kit.stores.packed.store import LARGE_BYTES


@dataclass(frozen=True, slots=True)
class DynamoStore:
    """The parts of the store, for hosts that need more of them than the ports say."""

    table: Table
    bodies: Bodies
    payloads: Packer
    """What is sent is packed by it, as items are by `bodies`."""
    executions: DynamoExecutions
    index: DynamoIndex
    tasks: DynamoTasks
    deliveries: DynamoDeliveries
    letters: DynamoLetters
    retention: DynamoRetention

    @property
    def stores(self) -> Stores:
        return Stores(
            self.executions,
            self.index,
            self.tasks,
            self.deliveries,
            self.letters,
            self.deliveries,
            self.retention,
            self.payloads.blobs,
        )


def dynamodb_store(
    table: Table,
    shelf: Shelf | None = None,
    codecs: Sequence[Codec] = (),
    large_bytes: int = LARGE_BYTES,
    *,
    queued: bool = False,
    clock: Callable[[], float] = time.time,
) -> DynamoStore:
    """Return the store in a table; texts that take more than `large_bytes` of it, compressed, go to the shelf.

    Polled, the effects of a turn are written right after it, and workers find them by the index. With queues
    (`queued`), they are the host's to dispatch after the commit, and a task has no item before its first claim.
    """
    payloads = Packer(Codecs(codecs), shelf, large_bytes, clock)
    bodies = Bodies(payloads)
    tasks = DynamoTasks(table, bodies, queued=queued, clock=clock)
    deliveries = DynamoDeliveries(table, bodies)
    executions = DynamoExecutions(table, bodies, queued=queued, clock=clock)
    following = executions.following

    async def apply(effect: Effect) -> None:
        match effect:
            case ScheduleTask():
                await tasks.schedule(effect)
            case CancelTask(key=key):
                await tasks.cancel(key)
            case CreateExecution() | Deliver():
                await reach(executions, effect)
            case Publish():
                await deliveries.add(effect)
            case _:
                assert_never(effect)

    following.apply = apply
    index = DynamoIndex(table, bodies, executions.reader, following)
    retention = DynamoRetention(table, clock, shelf)
    letters = DynamoLetters(table, bodies)
    return DynamoStore(table, bodies, payloads, executions, index, tasks, deliveries, letters, retention)


async def reach(executions: DynamoExecutions, effect: CreateExecution | Deliver) -> None:
    """Let an effect reach another execution."""
    match effect:
        case CreateExecution(new=new, if_taken=if_taken):
            taken = await executions.create(new)
            if taken is not None and taken.parent != new.parent and new.parent is not None:
                await executions.deliver(new.parent.execution, if_taken, new.parent.run)
        case Deliver(execution=id, arrival=arrival, run=run):
            await executions.deliver(id, arrival, run)
        case _:
            assert_never(effect)
