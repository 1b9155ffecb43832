"""The HTTP face alone, with what it keeps in memory."""

from __future__ import annotations

import time

from service_kit.contract.service import ServiceContract
from service_kit.http import Application, AsgiApplication, HttpOptions
from service_kit.stores.memory.idempotency import MemoryIdempotencyStore


def create_application(contract: ServiceContract, options: HttpOptions | None = None) -> AsgiApplication:
    """Return the ASGI application of a service; idempotent answers are kept in this process's memory."""
    store = MemoryIdempotencyStore(time.monotonic)
    return AsgiApplication(Application(contract, options or HttpOptions(), store))
