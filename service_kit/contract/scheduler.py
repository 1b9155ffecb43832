"""The scheduler of one workflow: an execution of the system's own, `schedule:<workflow>`, that starts its runs.

It begins anew after each thing that happens. What depends on cron, time zones and clocks is computed in the last
turn of a run, which is never replayed, and handed to the next run as its input: so neither a new time zone database
nor a new library can make its history unreadable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeAlias, assert_never

from pydantic import Field, TypeAdapter

from service_kit.contract.schedule import SCHEDULER as SCHEDULER
from service_kit.contract.schedule import Schedule
from service_kit.contract.signal import Signal, State
from service_kit.contract.waiting import condition
from service_kit.contract.workflow import Workflow
from service_kit.engine.context import Child, WorkflowContext, require_workflow
from service_kit.engine.options import ChildOptions

MOST = 1_000
"""Times that wait for their runs."""


@dataclass(frozen=True, slots=True)
class Due:
    """A run that is to be started."""

    at_s: float
    id: str
    input: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run of the scheduler knows."""

    schedule: Schedule | None
    """None: its workflow has none any more."""
    seen_s: float
    """Times until here have been dealt with."""
    next_s: float | None = None
    """When the next one comes."""
    queue: tuple[Due, ...] = ()
    """In this order."""
    last_s: float | None = None
    """The time of the run that was started last."""
    paused: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the scheduler shows of itself."""

    plan: Plan
    running: str | None = None
    """The run that the next one waits for."""


@dataclass(frozen=True, slots=True)
class Change:
    """Go on with another schedule, from now on."""

    schedule: Schedule | None
    kind: Literal["change"] = "change"


@dataclass(frozen=True, slots=True)
class Pause:
    """Leave out the times that come, and those that wait."""

    reason: str
    kind: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with the times that come from now on."""

    kind: Literal["resume"] = "resume"


@dataclass(frozen=True, slots=True)
class Run:
    """Run these times, too, even while it is paused; one that was run before is not run again."""

    times: tuple[float, ...]
    kind: Literal["run"] = "run"


Instruction: TypeAlias = Annotated[Change | Pause | Resume | Run, Field(discriminator="kind")]

instructions: Signal[Instruction] = Signal("schedule", Instruction)
shown: State[str] = State("schedule", str)
"""A `Shown` as `write_shown` writes it."""

_shown: TypeAdapter[Shown] = TypeAdapter(Shown)


def scheduler_id(workflow: str) -> str:
    """Return the id of the execution that keeps a workflow's schedule."""
    return f"schedule:{workflow}"


def write_shown(given: Shown) -> str:
    """Return the text of a state: replays compare it, so a new field with a default must not change it."""
    return _shown.dump_json(given, exclude_defaults=True).decode()


def read_shown(text: str) -> Shown:
    """Return what the text of a state says."""
    return _shown.validate_json(text)


def planned(plan: Plan, now_s: float) -> Plan:
    """Return a plan with the time at which the next run is due."""
    idle = plan.schedule is None or plan.paused is not None
    return replace(plan, next_s=None if plan.schedule is None or idle else plan.schedule.next_s(now_s))


async def _keep(plan: Plan) -> None:
    """Start what is due, and wait: for its end, for the next time, or to be told something."""
    context = require_workflow("a scheduler")
    told: list[tuple[float, Change | Pause | Resume | Run]] = []
    begun = plan.queue if _runs_beside(plan) else plan.queue[:1]
    children = [_start(context, plan, due) for due in begun]
    waits_for = children[0] if children and not _runs_beside(plan) else None
    plan = replace(plan, queue=plan.queue[len(begun) :], last_s=begun[-1].at_s if begun else plan.last_s)
    shown.set(write_shown(Shown(plan, waits_for.id if waits_for else None)))

    def hear(text: str) -> None:
        try:
            instruction = instructions.decode(text)
        except ValueError:
            return  # no scheduler has sent it; one that fails would be an end of the schedule
        told.append((context.now().timestamp(), instruction))
        if waits_for is not None:
            paused = next((i for _, i in reversed(told) if isinstance(i, Pause | Resume)), None)
            reason = paused.reason if isinstance(paused, Pause) else plan.paused if paused is None else None
            shown.set(write_shown(Shown(replace(plan, paused=reason), waits_for.id)))

    context.on_signal(instructions.name, hear)
    if waits_for is not None:
        await condition(waits_for.result.done)
        now_s = context.now().timestamp()
    else:
        now_s = await _idle(context, plan, told)
    await scheduler.continue_as_new(_settled(plan, told, now_s, busy=waits_for is not None))


async def _idle(
    context: WorkflowContext, plan: Plan, told: list[tuple[float, Change | Pause | Resume | Run]]
) -> float:
    """Wait for the next time, or an instruction; return the moment at which that was."""
    limit = asyncio.timeout_at(plan.next_s)
    try:
        async with limit:
            await condition(lambda: bool(told))
    except TimeoutError:
        if not limit.expired() or plan.next_s is None:
            raise
        return max(plan.next_s, context.now().timestamp())
    return context.now().timestamp()


def _start(context: WorkflowContext, plan: Plan, due: Due) -> Child:
    schedule = plan.schedule
    assert schedule is not None, "what has no schedule has an empty queue"
    options = ChildOptions(id=due.id, timeout_s=schedule.timeout_s, parent_close="abandon")
    return context.start_child(schedule.workflow, due.input, options=options)


def _settled(
    plan: Plan, told: list[tuple[float, Change | Pause | Resume | Run]], now_s: float, *, busy: bool
) -> Plan:
    """Return what the next run begins with."""
    for at_s, instruction in told:
        plan = _obey(_advanced(plan, at_s, busy=busy), instruction)
    return planned(_advanced(plan, now_s, busy=busy), max(now_s, plan.seen_s))


def _advanced(plan: Plan, to_s: float, *, busy: bool) -> Plan:
    """Deal with the times until a moment; `busy`: while a run was going on."""
    schedule = plan.schedule
    if to_s <= plan.seen_s:
        return plan
    due: list[float] = []
    if schedule is not None and plan.paused is None:
        if not busy:
            due = schedule.between(max(plan.seen_s, to_s - schedule.catch_up_s), to_s, MOST)
        elif schedule.overlap == "buffer_one" and not plan.queue:
            first_s = schedule.next_s(plan.seen_s)
            due = [first_s] if first_s is not None and first_s <= to_s else []
    return replace(_with(plan, due), seen_s=to_s)


def _obey(plan: Plan, instruction: Change | Pause | Resume | Run) -> Plan:
    match instruction:
        case Change(schedule=schedule):
            return replace(plan, schedule=schedule, queue=plan.queue if schedule is not None else ())
        case Pause(reason=reason):
            return replace(plan, paused=reason, queue=())
        case Resume():
            return replace(plan, paused=None)
        case Run(times=times):
            return _with(plan, times)
    assert_never(instruction)


def _with(plan: Plan, times: Sequence[float]) -> Plan:
    """Return a plan with more times in its queue, each once."""
    schedule = plan.schedule
    if schedule is None:
        return plan
    waiting = {due.at_s for due in plan.queue}
    fresh = [at_s for at_s in dict.fromkeys(times) if at_s not in waiting]
    more = (Due(at_s, schedule.id_at(at_s), schedule.input_at(at_s)) for at_s in fresh)
    return replace(plan, queue=(*plan.queue, *more)[-MOST:])


def _runs_beside(plan: Plan) -> bool:
    return plan.schedule is not None and plan.schedule.overlap == "allow"


scheduler: Workflow[[Plan], None] = Workflow(_keep, {}, {}, SCHEDULER)
