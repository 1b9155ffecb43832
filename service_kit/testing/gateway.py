"""The gateway of a test's own code: what an async test awaits, done by the stage's loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from client_kit.executions import ExecutionInfo, StartOptions
from service_kit.contract.gateway import Gateway
from service_kit.testing.stage import Stage

__tracebackhide__ = True  # a failing test shows its own line, not how it was run

__all__ = ["StageGateway"]

T = TypeVar("T")


class Runner(Protocol):
    """Runs something in the service to its end."""

    def __call__(self, work: Coroutine[Any, Any, T], /) -> T: ...


class StageGateway:
    """Implements `contract.gateway.Gateway`: `await process_order.start(...)` in a test is the environment's start."""

    def __init__(self, stage: Callable[[], Stage], run: Runner) -> None:
        self._stage = stage
        self._run = run

    async def start(self, workflow: str, input: str, options: StartOptions) -> str:
        return await self._do(self._inner.start(workflow, input, options))

    async def emit(self, events: Sequence[tuple[str, str]]) -> None:
        await self._do(self._inner.emit(events))

    async def outcome(self, id: str, wait_s: float | None, workflow: str | None = None) -> str | None:
        return await self._do(self._inner.outcome(id, wait_s, workflow))

    async def describe(self, id: str, workflow: str | None = None) -> ExecutionInfo:
        return await self._do(self._inner.describe(id, workflow))

    async def history(self, id: str, workflow: str | None = None) -> Sequence[Mapping[str, Any]]:
        return await self._do(self._inner.history(id, workflow))

    async def state(self, id: str, name: str, workflow: str | None = None) -> str | None:
        return await self._do(self._inner.state(id, name, workflow))

    async def signal(
        self, id: str, name: str, payload: str, signal_id: str, workflow: str | None = None
    ) -> None:
        await self._do(self._inner.signal(id, name, payload, signal_id, workflow))

    async def cancel(self, id: str, reason: str, workflow: str | None = None) -> None:
        await self._do(self._inner.cancel(id, reason, workflow))

    async def terminate(self, id: str, reason: str, workflow: str | None = None) -> None:
        await self._do(self._inner.terminate(id, reason, workflow))

    @property
    def _inner(self) -> Gateway:
        return self._stage().runtime.gateway

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        # Beside the service, in its own loop, it is awaited as anything else is.
        return await work if self._stage().loop.is_running() else self._run(work)
