"""Executions as the code of another one reaches them: through recorded calls, never by asking the store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from client_kit.executions import ExecutionHandle, ExecutionInfo, SignalContract, check_typed
from service_kit.contract.outcomes import encode_outcome
from service_kit.engine.context import Child, WorkflowContext
from service_kit.engine.history import ExecutionSucceeded

R = TypeVar("R")
T = TypeVar("T")


class InnerHandle(ExecutionHandle[R]):
    """A handle that was made inside a workflow."""

    __slots__ = ()

    async def signal(self, signal: SignalContract[T], payload: T, *, id: str | None = None) -> None:
        check_typed("signal", signal)
        # Where none is chosen, the call's own id is equal in every replay, which one made here could not be.
        await self._access.signal(self.id, signal.name, signal.encode(payload), id or "")

    async def _goes_on(self, timeout_s: float | None) -> str:
        # Whether a child is paused is in no history: a replay could not say it again.
        return f"execution '{self.id}' of '{self._workflow.name}' still runs after {timeout_s} s"


class ChildAccess:
    """The access of a handle that was made inside a workflow: results of own children, messages to anybody."""

    def __init__(self, context: WorkflowContext, child: Child | None) -> None:
        self._context = context
        self._child = child
        if child is not None:
            context.children.setdefault(child.id, child)

    async def outcome(self, id: str, wait_s: float | None, workflow: str | None = None) -> str | None:
        child = self._child or self._context.children.get(id)
        if child is None:
            self._refuse(
                f"wait for execution '{id}', which its present run did not begin by .start(...)",
                "start it as a child, or let it send a signal",
            )
        answer = child.result
        if not answer.done():
            # Not `await answer`: who gives up waiting would cancel it, and by it the child.
            await asyncio.wait((answer,), timeout=wait_s)
        return encode_outcome(ExecutionSucceeded(answer.result(), "")) if answer.done() else None

    async def describe(self, id: str, workflow: str | None = None) -> ExecutionInfo:
        self._refuse("read another execution", "let a task read it")

    async def history(self, id: str, workflow: str | None = None) -> Sequence[Mapping[str, Any]]:
        self._refuse("read another execution", "let a task read it")

    async def state(self, id: str, name: str, workflow: str | None = None) -> str | None:
        self._refuse("read another execution", "let a task read it")

    async def signal(
        self, id: str, name: str, payload: str, signal_id: str, workflow: str | None = None
    ) -> None:
        self._context.send_signal(id, name, payload, id=signal_id or None)

    async def cancel(self, id: str, reason: str, workflow: str | None = None) -> None:
        self._context.cancel_execution(id, reason)

    async def terminate(self, id: str, reason: str, workflow: str | None = None) -> None:
        self._context.terminate_execution(id, reason)

    def _refuse(self, what: str, cure: str) -> NoReturn:
        raise RuntimeError(f"workflow '{self._context.started.workflow}' cannot {what}; {cure}")
