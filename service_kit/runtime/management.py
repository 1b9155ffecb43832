"""Operations on a running service as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from client_kit.executions import ExecutionInfo, ExecutionStatus
from service_kit.errors import ExecutionNotFound
from service_kit.runtime.forking import Forking
from service_kit.runtime.gateway import check_workflow, info_of, told_events
from service_kit.runtime.letters import RuntimeLetters
from service_kit.runtime.ports import ExecutionIndex, Executions
from service_kit.runtime.records import ExecutionQuery, Known
from service_kit.runtime.schedules import RuntimeSchedules

ANSWER_MOST = 1_000_000
"""Characters of history in one answer: a function on AWS answers with 6 MB at most, and JSON in JSON grows."""


@dataclass(frozen=True, slots=True)
class RuntimeManagement:
    """Implements `contract.gateway.Management` over the stores."""

    executions: Executions
    index: ExecutionIndex
    letters: RuntimeLetters
    schedules: RuntimeSchedules
    forking: Forking
    moved: Callable[[str], None]
    """Told of an execution that may have something to do, or must not go on from memory."""

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

    async def history_page(
        self, id: str, limit: int, after: str | None, workflow: str | None = None
    ) -> tuple[Sequence[Mapping[str, Any]], str | None] | None:
        known = None if after is None else _known(after)
        found = await self.executions.load(id, known)
        if found is None:
            raise ExecutionNotFound(id=id)
        check_workflow(found.record, workflow)
        run = found.record.run
        if known is not None and known.run != run:
            return None
        page = _fitting(found.history[:limit])
        told = len(page) + (0 if known is None else known.turn)
        return told_events(page), f"{run}/{told}" if len(page) < len(found.history) else None

    async def pause(self, id: str, reason: str | None) -> bool:
        if not await self.executions.pause(id, reason):
            if await self.executions.read(id) is None:
                raise ExecutionNotFound(id=id)
            return False
        self.moved(id)
        return True

    async def fork(self, id: str, turn: int, new_id: str) -> None:
        await self.forking.fork(id, turn, new_id)


def _known(cursor: str) -> Known:
    run, _, turn = cursor.partition("/")
    return Known(int(run), int(turn))


def _fitting(turns: Sequence[str]) -> Sequence[str]:
    """Return the first of these turns, as many as have room in one answer: one at least."""
    sizes = itertools.accumulate(map(len, turns))
    return turns[: max(sum(size <= ANSWER_MOST for size in sizes), 1)]
