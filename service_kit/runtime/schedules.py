"""Schedules of a running service: one scheduler for each, started, changed and asked here."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from client_kit.executions import StartOptions
from service_kit.contract.gather import Declarations
from service_kit.contract.schedule import Schedule
from service_kit.contract.scheduler import (
    MOST,
    SCHEDULER,
    Change,
    Instruction,
    Pause,
    Plan,
    Resume,
    Run,
    Shown,
    instructions,
    planned,
    read_shown,
    scheduler,
    scheduler_id,
    shown,
)
from service_kit.errors import ExecutionExists
from service_kit.runtime.clock import Clock
from service_kit.runtime.gateway import RuntimeGateway
from service_kit.runtime.ports import ExecutionIndex, Executions
from service_kit.runtime.records import ExecutionQuery

logger: logging.Logger = logging.getLogger("service_kit.runtime")


@dataclass(frozen=True, slots=True)
class RuntimeSchedules:
    """Implements `contract.gateway.Schedules`. All raise LookupError for a workflow that has no schedule."""

    executions: Executions
    index: ExecutionIndex
    gateway: RuntimeGateway
    declarations: Declarations
    clock: Clock

    async def take_over(self) -> None:
        """Let this process's definitions be the ones that count: begin new schedules, change others, stop the rest.

        Safe to call again, and by several processes at once. Call it once when a process starts: one that has old
        definitions must not come back to them.
        """
        schedules = self.declarations.schedules
        for workflow, schedule in schedules.items():
            await self._begin_or_change(workflow, schedule)
        after: str | None = None
        while True:
            page = await self.index.list(ExecutionQuery(SCHEDULER, "running", after=after))
            for record in page.executions:
                workflow = record.id.removeprefix(scheduler_id(""))
                if workflow not in schedules and (await self._shown(workflow)).plan.schedule is not None:
                    logger.info("workflow '%s' has no schedule any more", workflow)
                    await self._tell(workflow, Change(None))
            if (after := page.after) is None:
                return

    async def list(self) -> Sequence[Mapping[str, Any]]:
        return [await self._described(schedule) for schedule in self.declarations.schedules.values()]

    async def pause(self, workflow: str, reason: str | None) -> None:
        await self._ready(workflow)
        await self._tell(workflow, Resume() if reason is None else Pause(reason))

    async def trigger(self, workflow: str) -> str:
        schedule, now_s = await self._ready(workflow), round(self.clock.now_s(), 3)
        await self._tell(workflow, Run((now_s,)))
        return schedule.id_at(now_s)

    async def backfill(self, workflow: str, from_s: float, to_s: float) -> Sequence[str]:
        schedule = await self._ready(workflow)
        if not from_s <= to_s <= self.clock.now_s():
            raise ValueError("the range has to begin before it ends, and to end before now")
        # Times are whole seconds: a range that begins between two of them does not hold the first.
        times = schedule.between(math.ceil(from_s) - 1, to_s, MOST + 1)
        left = MOST - len((await self._shown(workflow)).plan.queue)
        if len(times) > left:
            raise ValueError(
                f"at most {left} times can wait now, and the range has more; choose a smaller one"
            )
        await self._tell(workflow, Run(tuple(times)))
        return [schedule.id_at(at_s) for at_s in times]

    async def _begin_or_change(self, workflow: str, schedule: Schedule) -> None:
        place, now_s = scheduler_id(workflow), self.clock.now_s()
        record = await self.executions.read(place)
        if record is not None and record.outcome is not None:
            logger.error(
                "the schedule of '%s' does not go on: somebody has ended its execution '%s' (%s)",
                workflow,
                place,
                record.status,
            )
            return
        if record is None:
            plan = planned(Plan(schedule, now_s), now_s)
            try:
                text = scheduler.calls.encode_arguments({"plan": plan})
                await self.gateway.start(SCHEDULER, text, StartOptions(place))
            except ExecutionExists:
                logger.debug("another process has begun the schedule of '%s'", workflow)
            else:
                return
        if (await self._shown(workflow)).plan.schedule != schedule:
            logger.info("workflow '%s' has another schedule: %s", workflow, schedule.cron)
            await self._tell(workflow, Change(schedule))

    async def _described(self, schedule: Schedule) -> Mapping[str, Any]:
        found = await self._shown(schedule.workflow)
        plan = found.plan
        return {
            "workflow": schedule.workflow,
            "cron": schedule.cron,
            "timezone": schedule.timezone,
            "overlap": schedule.overlap,
            "catch_up_s": schedule.catch_up_s,
            "next_at_s": None if plan.paused is not None else plan.next_s,
            "last_at_s": plan.last_s,
            "paused": plan.paused,
            "running": found.running,
            "waiting": len(plan.queue),
        }

    async def _shown(self, workflow: str) -> Shown:
        text = await self.executions.state(scheduler_id(workflow), shown.name)
        return Shown(Plan(None, 0.0)) if text is None else read_shown(shown.decode(text))

    async def _tell(self, workflow: str, instruction: Instruction) -> None:
        payload = instructions.encode(instruction)
        await self.gateway.signal(scheduler_id(workflow), instructions.name, payload, self.gateway.new_id())

    async def _ready(self, workflow: str) -> Schedule:
        """Return a schedule that there is, and that has begun: this process may just be starting."""
        schedules = self.declarations.schedules
        if workflow not in schedules:
            known = ", ".join(f"'{name}'" for name in schedules) or "none"
            raise LookupError(f"workflow '{workflow}' has no schedule; of this service have one: {known}")
        if await self.executions.read(scheduler_id(workflow)) is None:
            await self._begin_or_change(workflow, schedules[workflow])
        return schedules[workflow]
