"""The whole store in memory."""

from __future__ import annotations

from service_kit.runtime.ports import Stores
from service_kit.stores.memory.deliveries import MemoryDeliveries
from service_kit.stores.memory.executions import MemoryExecutions
from service_kit.stores.memory.tasks import MemoryTasks


def memory_stores() -> Stores:
    """Return empty stores that live as long as they are held."""
    tasks, deliveries = MemoryTasks(), MemoryDeliveries()
    executions = MemoryExecutions(tasks, deliveries)
    tasks.answer = executions.answer
    return Stores(
        executions, executions, tasks, deliveries, deliveries, deliveries, executions, executions.blobs
    )
