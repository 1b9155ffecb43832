"""The gateway of a running service: what its commands, tasks, handlers and programs ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from client_kit.executions import ExecutionInfo, StartOptions
from service_kit.engine.arrivals import (
    Arrival,
    CancelRequested,
    ExecutionStarted,
    SignalReceived,
    TerminateRequested,
)
from service_kit.engine.wire import decode_events
from service_kit.errors import ExecutionExists, ExecutionNotFound
from service_kit.runtime.clock import Clock, Deadline
from service_kit.runtime.dispatcher import Dispatcher, input_digest, stored
from service_kit.runtime.incoming import Incoming
from service_kit.runtime.ports import Deliveries, ExecutionIndex, Executions
from service_kit.runtime.records import ExecutionRecord, NewExecution, StoredArrival


@dataclass(slots=True)
class RuntimeGateway:
    """Implements `contract.gateway.Gateway` over the stores. What it acknowledges is stored."""

    executions: Executions
    index: ExecutionIndex
    deliveries: Deliveries
    dispatcher: Dispatcher
    clock: Clock
    new_id: Callable[[], str]
    """Returns ids that nobody can guess."""
    begin: Callable[[NewExecution], Awaitable[ExecutionRecord | None]]
    """Stores an execution and lets it begin; returns who has its id already."""
    runs_here: Callable[[str], bool]
    """Tells whether `ended` will be told of an execution's end."""
    arrived: Callable[[str, Incoming], None]
    """Told of what has reached an execution."""
    published: Callable[[], None]
    """Told that deliveries may be available."""
    _waiters: dict[str, list[asyncio.Future[str]]] = field(
        default_factory=dict[str, "list[asyncio.Future[str]]"]
    )

    async def start(self, workflow: str, input: str, options: StartOptions) -> str:
        declared = self.dispatcher.declarations.workflow(workflow)
        now_s = self.clock.now_s()
        chosen = options.id or self.new_id()
        digest = input_digest(workflow, input)
        timeout_s = options.timeout_s
        if timeout_s is None:  # a definition's timeout holds however the execution is started
            timeout_s = declared.definition.get("timeout_s")
        new = NewExecution(
            started=ExecutionStarted(
                chosen,
                workflow,
                input,
                seed=self.new_id(),
                timeout_s=timeout_s,
                attributes=options.attributes or None,
            ),
            input_digest=digest,
            created_at_s=now_s,
            begin_at_s=now_s + (options.start_delay_s or 0),
            attributes=options.attributes,
        )
        taken = await self.begin(new)
        if taken is not None and taken.input_digest != digest:
            raise ExecutionExists(id=chosen)
        return chosen

    async def outcome(self, id: str, wait_s: float | None, workflow: str | None = None) -> str | None:
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(id, []).append(ended)
        deadline = Deadline(self.clock, wait_s)
        try:
            async with deadline:
                # What is in memory here has not ended, and its end will be told.
                if workflow is not None or not self.runs_here(id):
                    outcome = (await self._record(id, workflow)).outcome
                    if outcome is not None:
                        return outcome
                return await ended
        except TimeoutError:
            if not deadline.expired:
                raise
            return None
        finally:
            waiters = self._waiters[id]
            waiters.remove(ended)
            if not waiters:
                del self._waiters[id]

    async def look(self) -> None:
        """Ask the store for those that are waited for: another process may have ended them."""
        if self._waiters:
            for execution, outcome in (await self.index.ended(list(self._waiters))).items():
                self.ended(execution, outcome)

    def ended(self, id: str, outcome: str) -> None:
        """Tell those who wait for an execution's end in this process."""
        for waiter in self._waiters.get(id, ()):
            if not waiter.done():
                waiter.set_result(outcome)

    async def describe(self, id: str, workflow: str | None = None) -> ExecutionInfo:
        return info_of(await self._record(id, workflow))

    async def history(self, id: str, workflow: str | None = None) -> Sequence[Mapping[str, Any]]:
        found = await self.executions.load(id)
        if found is None:
            raise ExecutionNotFound(id=id)
        check_workflow(found.record, workflow)
        return told_events(found.history)

    async def state(self, id: str, name: str, workflow: str | None = None) -> str | None:
        if workflow is None:
            value = await self.executions.state(id, name)
            if value is None:
                await self._record(id)
            return value
        value, _ = await asyncio.gather(self.executions.state(id, name), self._record(id, workflow))
        return value

    async def signal(
        self, id: str, name: str, payload: str, signal_id: str, workflow: str | None = None
    ) -> None:
        await self._deliver(id, SignalReceived(signal_id, name, payload), workflow)

    async def cancel(self, id: str, reason: str, workflow: str | None = None) -> None:
        await self._deliver(id, CancelRequested(reason), workflow)

    async def terminate(self, id: str, reason: str, workflow: str | None = None) -> None:
        kept = await self._keep(id, TerminateRequested(reason), workflow)
        if (await self._record(id)).paused is not None:
            await self.executions.pause(id, None)  # a paused one ends, too
        self.arrived(id, Incoming(kept))

    async def emit(self, events: Sequence[tuple[str, str]]) -> None:
        now_s = self.clock.now_s()
        published = [self.dispatcher.publish(self.new_id(), name, payload, now_s) for name, payload in events]
        await self.deliveries.publish(published)
        self.published()

    async def _deliver(self, id: str, arrival: Arrival, workflow: str | None) -> None:
        self.arrived(id, Incoming(await self._keep(id, arrival, workflow)))

    async def _keep(self, id: str, arrival: Arrival, workflow: str | None) -> StoredArrival:
        kept = stored(arrival)
        if not await self.executions.deliver(id, kept, workflow=workflow):
            await self._record(id, workflow)  # says whose it is, if it is somebody's
            raise ExecutionNotFound(id=id)
        return kept

    async def _record(self, id: str, workflow: str | None = None) -> ExecutionRecord:
        record = await self.executions.read(id)
        if record is None:
            raise ExecutionNotFound(id=id)
        check_workflow(record, workflow)
        return record


def told_events(history: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """Return what outsiders see of the events of some turns."""
    events = [event for turn in history for event in decode_events(turn)]
    return [{"kind": type(event).__name__, **asdict(event)} for event in events]


def check_workflow(record: ExecutionRecord, workflow: str | None) -> None:
    """Raise ExecutionNotFound for an execution of another workflow."""
    if workflow not in (None, record.workflow):
        raise ExecutionNotFound(id=record.id, belongs_to=record.workflow)


def info_of(record: ExecutionRecord) -> ExecutionInfo:
    """Return what outsiders see of an execution."""
    return ExecutionInfo(
        id=record.id,
        workflow=record.workflow,
        status=record.status,
        started_at_s=record.created_at_s,
        ended_at_s=record.ended_at_s,
        run=record.run,
        parent=record.parent.execution if record.parent else None,
        paused=record.paused is not None,
        paused_reason=record.paused,
        attributes=record.attributes,
    )
