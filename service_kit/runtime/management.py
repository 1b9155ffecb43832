"""Operations on a running service as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from client_kit.executions import ExecutionInfo, ExecutionStatus
from service_kit.engine.failure import Failure
from service_kit.engine.wire import decode_failure
from service_kit.errors import ExecutionNotFound
from service_kit.runtime.clock import Clock
from service_kit.runtime.forking import Forking
from service_kit.runtime.gateway import info_of
from service_kit.runtime.ports import Deliveries, ExecutionIndex, Executions
from service_kit.runtime.records import DeadLetter, ExecutionQuery
from service_kit.runtime.schedules import RuntimeSchedules


@dataclass(frozen=True, slots=True)
class RuntimeManagement:
    """Implements `contract.gateway.Management` over the stores."""

    executions: Executions
    index: ExecutionIndex
    deliveries: Deliveries
    clock: Clock
    schedules: RuntimeSchedules
    forking: Forking
    moved: Callable[[str], None]
    """Told of an execution that may have something to do, or must not go on from memory."""
    published: Callable[[], None]
    """Told that deliveries may be available."""

    async def list_executions(
        self,
        workflow: str | None,
        status: ExecutionStatus | None,
        attributes: Mapping[str, str],
        limit: int,
        after: str | None,
    ) -> tuple[Sequence[ExecutionInfo], str | None]:
        page = await self.index.list(ExecutionQuery(workflow, status, attributes, limit, after))
        return [info_of(record) for record in page.executions], page.after

    async def pause(self, id: str, reason: str | None) -> bool:
        if not await self.executions.pause(id, reason):
            if await self.executions.read(id) is None:
                raise ExecutionNotFound(id=id)
            return False
        self.moved(id)
        return True

    async def fork(self, id: str, turn: int, new_id: str) -> None:
        await self.forking.fork(id, turn, new_id)

    async def dead_letters(self, subscription: str | None, limit: int) -> Sequence[Mapping[str, Any]]:
        return [_shown(letter) for letter in await self.deliveries.dead(subscription, limit)]

    async def redrive(self, subscription: str, event_id: str | None) -> int:
        count = await self.deliveries.redrive(subscription, event_id, self.clock.now_s())
        self.published()
        return count


def _shown(letter: DeadLetter) -> Mapping[str, Any]:
    failure = decode_failure(letter.failure)
    return {
        "event_id": letter.event.id,
        "event": letter.event.name,
        "payload": json.loads(letter.event.payload),
        "envelope": asdict(letter.event),
        "subscription": letter.subscription,
        "attempts": letter.attempts,
        "error": failure.type,
        "message": failure.message,
        "traceback": _with_causes(failure),
        "died_at_s": letter.died_at_s,
    }


def _with_causes(failure: Failure) -> str:
    """Return the traceback of an error, with those of its causes before it."""
    if failure.cause is None:
        return failure.traceback
    return f"{_with_causes(failure.cause)}\nwhich led to:\n\n{failure.traceback}"
