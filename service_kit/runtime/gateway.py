"""The gateway of a running service: what its commands, tasks, handlers and programs ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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
from service_kit.runtime.clock import Clock
from service_kit.runtime.dispatcher import Dispatcher, input_digest, stored
from service_kit.runtime.ports import Deliveries, Executions
from service_kit.runtime.records import ExecutionRecord, NewExecution, StoredArrival

LOOK_AGAIN_S = 0.5
"""How often a waiter for a result asks the store: another process may have ended the execution."""


@dataclass(slots=True)
class RuntimeGateway:
    """Implements `contract.gateway.Gateway` over the stores. What it acknowledges is stored."""

    executions: Executions
    deliveries: Deliveries
    dispatcher: Dispatcher
    clock: Clock
    new_id: Callable[[], str]
    """Returns ids that nobody can guess."""
    arrived: Callable[[str, StoredArrival | None], None]
    """Told of an execution that has something to do, and what has arrived there, if the caller knows."""
    published: Callable[[], None]
    """Told that deliveries may be available."""
    _waiters: dict[str, list[asyncio.Future[str]]] = field(
        default_factory=dict[str, "list[asyncio.Future[str]]"]
    )

    async def start(self, workflow: str, input: str, options: StartOptions) -> str:
        now_s = self.clock.now_s()
        chosen = options.id or self.new_id()
        digest = input_digest(workflow, input)
        new = NewExecution(
            started=ExecutionStarted(
                chosen, workflow, input, seed=self.new_id(), timeout_s=options.timeout_s
            ),
            input_digest=digest,
            created_at_s=now_s,
            begin_at_s=now_s + (options.start_delay_s or 0),
            attributes=options.attributes,
        )
        record = await self.executions.create(new)
        if record.input_digest != digest:
            raise ExecutionExists(id=chosen)
        self.arrived(chosen, None)
        return chosen

    async def outcome(self, id: str, wait_s: float | None) -> str | None:
        ended = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(id, []).append(ended)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    return await self._wait(id, ended)
            return None
        finally:
            waiters = self._waiters[id]
            waiters.remove(ended)
            if not waiters:
                del self._waiters[id]

    def ended(self, id: str, outcome: str) -> None:
        """Tell those who wait for an execution's end in this process."""
        for waiter in self._waiters.get(id, ()):
            if not waiter.done():
                waiter.set_result(outcome)

    async def describe(self, id: str) -> ExecutionInfo:
        return info_of(await self._record(id))

    async def history(self, id: str) -> Sequence[Mapping[str, Any]]:
        found = await self.executions.load(id)
        if found is None:
            raise ExecutionNotFound(id=id)
        events = [event for turn in found.history for event in decode_events(turn)]
        return [{"kind": type(event).__name__, **asdict(event)} for event in events]

    async def state(self, id: str, name: str) -> str | None:
        value = await self.executions.state(id, name)
        if value is None:
            await self._record(id)
        return value

    async def signal(self, id: str, name: str, payload: str, signal_id: str) -> None:
        await self._deliver(id, SignalReceived(signal_id, name, payload))

    async def cancel(self, id: str, reason: str) -> None:
        await self._deliver(id, CancelRequested(reason))

    async def terminate(self, id: str, reason: str) -> None:
        await self._deliver(id, TerminateRequested(reason))

    async def emit(self, events: Sequence[tuple[str, str]]) -> None:
        now_s = self.clock.now_s()
        published = [self.dispatcher.publish(self.new_id(), name, payload, now_s) for name, payload in events]
        await self.deliveries.publish(published)
        self.published()

    async def _wait(self, id: str, ended: asyncio.Future[str]) -> str:
        while True:
            record = await self._record(id)
            if record.outcome is not None:
                return record.outcome
            done, _ = await asyncio.wait({ended}, timeout=LOOK_AGAIN_S)
            if done:
                return ended.result()

    async def _deliver(self, id: str, arrival: Arrival) -> None:
        kept = stored(arrival)
        if not await self.executions.deliver(id, kept):
            raise ExecutionNotFound(id=id)
        self.arrived(id, kept)

    async def _record(self, id: str) -> ExecutionRecord:
        record = await self.executions.read(id)
        if record is None:
            raise ExecutionNotFound(id=id)
        return record


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
        attributes=record.attributes,
    )
