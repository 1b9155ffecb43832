"""Schedules over the life of processes: missed times, changed definitions, operators."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from service_kit import Service, workflow
from service_kit.contract.gather import gather
from service_kit.contract.scheduler import scheduler_id
from service_kit.contract.service import contract_of
from service_kit.runtime.assembly import Entropy, Runtime, RuntimeOptions
from service_kit.runtime.ports import Stores
from service_kit.runtime.task_worker import WorkerOptions
from service_kit.stores.memory.store import memory_stores
from service_kit.testing.clock import VirtualClock
from service_kit.testing.histories import read_history
from service_kit.testing.loop import VirtualLoop
from service_kit.testing.replayer import replay_history

T = TypeVar("T")

DAY_S = 86_400.0
seen: list[str] = []


class World:
    """A store, and virtual time in which processes come and go."""

    def __init__(self) -> None:
        self.loop = VirtualLoop(1_000_000.0, lambda: False)
        self.stores: Stores = memory_stores()
        self._owners = itertools.count()

    def advance(self, seconds: float) -> None:
        self.loop.advance_to(self.loop.time() + seconds)

    def ask(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.complete(work, self.loop.time())

    @contextmanager
    def process(self, service: type[Service]) -> Generator[Runtime, None, None]:
        number, ids = next(self._owners), itertools.count()
        runtime = Runtime(
            self.stores,
            gather(contract_of(service)),
            VirtualClock(self.loop),
            Entropy(lambda: f"id-{number}-{next(ids)}", lambda: 0.0, b"secret of the tests"),
            RuntimeOptions(WorkerOptions(f"process {number}", lease_s=math.inf), reconcile_s=60),
        )
        self.ask(runtime.start())
        self.advance(0)
        try:
            yield runtime
        finally:
            self.ask(runtime.stop())

    def live(self, service: type[Service], seconds: float) -> None:
        """Run one process for some time."""
        with self.process(service):
            self.advance(seconds)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.loop.end()
    seen.clear()


def service(**options: Any) -> type[Service]:
    """Return a service whose workflow `count` has a schedule with these options, or none."""

    async def count(at: datetime) -> None:
        seen.append(f"{at:%d %H:%M}")

    declared: Callable[..., Any] = workflow(**options) if options else workflow
    return type("Counting", (Service,), {"count": declared(count)})


# The clock begins on 12 January 1970 at 13:46:40.


def test_times_that_were_missed_are_run_once_each_and_in_order(world: World) -> None:
    daily = service(cron="0 9 * * *", catch_up_s=10 * DAY_S)
    world.live(daily, DAY_S)
    assert seen == ["13 09:00"]
    world.advance(3 * DAY_S)
    world.live(daily, 10)
    assert seen == ["13 09:00", "14 09:00", "15 09:00", "16 09:00"]
    world.live(daily, DAY_S)
    assert seen[4:] == ["17 09:00"]


def test_what_is_later_than_the_schedule_allows_is_left_out(world: World) -> None:
    daily = service(cron="0 9 * * *")
    world.live(daily, 10)
    world.advance(3 * DAY_S)
    world.live(daily, 10)
    assert seen == ["15 09:00"]


def test_of_several_processes_one_runs_each_time(world: World) -> None:
    daily = service(cron="0 9 * * *")
    with ExitStack() as processes:
        for _ in range(3):
            processes.enter_context(world.process(daily))
        world.advance(2 * DAY_S)
    assert seen == ["13 09:00", "14 09:00"]


def test_a_changed_definition_takes_over_from_now_on(world: World) -> None:
    world.live(service(cron="0 9 * * *"), DAY_S)
    world.live(service(cron="0 12,15 * * *"), DAY_S)
    assert seen == ["13 09:00", "13 15:00", "14 12:00"]  # not the one of noon, before the change


def test_what_the_old_definition_has_missed_is_caught_up_before_the_change(world: World) -> None:
    world.live(service(cron="0 9 * * *"), 10)
    world.advance(DAY_S)
    world.live(service(cron="0 15 * * *"), DAY_S)
    assert seen == ["13 09:00", "13 15:00"]


def test_a_schedule_that_was_removed_stops_and_one_that_comes_back_goes_on(world: World) -> None:
    daily = service(cron="0 9 * * *")
    world.live(daily, DAY_S)
    world.live(service(), 2 * DAY_S)
    assert seen == ["13 09:00"]
    world.live(daily, DAY_S)
    assert seen == ["13 09:00", "16 09:00"]


def test_a_process_that_starts_with_the_same_definition_changes_nothing(world: World) -> None:
    daily = service(cron="0 9 * * *")
    for _ in range(3):
        world.live(daily, 10)
    found = world.ask(world.stores.executions.load(scheduler_id("count")))
    assert found is not None
    assert (found.record.run, found.record.turn, len(found.arrivals)) == (0, 1, 0)


def described(world: World, runtime: Runtime) -> Any:
    (one,) = world.ask(runtime.management.schedules.list())
    return one


def test_a_paused_schedule_leaves_out_what_comes_and_goes_on_after_it(world: World) -> None:
    with world.process(service(cron="0 9 * * *")) as runtime:
        world.advance(10)
        world.ask(runtime.management.schedules.pause("count", "holidays"))
        world.advance(2 * DAY_S)
        shown = described(world, runtime)
        assert (seen, shown["paused"], shown["next_at_s"]) == ([], "holidays", None)
        world.ask(runtime.management.schedules.pause("count", None))
        world.advance(DAY_S)
        shown = described(world, runtime)
    assert seen == ["15 09:00"]
    assert (shown["paused"], shown["next_at_s"] - shown["last_at_s"]) == (None, DAY_S)


def test_a_schedule_is_run_now_even_while_it_is_paused(world: World) -> None:
    with world.process(service(cron="0 9 * * *")) as runtime:
        world.advance(10)
        world.ask(runtime.management.schedules.pause("count", "holidays"))
        started = world.ask(runtime.management.schedules.trigger("count"))
        world.advance(0)
        assert world.ask(runtime.gateway.describe(started)).status == "succeeded"
        world.ask(runtime.management.schedules.trigger("count"))  # at the same moment: the same run
        world.advance(1)
        world.ask(runtime.management.schedules.trigger("count"))
        world.advance(0)
    assert started == "count@1970-01-12T13:46:50Z"
    assert seen == ["12 13:46", "12 13:46"]


def test_times_of_the_past_are_filled_in_but_those_that_were_run(world: World) -> None:
    with world.process(service(cron="0 9 * * *")) as runtime:
        world.advance(DAY_S)
        schedules, now_s = runtime.management.schedules, world.loop.time()
        started = world.ask(schedules.backfill("count", now_s - 3 * DAY_S, now_s))
        assert len(started) == 3
        world.advance(0)
        assert seen == ["13 09:00", "11 09:00", "12 09:00"]
        first_s = now_s - now_s % DAY_S + 9 * 3600 - 5 * DAY_S
        assert world.ask(schedules.backfill("count", first_s + 0.5, first_s + 60)) == []
        assert len(world.ask(schedules.backfill("count", first_s, first_s))) == 1
        with pytest.raises(ValueError, match="to end before now"):
            world.ask(schedules.backfill("count", now_s, now_s + 1))
        with pytest.raises(ValueError, match="at most 1000 times can wait now"):
            world.ask(schedules.backfill("count", now_s - 1001 * DAY_S, now_s))


def test_a_workflow_without_a_schedule_is_named(world: World) -> None:
    with world.process(service(cron="0 9 * * *")) as runtime:
        for ask in (runtime.schedules.trigger("other"), runtime.schedules.pause("other", None)):
            with pytest.raises(
                LookupError, match="'other' has no schedule; of this service have one: 'count'"
            ):
                world.ask(ask)


def test_the_schedule_shows_which_run_the_next_one_waits_for(world: World) -> None:
    async def count() -> None:
        await asyncio.sleep(7200)

    slow = type("Slow", (Service,), {"count": workflow(cron="0 * * * *", overlap="buffer_one")(count)})
    with world.process(slow) as runtime:
        world.advance(3600)
        shown = described(world, runtime)
        assert shown["running"] == "count@1970-01-12T14:00:00Z"
        world.ask(runtime.management.schedules.pause("count", "enough"))
        world.advance(0)
        assert described(world, runtime)["paused"] == "enough"
        world.advance(7200)
        assert described(world, runtime)["running"] is None
        world.ask(runtime.management.schedules.pause("count", None))
        world.advance(3600)
        assert described(world, runtime)["running"] == "count@1970-01-12T17:00:00Z"


@pytest.mark.parametrize("name", ["scheduler_waits", "scheduler_runs"])
def test_schedulers_of_the_first_release_replay_for_ever(name: str) -> None:
    recorded = (Path(__file__).parent / "histories" / f"{name}.json").read_text()
    replay_history(gather(contract_of(service())), read_history(recorded))
