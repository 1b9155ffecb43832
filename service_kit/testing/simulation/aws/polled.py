"""The store in DynamoDB beneath the local runtime: polled by processes, without streams and queues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from service_kit.runtime.ports import Stores
from service_kit.stores.dynamodb.store import dynamodb_store
from service_kit.stores.dynamodb.table import Table
from service_kit.testing.simulation.aws.dynamodb import DynamoClient
from service_kit.testing.simulation.aws.table import ModelTable
from service_kit.testing.simulation.aws.watching import Watcher
from service_kit.testing.simulation.world import World

NAME = "table"


class AtOnce(Table):
    """A table that is asked without threads, whose order would differ from run to run."""

    async def _call(self, call: Callable[..., Any], **request: Any) -> Any:
        await asyncio.sleep(0)  # where a process may die
        return call(**request)


def polled_stores(world: World, clock: Callable[[], float]) -> Stores:
    """Return empty stores whose table tells the world what it has taken: a method of theirs is several requests."""
    model = ModelTable()
    store = dynamodb_store(AtOnce(DynamoClient(model, NAME), NAME), clock=clock)
    model.changed.append(Watcher(world, store.bodies, None).see)
    return store.stores
