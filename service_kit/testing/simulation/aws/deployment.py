"""A deployment of the simulated service: table, functions, queues and bus, connected as the template connects them."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from service_kit.contract.gather import Declarations
from service_kit.hosts.aws.gateway import gateway_of
from service_kit.hosts.aws.host import AwsHost, Settings
from service_kit.hosts.aws.invocation import Function, Invocation
from service_kit.hosts.aws.management import management_of
from service_kit.hosts.aws.orchestrator import OrchestratorFunction
from service_kit.hosts.aws.relay import RelayFunction
from service_kit.hosts.aws.subscriptions import SubscriptionsFunction
from service_kit.hosts.aws.sweeper import SweeperFunction
from service_kit.hosts.aws.tasks import TasksFunction
from service_kit.hosts.aws.timers import TimersFunction
from service_kit.messaging.batches import NotAccepted
from service_kit.messaging.queues import SUBSCRIPTION_KIND, queue_name
from service_kit.runtime.gateway import RuntimeGateway
from service_kit.runtime.management import RuntimeManagement
from service_kit.runtime.ports import Conflict
from service_kit.runtime.records import ExecutionQuery, StoredExecution
from service_kit.stores.dynamodb.store import DynamoStore, dynamodb_store
from service_kit.stores.dynamodb.table import Table, Throttled
from service_kit.testing.simulation.aws.bus import EventsClient, SchedulerClient
from service_kit.testing.simulation.aws.dynamodb import DynamoClient
from service_kit.testing.simulation.aws.errors import AwsError, NoAnswer
from service_kit.testing.simulation.aws.faults import CALL, AwsLoop, Network
from service_kit.testing.simulation.aws.filters import is_of_the_outbox, wakes_executions
from service_kit.testing.simulation.aws.functions import Lambda, Pool, Request, SimulatedHost
from service_kit.testing.simulation.aws.operating import Operator, sweep, undone
from service_kit.testing.simulation.aws.queues import Queue, SqsClient
from service_kit.testing.simulation.aws.stream import Mapping, Record, record_of
from service_kit.testing.simulation.aws.table import Change, ModelTable, Place
from service_kit.testing.simulation.aws.watching import Watcher
from service_kit.testing.simulation.chances import Chances
from service_kit.testing.simulation.client import Face
from service_kit.testing.simulation.cluster import WallClock
from service_kit.testing.simulation.faults import StoreUnavailable
from service_kit.testing.simulation.loop import PROCESS, Process
from service_kit.testing.simulation.service import Simulated
from service_kit.testing.simulation.world import WORLD, World

T = TypeVar("T")

MOVING_S, TASK_S, SUBSCRIPTION_S, API_S = 30.0, 60.0, 70.0, 30.0
"""How long functions may take: less than in the template, so that some of them reach their ends."""
SIDE_BY_SIDE = 6
RETRIES = 50
INDEX_LATE_S = 10.0
STALE_S = 1.0
PAGE_BYTES = 2_000
"""Pages are small, so that there are several."""
SETTINGS = Settings("table", "bus", "kit-", "https://sqs/account/timers", None, "group", "role")


@dataclass(frozen=True, slots=True)
class Front:
    """What an instance of the API offers its callers."""

    gateway: RuntimeGateway
    management: RuntimeManagement


class Deployment:
    """The service on AWS. It is asked as a cluster of local processes is."""

    def __init__(
        self,
        loop: AwsLoop,
        declarations: Declarations,
        chances: Chances,
        clock: WallClock,
        world: World,
        trace: Callable[[str], None],
    ) -> None:
        self.loop: AwsLoop = loop
        self.chances: Chances = chances
        self.clock: WallClock = clock
        self.world: World = world
        self.trace: Callable[[str], None] = trace
        self.declarations: Declarations = declarations
        self.network: Network = Network(loop, chances, trace)
        loop.network = self.network
        self._outside = contextvars.copy_context()
        self._outside.run(PROCESS.set, None)
        self._outside.run(WORLD.set, world)
        self._lambda = Lambda(loop, chances, trace, self._host, self._outside)
        self._index_s: dict[Place, float] = {}
        self._written_s: dict[Place, float] = {}
        self._number = 0
        self.table: ModelTable = ModelTable(PAGE_BYTES, self._index_later, self._stale)
        self._make_functions()
        self._make_sources()
        self._clients: dict[str, Any] = self._made_clients()
        watcher = Watcher(world, self._store().bodies, self._lambda.requests.get)
        self.table.changed += [self._note, watcher.see, self._stream]

    def start(self) -> None:
        """Let the clock of the sweeper begin, and whoever operates the service."""
        queues = (*self.work_queues, self.timer_queue)
        self._run(sweep(self._invoke(self.sweeper), self.trace))
        self._run(Operator(self, queues, self.table, self.chances, self.trace).work())

    async def ask(self, request: Callable[[Face], Awaitable[T]]) -> T:
        """Ask the API; raise what whoever asks again needs to know."""

        async def work(front: Front, _: Request) -> T:
            return await request(front)

        try:
            return await self.api.invoke(work)
        except (AwsError, NoAnswer, Throttled, NotAccepted, Conflict) as error:
            raise StoreUnavailable(str(error)) from error

    def tick(self) -> None:
        """Do nothing: clocks differ, but they do not jump."""

    async def ended(self) -> bool:
        """Tell whether nothing is left to be done."""
        return not self.left()

    async def unended(self) -> str:
        return ", ".join(self.left()[:10])

    async def found(self) -> dict[str, StoredExecution]:
        """Return the executions as the store reads them."""
        await asyncio.sleep(2 * INDEX_LATE_S)
        if self.network.refused is not None:
            raise self.network.refused
        stores = self._store().stores
        page = await stores.index.list(ExecutionQuery(limit=10_000))
        found = {record.id: await stores.executions.load(record.id) for record in page.executions}
        return {name: stored for name, stored in sorted(found.items()) if stored is not None}

    def left(self) -> list[str]:
        """Return what is still to be done: executions, deliveries, messages, records."""
        left = [f"queue {q.name}" for q in (*self.work_queues, self.timer_queue) if not q.idle]
        left += [f"stream of {source.name}" for source in self.sources if not source.idle]
        left += ["events on the bus"] if self.events.on_the_way else []
        return left + undone(self.table)

    def _make_functions(self) -> None:
        def pool(name: str, kind: type[Function], timeout_s: float) -> Pool[Function]:
            inside = _inside(kind)

            def make(host: AwsHost, process: Process) -> Function:
                function: Function = inside(host)
                vars(function)["variables"] = {PROCESS: process, WORLD: self.world}
                return function

            return Pool(self._lambda, name, timeout_s, SIDE_BY_SIDE, make)

        self.orchestrator: Pool[Function] = pool("orchestrator", OrchestratorFunction, MOVING_S)
        self.relay: Pool[Function] = pool("relay", RelayFunction, MOVING_S)
        self.timers: Pool[Function] = pool("timers", TimersFunction, MOVING_S)
        self.sweeper: Pool[Function] = pool("sweeper", SweeperFunction, MOVING_S)
        self.tasks: Pool[Function] = pool("tasks", TasksFunction, TASK_S)
        self.subscriptions: Pool[Function] = pool("subscriptions", SubscriptionsFunction, SUBSCRIPTION_S)

        def front(host: AwsHost, _: Process) -> Front:
            gateway = gateway_of(host)
            return Front(gateway, management_of(host, gateway))

        # Signals are in the order of the clocks of those who took them: these agree, for the client sends them in one.
        self.api: Pool[Front] = Pool(self._lambda, "api", API_S, 2 * SIDE_BY_SIDE, front, skewed=False)

    def _make_sources(self) -> None:
        self.sources: list[Mapping] = [
            self._source(self.orchestrator, wakes_executions),
            self._source(self.relay, is_of_the_outbox),
        ]
        self.timer_queue: Queue = self._queue("timers", self.timers, MOVING_S)
        tasks = [
            self._queue(queue_name(SETTINGS.queue_prefix, name), self.tasks, TASK_S)
            for name in self.declarations.tasks
        ]
        self._rules: dict[str, list[Queue]] = {}
        handlers = list[Queue]()
        for name, declared in self.declarations.subscriptions.items():
            named = queue_name(SETTINGS.queue_prefix, name, SUBSCRIPTION_KIND)
            handlers.append(self._queue(named, self.subscriptions, SUBSCRIPTION_S))
            for event in declared.events:
                self._rules.setdefault(event, []).append(handlers[-1])
        self.work_queues: list[Queue] = [*tasks, *handlers]

    def _made_clients(self) -> dict[str, Any]:
        every = {queue.name: queue for queue in (*self.work_queues, self.timer_queue)}
        self.events: EventsClient = EventsClient(self._rules, self.chances, self._later, self._partly)
        return {
            "dynamodb": DynamoClient(self.table, SETTINGS.table, self._partly, CALL.get),
            "sqs": SqsClient(every, self._partly),
            "events": self.events,
            "scheduler": SchedulerClient(self.timer_queue, self.chances, self.loop.time, self._later),
        }

    def _source(self, pool: Pool[Function], wants: Callable[[Record], bool]) -> Mapping:
        invoke = self._invoke(pool)
        return Mapping(pool.name, self.chances, self._run, invoke, wants, self.trace, RETRIES)

    def _queue(self, name: str, pool: Pool[Function], visibility_s: float) -> Queue:
        invoke = self._invoke(pool)
        return Queue(name, self.chances, self._run, self._later, self.trace, invoke, visibility_s)

    def _invoke(self, pool: Pool[Function]) -> Callable[[dict[str, Any]], Awaitable[set[str]]]:
        async def invoke(event: dict[str, Any]) -> set[str]:
            async def work(function: Function, request: Request) -> set[str]:
                return set(await function.handle(event, Invocation(function.host, request)))

            return await pool.invoke(work)

        return invoke

    def _host(self, clock: WallClock, numbers: random.Random) -> AwsHost:
        self.clock.skew_s = max(self.clock.skew_s, clock.skew_s)
        return SimulatedHost(Simulated, SETTINGS, self._clients.__getitem__, clock, numbers)

    def _store(self) -> DynamoStore:
        table = Table(self._clients["dynamodb"], SETTINGS.table)
        return dynamodb_store(table, queued=True, clock=self.loop.time)

    def _stream(self, change: Change) -> None:
        self._number += 1
        record = record_of(change, self._number)
        for source in self.sources:
            source.put(record)

    def _note(self, change: Change) -> None:
        self._written_s[change.place] = self.loop.time()

    def _index_later(self, place: Place, act: Callable[[], None]) -> None:
        late_s = 0.05 * self.chances.next_number("index latency")
        if (drawn := self.chances.draw("index")) is not None:
            late_s = INDEX_LATE_S * drawn.amount
        now_s = self.loop.time()
        # Each item's changes come in their order, and no two at one moment, at which timers have none.
        at_s = self._index_s[place] = max(now_s + late_s, self._index_s.get(place, 0.0) + 1e-6)
        self._later(at_s - now_s, act)

    def _stale(self, place: Place) -> bool:
        recent = self.loop.time() < self._written_s.get(place, 0.0) + STALE_S
        return recent and self.chances.next_number("stale") < 0.5

    def _partly(self, _: str) -> bool:
        return self.chances.draw("batch") is not None

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self.loop.call_later(seconds, act, context=self._outside)

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        self.loop.create_task(work, context=self._outside.copy())


def _inside(kind: type[Function]) -> Any:
    """Return a kind of function whose service's code runs in its instance, and in the world of the simulation."""

    class Inside(kind):  # type: ignore[valid-type,misc]  # the kind is a value
        variables: dict[contextvars.ContextVar[Any], Any]

        async def user_context(self) -> contextvars.Context:
            context: contextvars.Context = await super().user_context()
            for variable, value in self.variables.items():
                context.run(variable.set, value)
            return context

    return Inside
