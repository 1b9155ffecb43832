"""The workflows behind `tests/histories`, and how each history came about; one file, though long.

A history, once written, stays: `python -m tests.engine.golden` writes only those that do not exist yet.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service_kit.engine.arrivals import CancelRequested, ChildRaised, ChildSucceeded, SignalReceived
from service_kit.engine.context import require_workflow
from service_kit.engine.failure import Failure
from service_kit.engine.history import ExecutionRaised, HistoryEvent
from service_kit.engine.instance import replay
from service_kit.engine.options import ChildOptions, TaskOptions
from service_kit.engine.retry import Retry
from service_kit.engine.wire import decode_events, encode_events
from service_kit.errors import TaskFailed, TimedOut
from tests.engine.driving import BEGIN_S, Execution, Function, code_of, task

__all__ = ["FOLDER", "STORIES", "Story", "plain", "recorded", "replay_all", "tell"]

FOLDER = Path(__file__).parent.parent / "histories"
BROKEN = Failure("shop:Broken", "no")


@dataclass(frozen=True)
class Story:
    """A workflow, its input, and what happened to it."""

    function: Function
    events: Callable[[Execution], object]
    input: Any = None
    begun_as: Function | None = None
    """The code that the execution began with, where `function` is a later version of it."""
    timeout_s: float | None = None
    left_s: float | None = None
    """What is left of the timeout, if it began with an earlier run."""


async def order(order_id: str) -> Any:
    workflow = require_workflow("the story")
    workflow.set_state("progress", '"paying"')
    options = TaskOptions(retry=Retry(max_attempts=5, backoff_s=1), timeout_s=30.0)
    payment = json.loads(await workflow.schedule_task("charge_card", json.dumps(order_id), options=options))
    workflow.emit([("OrderPaid", json.dumps({"order_id": order_id}))])
    try:
        await task("reserve", order_id)
    except TaskFailed as error:
        workflow.send_signal("warehouse", "missing", json.dumps(error.message))
        await task("refund", payment)
        return "refunded"
    return "shipped"


def order_events(run: Execution) -> None:
    run.succeed("charge_card", "p-1")
    run.fail("reserve", BROKEN)
    run.succeed("refund")


async def races(_: str) -> list[Any]:
    workflow = require_workflow("the story")
    seen: list[Any] = []
    async with asyncio.timeout(3600):
        seen.append(json.loads(await workflow.receive_signal("approval")))
    try:
        async with asyncio.timeout(60):
            await task("slow")
    except TimeoutError:
        seen.append("slow was slow")
    with contextlib.suppress(TimedOut):
        await workflow.receive_signal("approval", timeout_s=10)
    seen.append(await asyncio.wait_for(task("quick"), 5))
    await asyncio.sleep(0)
    await asyncio.sleep(86_400)
    return seen


def races_events(run: Execution) -> None:
    run.signal("approval", "yes", id="s-1")
    run.pass_time(60.5)
    run.succeed("slow", "too late")
    run.pass_time(10)
    run.succeed("quick", 7)
    run.pass_time(86_400)


async def fan_out(count: int) -> list[Any]:
    seen: list[Any] = list(await asyncio.gather(*(task(f"gather-{number}") for number in range(count))))
    async with asyncio.TaskGroup() as group:
        grouped = [group.create_task(task(f"group-{number}")) for number in range(count)]
    seen.extend(one.result() for one in grouped)
    racers = [asyncio.create_task(task(f"race-{number}")) for number in range(count)]
    done, pending = await asyncio.wait(racers, return_when=asyncio.FIRST_COMPLETED)
    for late in pending:
        late.cancel()
    seen.extend(one.result() for one in done)
    seen.extend(
        [await one for one in asyncio.as_completed([task(f"any-{number}") for number in range(count)])]
    )
    limit, queue = asyncio.Semaphore(2), asyncio.Queue[Any]()

    async def limited(number: int) -> None:
        async with limit:
            await queue.put(await task(f"limited-{number}"))

    workers = [asyncio.create_task(limited(number)) for number in range(count)]
    seen.extend([await queue.get() for _ in workers])
    return seen


def fan_out_events(run: Execution) -> None:
    for kind, order_of_answers in (
        ("gather", (2, 0, 3, 1)),
        ("group", (3, 2, 1, 0)),
        ("race", (2,)),
        ("any", (1, 3, 0, 2)),
        ("limited", (1, 0, 2, 3)),
    ):
        for number in order_of_answers:
            run.succeed(f"{kind}-{number}", f"{kind} {number}")


async def family(_: str) -> list[Any]:
    workflow = require_workflow("the story")
    good = workflow.start_child("pack", '"a"')
    bad = workflow.start_child("pack", '"b"', options=ChildOptions(id="pack-b", timeout_s=60.0))
    workflow.start_child("audit", "null", options=ChildOptions(parent_close="terminate"))
    workflow.start_child("mail", "null", options=ChildOptions(parent_close="abandon"))
    workflow.start_child("watch", "null")
    return list(await asyncio.gather(_name(good.result), _name(bad.result)))


async def _name(result: asyncio.Future[str]) -> str:
    try:
        return await result
    except Exception as error:  # noqa: BLE001 - its class is what the story is about
        return type(error).__name__


def family_events(run: Execution) -> None:
    run.arrive(ChildRaised(2, BROKEN), ChildSucceeded(1, '"packed"'))


async def saga(_: str) -> None:
    done: list[str] = []
    try:
        for name in ("flight", "hotel", "car"):
            await task(f"book {name}")
            done.append(name)
    finally:
        async with asyncio.TaskGroup() as group:
            for name in done:
                group.create_task(task(f"cancel {name}"))


def saga_events(run: Execution) -> None:
    run.succeed("book flight")
    run.succeed("book hotel")
    run.arrive(CancelRequested("changed my mind"))
    run.succeed("cancel hotel")
    run.succeed("cancel flight")


async def dice(_: str) -> list[Any]:
    workflow = require_workflow("the story")
    first = [
        workflow.random(),
        workflow.random_bits(10),
        workflow.uuid4_bytes().hex(),
        workflow.now().isoformat(),
    ]
    await task("roll", first)
    return [*first, workflow.random(), workflow.patched("loaded")]


def dice_events(run: Execution) -> None:
    run.pass_time(5)
    run.succeed("roll")


async def before_patch(_: str) -> str:
    await task("reserve")
    await task("charge")
    return "done"


async def patched(_: str) -> str:
    workflow = require_workflow("the story")
    if workflow.patched("check-first"):
        await task("check")
    await task("reserve")
    if workflow.patched("thank"):
        await task("thank")
    await task("charge")
    return "done"


def patched_events(run: Execution) -> None:
    run.code = code_of(patched)
    run.replay()
    run.succeed("reserve")
    run.succeed("thank")
    run.succeed("charge")


async def listener(_: str) -> list[Any]:
    workflow = require_workflow("the story")
    heard: list[Any] = []

    async def answer(payload: str) -> None:
        heard.append(await task("answer", payload))

    workflow.on_signal("ask", answer)
    dispose = workflow.on_signal("ask", heard.append)
    await workflow.condition(lambda: len(heard) >= 4, timeout_s=3600)
    dispose()
    heard.append(json.loads(await workflow.receive_signal("bye")))
    return heard


def listener_events(run: Execution) -> None:
    run.arrive(SignalReceived("1", "ask", '"a"'), SignalReceived("2", "bye", '"b"'))
    run.signal("ask", "c", id="3")
    run.signal("ask", "c", id="3")
    run.succeed("answer", "a!")
    run.succeed("answer", "c!")


async def endless(count: int) -> None:
    workflow = require_workflow("the story")
    await workflow.receive_signal("more")
    await asyncio.sleep(1)
    await workflow.continue_as_new(json.dumps(count + 1))


def endless_events(run: Execution) -> None:
    run.arrive(*(SignalReceived(str(number), "more", str(number)) for number in range(3)))
    run.pass_time(1)


async def overdue(_: str) -> None:
    workflow = require_workflow("the story")
    workflow.start_child("pack", "null")
    await asyncio.gather(asyncio.sleep(10), asyncio.sleep(600), task("slow"))


def overdue_events(run: Execution) -> None:
    run.pass_time(10)
    run.pass_time(60)


async def failing(_: str) -> None:
    asyncio.get_running_loop().create_task(task("background"))
    await task("work")
    raise ValueError("bad luck")


async def labels(count: int) -> None:
    workflow = require_workflow("the story")
    workflow.set_attribute("region", "eu")
    workflow.start_child("pack", "null", options=ChildOptions(attributes={"region": "eu"}))
    await task("look")
    workflow.set_attribute("region", None)
    workflow.set_attribute("tier", "3")
    await workflow.continue_as_new(json.dumps(count + 1))


async def patience(count: int) -> list[Any]:
    seen: list[Any] = list(
        await asyncio.gather(*[asyncio.wait_for(task(f"gather-{number}"), 30) for number in range(count)])
    )
    queue = asyncio.Queue[Any]()

    async def produce() -> None:
        await queue.put(await task("produce"))

    async def last() -> Any:
        await asyncio.sleep(3)
        return await task("last")

    producer, known = asyncio.create_task(produce()), asyncio.create_task(last())
    seen.append(await asyncio.wait_for(queue.get(), 5))
    results = await asyncio.gather(
        asyncio.wait_for(last(), 2),
        asyncio.wait_for(asyncio.shield(known), 2.5),
        asyncio.wait_for(task("never"), 0),
        asyncio.wait_for(known, 60),
        asyncio.wait_for(task("alone"), None),
        producer,
        return_exceptions=True,
    )
    return seen + [type(one).__name__ if isinstance(one, Exception) else one for one in results]


def patience_events(run: Execution) -> None:
    for number in (2, 0, 1):
        run.succeed(f"gather-{number}", number)
    run.succeed("produce", "p")
    run.pass_time(2.25)
    run.succeed("alone", "a")
    run.pass_time(0.75)
    run.succeed("last", "l")


STORIES: dict[str, Story] = {
    "order": Story(order, order_events, "o-1"),
    "races": Story(races, races_events, "r-1"),
    "fan_out": Story(fan_out, fan_out_events, 4),
    "family": Story(family, family_events, "f-1"),
    "saga": Story(saga, saga_events, "s-1"),
    "dice": Story(dice, dice_events, "d-1"),
    "patched": Story(patched, patched_events, "p-1", begun_as=before_patch),
    "patched_from_the_start": Story(patched, lambda run: run.succeed("check"), "p-2"),
    "listener": Story(listener, listener_events, "l-1"),
    "endless": Story(endless, endless_events, 1),
    "labels": Story(labels, lambda run: run.succeed("look"), 1),
    "overdue": Story(overdue, overdue_events, "o-2", timeout_s=30.0),
    "overdue_later": Story(overdue, overdue_events, "o-3", timeout_s=30.0, left_s=20.0),
    "patience": Story(patience, patience_events, 3),
    "failing": Story(failing, lambda run: run.succeed("work"), "f-2"),
}


def tell(story: Story) -> list[HistoryEvent]:
    """Let the story happen again, from its beginning."""
    run = Execution(story.begun_as or story.function, cold=False)
    deadline_s = None if story.left_s is None else BEGIN_S + story.left_s
    run.start(story.input, timeout_s=story.timeout_s, deadline_s=deadline_s)
    story.events(run)
    return plain(run.history)


def plain(history: list[HistoryEvent]) -> list[HistoryEvent]:
    """Return a history without tracebacks, which name files of the machine."""
    return [
        ExecutionRaised(Failure(event.failure.type, event.failure.message))
        if isinstance(event, ExecutionRaised)
        else event
        for event in history
    ]


def recorded(name: str) -> list[HistoryEvent]:
    """Return a history as it stands in its file."""
    return decode_events((FOLDER / f"{name}.json").read_text())


def replay_all() -> None:
    """Replay every file; raise if one does not replay, or if the story would go otherwise today."""
    for name, story in STORIES.items():
        instance = replay(code_of(story.function), recorded(name))
        instance.discard()
        assert tell(story) == recorded(name), f"the story '{name}' goes otherwise than in its file"


if __name__ == "__main__":
    for missing in (name for name in STORIES if not (FOLDER / f"{name}.json").exists()):
        (FOLDER / f"{missing}.json").write_text(encode_events(tell(STORIES[missing])) + "\n")
