"""Operations on a running service as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from client_kit.executions import ExecutionInfo, ExecutionStatus
from service_kit.errors import ExecutionNotFound
from service_kit.runtime.forking import Forking
from service_kit.runtime.gateway import info_of
from service_kit.runtime.letters import RuntimeLetters
from service_kit.runtime.ports import ExecutionIndex, Executions
from service_kit.runtime.records import ExecutionQuery
from service_kit.runtime.schedules import RuntimeSchedules


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

    async def pause(self, id: str, reason: str | None) -> bool:
        if not await self.executions.pause(id, reason):
            if await self.executions.read(id) is None:
                raise ExecutionNotFound(id=id)
            return False
        self.moved(id)
        return True

    async def fork(self, id: str, turn: int, new_id: str) -> None:
        await self.forking.fork(id, turn, new_id)
