"""The stage: one life of a service in an environment, from its start or reset to its end."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from contextvars import Context, copy_context
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from client_kit.transports.asgi import InProcessTransport
from service_kit.contract.gateway import set_gateway
from service_kit.contract.gather import Declarations
from service_kit.contract.service import ServiceContract
from service_kit.http import Application, AsgiApplication, HttpOptions
from service_kit.http.lifespan import LentVariables
from service_kit.http.management import set_management
from service_kit.http.management_routes import management_routes
from service_kit.runtime.assembly import Entropy, Runtime, RuntimeOptions
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.stores.memory.idempotency import MemoryIdempotencyStore
from service_kit.testing.clock import VirtualClock
from service_kit.testing.doubles import Doubles
from service_kit.testing.loop import VirtualLoop
from service_kit.testing.recorder import Recorder
from service_kit.testing.stores import WatchedExecutions, watched_stores

__tracebackhide__ = True  # a failing test shows its own line, not how it was run

__all__ = ["Stage"]

T = TypeVar("T")

BIG = 1_000_000


class Stage:
    """A service at work on a virtual loop: store, workers, timers, subscriptions, HTTP; the twin of the local host."""

    def __init__(self, contract: ServiceContract, declarations: Declarations, start_s: float) -> None:
        self.loop: VirtualLoop = VirtualLoop(start_s, self._is_busy)
        self.recorder: Recorder = Recorder()
        self.doubles: Doubles = Doubles(
            declarations, self.recorder, self.now, lambda: self.runtime.subscription_worker.handled_here()
        )
        self._contract = contract
        self._visits = 0
        played = self.doubles.declarations()
        self.executions: WatchedExecutions
        stores, self.executions = watched_stores(played, self.recorder, self._keep_warm, self.loop.give_up)
        chance = random.Random(0)  # noqa: S311 - in a test everything comes out the same again
        entropy = Entropy(
            new_id=lambda: f"{chance.getrandbits(128):032x}",
            random=lambda: 0.0,  # the wait before a retry is the policy's, to the second
            secret=b"a secret of the test environment",
        )
        # Nobody else can take over: claims last for ever, and nothing has to be looked for.
        options = RuntimeOptions(WorkerOptions("test", lease_s=math.inf), reconcile_s=math.inf, warm_max=0)
        self.runtime: Runtime = Runtime(stores, played, VirtualClock(self.loop), entropy, options)
        self.transport: InProcessTransport = InProcessTransport(self._application())
        self._variables = LentVariables()
        self._closing = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self.is_open: bool = False
        """Whether the service is at work."""

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.loop.time(), UTC)

    def open(self) -> None:
        """Enter the service's lifespan, and begin to work."""
        ready: asyncio.Future[None] = self.loop.create_future()
        self._life = self.loop.create_task(self._live(ready), name="service")
        self.visit(_wait_for(ready))
        self.is_open = True

    def close(self) -> None:
        """Stop at once, leave the lifespan, and end the loop."""
        try:
            if self._life is not None and self.is_open:
                self._closing.set()
                self.visit(_wait_for(self._life))
        finally:
            self.loop.end()

    def visit(
        self, work: Coroutine[Any, Any, T], until_s: float = math.inf, context: Context | None = None
    ) -> T:
        """Run something beside the service, as `VirtualLoop.complete`; it may talk to the real world."""
        self._visits += 1
        try:
            return self.loop.complete(work, until_s, context)
        finally:
            self._visits -= 1

    async def _live(self, ready: asyncio.Future[None]) -> None:
        try:
            # One asyncio.Task enters and leaves all of it, as task groups and timeouts in a lifespan need it.
            async with AsyncExitStack() as stack:
                if self._contract.lifespan is not None:
                    before = copy_context()
                    await stack.enter_async_context(self._contract.lifespan())
                    self._variables.take(before)
                await self.runtime.start()
                stack.push_async_callback(self.runtime.stop)
                stack.push_async_callback(self.transport.close)
                ready.set_result(None)
                await self._closing.wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    def _application(self) -> AsgiApplication:
        contract = replace(self._contract, lifespan=None)  # the stage has entered it
        kept = MemoryIdempotencyStore(self.loop.time)
        # No network cuts a request that waits for an execution's end, so the service does not either.
        routes = management_routes(contract, HttpOptions(max_timeout_s=math.inf), kept)
        return AsgiApplication(Application(contract, HttpOptions(), kept, self._enter, routes))

    def _enter(self) -> None:
        self._variables.lend()
        set_gateway(self.runtime.gateway)
        set_management(self.runtime.management, self.runtime.completion, math.inf)

    def _keep_warm(self, keep: bool) -> None:
        self.runtime.orchestrator.warm.most = BIG if keep else 0

    def _is_busy(self) -> bool:
        runtime = self.runtime
        return self._visits > 0 or runtime.task_worker.busy or runtime.subscription_worker.busy


async def _wait_for(future: asyncio.Future[T]) -> T:
    return await future
