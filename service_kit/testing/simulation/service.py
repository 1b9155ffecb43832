"""The service that simulations run: one workflow that performs programs, and the tasks that it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any

from service_kit.contract.attribute import Attribute
from service_kit.contract.event import Event, subscription
from service_kit.contract.service import Service
from service_kit.contract.signal import Signal
from service_kit.contract.task import heartbeat, task
from service_kit.contract.workflow import workflow
from service_kit.engine.retry import Retry
from service_kit.errors import TaskFailed, WorkflowCancelled, WorkflowFailed
from service_kit.testing.simulation.programs import LONG_S, Step, child_id
from service_kit.testing.simulation.world import current_world

PATIENT = Retry(max_attempts=60, backoff_s=0.2, backoff_max_s=2.0, jitter=0.5)
BRIEF = Retry(max_attempts=3, backoff_s=0.2, jitter=0.0)


MOST_ATTEMPTS = {"work": 60, "inline": 60, "refused": 60, "endless": 60, "hopeless": 3}
"""What the retry policies allow, by task."""


class Flaw(Exception):
    """What a task raises on purpose."""


class Refused(Exception):
    """What a task raises that no retry can mend."""


class Happened(Event):
    """What programs and the client emit."""

    what: str


@subscription(Happened, retry=PATIENT)
async def hear(event: Happened) -> None:
    await current_world().handled(event.what)


@task(retry=PATIENT)
async def work(node: int, failures: int, seconds: float) -> str:
    with current_world().attempt() as number:
        await asyncio.sleep(seconds)
        if number <= failures:
            raise Flaw
    return f"work{node}"


@task(retry=PATIENT, inline=True)
async def inline(node: int, failures: int) -> str:
    with current_world().attempt() as number:
        await asyncio.sleep(0)
        if number <= failures:
            raise Flaw
    return f"inline{node}"


@task(retry=BRIEF)
async def hopeless(node: int) -> str:
    with current_world().attempt() as number:
        if number > 0:
            raise Flaw
    return f"hopeless{node}"


@task(retry=Retry(max_attempts=60, backoff_s=0.2, non_retryable=(Refused,)))
async def refused(node: int) -> str:
    with current_world().attempt() as number:
        if number > 0:
            raise Refused
    return f"refused{node}"


@task(retry=PATIENT)
async def endless(node: int) -> str:
    with current_world().attempt():
        for _ in range(int(LONG_S)):
            heartbeat()
            await asyncio.sleep(1.0)
    return f"endless{node}"


@workflow
async def program(id: str, step: Step, done: str) -> str:
    if step.op != "again":
        return f"{done}{await perform(id, step)}"
    first, rest = step.steps[:1], step.steps[1:]
    done += ",".join([await perform(id, inner) for inner in first]) + ";"
    return await program.continue_as_new(id, Step("steps", step.node, steps=rest), done)


@workflow
async def calling(id: str, parent: str, step: Step) -> str:
    """Perform a step, and tell the parent before the end."""
    result = await perform(id, step)
    await program.get(parent).signal(Signal(f"c{id.rpartition('.')[2]}", str), "called")
    return result


class Simulated(Service):
    """Programs made at random."""

    program = program


async def perform(id: str, step: Step) -> str:
    """Perform a step of the execution `id`; its text does not depend on when things happen."""
    inner = [perform(id, each) for each in step.steps] if step.op in ("gather", "group", "race") else []
    match step.op:
        case "work":
            return await work(step.node, int(step.amount), step.seconds)
        case "inline":
            return await inline(step.node, int(step.amount))
        case "hopeless":
            return await _failing(hopeless(step.node))
        case "refused":
            return await _failing(refused(step.node))
        case "sleep":
            await asyncio.sleep(step.amount)
            return "slept"
        case "receive" | "listen":
            heard = Signal(f"s{step.node}", str)
            return ",".join([await heard.receive() for _ in range(int(step.amount) or 1)])
        case "emit":
            await Happened(what=f"{id}/{step.node}").emit()
            return "emitted"
        case "label":
            return await _label(Attribute(f"a{step.node}", int))
        case "gather":
            return f"({await _together(inner)})"
        case "group":
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(each) for each in inner]
            return f"[{','.join(each.result() for each in running)}]"
        case "race":
            return await _race(inner)
        case "in_time":
            async with asyncio.timeout(LONG_S):
                return await _in_turn(id, step)
        case "too_late":
            return await _too_late(step, asyncio.sleep(LONG_S))
        case "dropped":
            return await _too_late(step, endless(step.node))
        case "child" | "callback" | "abandoned":
            return await _child(id, step)
        case "cancelled":
            return await _cancelled(id, step)
        case "steps" | "again":
            return await _in_turn(id, step)


async def _label(label: Attribute[int]) -> str:
    """Be found by something, and after a while by something else."""
    Attribute("labelled", bool).set(True)
    label.set(1)
    await asyncio.sleep(0.5)
    label.set((label.get() or 0) + 1)
    return f"label{label.get()}"


async def _in_turn(id: str, step: Step) -> str:
    return ",".join([await perform(id, inner) for inner in step.steps])


async def _race(inner: Sequence[Coroutine[Any, Any, str]]) -> str:
    """Let the steps win against something that never ends."""
    loser = asyncio.create_task(Signal("never", str).receive())
    winner = asyncio.create_task(_together(inner))
    done, _ = await asyncio.wait([loser, winner], return_when=asyncio.FIRST_COMPLETED)
    loser.cancel()
    assert done == {winner}, "nobody sends this signal"
    return f"<{winner.result()}>"


async def _together(inner: Sequence[Coroutine[Any, Any, str]]) -> str:
    return ",".join(await asyncio.gather(*inner))


async def _child(id: str, step: Step) -> str:
    name = child_id(id, step)
    if step.op == "abandoned":
        await program.options(id=name, parent_close="abandon").start(name, _body(step), "")
        return "abandoned"
    if step.op == "child":
        try:
            return await program.options(id=name)(name, _body(step), "")
        except WorkflowFailed:
            return "child failed"
    child = await calling.options(id=name).start(name, id, _body(step))
    answer = await Signal(f"c{step.node}", str).receive()
    return f"{answer}/{await child.result()}"


async def _cancelled(id: str, step: Step) -> str:
    """At the root: wait to be cancelled, and clean up. Deeper: start such a child, and cancel it."""
    if id == f"x{step.node}" or id.endswith(f".{step.node}"):
        try:
            await asyncio.sleep(LONG_S)
        finally:
            await work(step.node, 0, 0.0)
        return "never"
    name = child_id(id, step)
    child = await program.options(id=name).start(name, step, "")
    await child.cancel("not needed")
    try:
        return await child.result()
    except WorkflowCancelled:
        return "cancelled"


def _body(step: Step) -> Step:
    return Step("steps", 0, steps=step.steps)


async def _failing(attempt: Awaitable[str]) -> str:
    # A lost attempt counts as one that timed out: with faults the last error may be either.
    try:
        return await attempt
    except (TaskFailed, TimeoutError):
        return "failed"


async def _too_late(step: Step, never: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(step.amount):
            await never
    except TimeoutError:
        return "too late"
    return "never"
