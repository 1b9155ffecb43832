"""All of a service in this process, on one SQLite file: store, workers, timers, subscriptions, HTTP."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import random
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import Token, copy_context
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from client_kit.ids import new_id
from service_kit.contract.gateway import Gateway, reset_gateway, set_gateway
from service_kit.contract.gather import gather
from service_kit.contract.service import Service, contract_of
from service_kit.hosts.local.files import require_file
from service_kit.hosts.local.polls import Polls
from service_kit.http import Application, AsgiApplication, HttpOptions
from service_kit.http.lifespan import LentVariables
from service_kit.http.management import set_management
from service_kit.http.management_routes import management_routes
from service_kit.runtime.assembly import Entropy, Runtime, RuntimeOptions
from service_kit.runtime.clock import SystemClock
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.runtime.threads import THREADS
from service_kit.stores.packed.store import LARGE_BYTES, packed_stores
from service_kit.stores.sqlite.database import Database
from service_kit.stores.sqlite.idempotency import SqliteIdempotencyStore
from service_kit.stores.sqlite.store import sqlite_stores, token_secret

logger: logging.Logger = logging.getLogger("service_kit.host")


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How the local host works; the defaults suit production on one machine."""

    lease_s: float = 30.0
    """A process that is silent for so long has died; what it was running is then tried again."""
    drain_s: float = 30.0
    """How long running tasks and handlers may take to end when the host stops."""
    warm_max: int = 5_000
    """Executions kept in memory between their turns, at some 7 KB each; others are replayed when they are needed."""
    capacity: int = 1_000
    """Task attempts side by side."""
    threads: int = THREADS
    """Those of sync tasks among them, each in a thread of its own, which one that goes on after its timeout keeps."""
    keep_ended_s: float | None = None
    """How long executions stay in the file after their end; None: for ever."""
    large_bytes: int = LARGE_BYTES
    """Payloads that are larger lie in a table of their own, where they are read only when they are needed."""


class LocalHost:
    """Run a service durably: `async with LocalHost(Orders, "orders.db") as host`.

    Inside the block `await process_order.start(...)` and everything else of the service works; `host.asgi()` is
    its HTTP face. Several hosts, in any number of processes of this machine, may share one file: each does a
    share of the work. Left regularly, the host lets what is running end; killed, it is recovered by the next one.
    A database in memory is FileUnavailable: for tests there is TestEnvironment.
    """

    def __init__(self, service: type[Service], path: str | Path, options: LocalOptions | None = None) -> None:
        require_file(path)
        self._contract = contract_of(service)
        self._declarations = gather(self._contract)
        self._path = path
        self._options = options or LocalOptions()
        self._stack = AsyncExitStack()
        self._token: Token[Gateway] | None = None
        self._database: Database | None = None
        self._runtime: Runtime | None = None
        self._variables = LentVariables()
        self._polls = Polls()
        self._ends_at_s = math.inf

    @property
    def runtime(self) -> Runtime:
        """The running parts; raise RuntimeError outside of the block."""
        if self._runtime is None:
            raise RuntimeError("the host does not run; enter it: 'async with LocalHost(...) as host'")
        return self._runtime

    def asgi(self, options: HttpOptions | None = None) -> AsgiApplication:
        """Return the HTTP face. If the host does not run yet, it runs as long as the application does."""
        # A host that runs has entered the service's lifespan itself.
        contract = replace(self._contract, lifespan=None if self._runtime else self._lifespan)
        kept = SqliteIdempotencyStore(self._open_database, time.time)
        chosen = options or HttpOptions()
        routes = [self._polls.released(route) for route in management_routes(contract, chosen, kept)]
        return AsgiApplication(Application(contract, chosen, kept, self._enter, routes))

    def end_within(self, seconds: float) -> None:
        """Hear that the process is told to end: the drain, whenever it begins, is over in so many seconds."""
        self._ends_at_s = asyncio.get_running_loop().time() + seconds
        self._polls.release()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            if self._contract.lifespan is not None:
                before = copy_context()
                await stack.enter_async_context(self._contract.lifespan())
                self._variables.take(before)
            self._database = Database(self._path)
            stack.callback(self._database.close)
            self._runtime = await self._start(self._database)
            stack.push_async_callback(self._stop)
            self._stack = stack.pop_all()
        self._token = set_gateway(self.runtime.gateway)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._token is not None:
            reset_gateway(self._token)
        await self._stack.aclose()

    async def _start(self, database: Database) -> Runtime:
        options, clock = self._options, SystemClock()
        owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        entropy = Entropy(new_id, random.random, await token_secret(database))
        worker = WorkerOptions(owner, options.lease_s, options.capacity, options.threads)
        codecs = self._contract.codecs() if self._contract.codecs is not None else ()
        runtime = Runtime(
            packed_stores(sqlite_stores(database), clock.now_s, codecs, options.large_bytes),
            self._declarations,
            clock,
            entropy,
            RuntimeOptions(worker, warm_max=options.warm_max, keep_ended_s=options.keep_ended_s),
        )
        await runtime.start()
        return runtime

    async def _stop(self) -> None:
        runtime, self._runtime = self.runtime, None
        until_s = min(asyncio.get_running_loop().time() + self._options.drain_s, self._ends_at_s)
        busy = runtime.task_worker.busy or runtime.subscription_worker.busy
        if busy:
            logger.info("finishing tasks and handlers that are running")
        try:
            async with asyncio.timeout_at(until_s):
                await runtime.drain()
        except TimeoutError:
            if busy:
                logger.warning("tasks or handlers did not end in time; they are cut off, and tried again")
        await runtime.stop()

    @asynccontextmanager
    async def _lifespan(self) -> AsyncGenerator[None, None]:
        async with self:
            yield

    def _open_database(self) -> Database:
        assert self._database is not None, "requests are served while the host runs"
        return self._database

    def _enter(self) -> None:
        self._variables.lend()
        set_gateway(self.runtime.gateway)
        set_management(self.runtime.management, self.runtime.completion)
