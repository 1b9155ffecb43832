"""What operators do on AWS, by the management API of the deployed functions: dead letters, schedules, forks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest

from client_kit import Discarded, Manager, connect, manage
from service_kit.contract.scheduler import scheduler_id
from service_kit.hosts.aws.sweeper import SweeperFunction
from service_kit.hosts.aws.timers import TimersFunction
from service_kit.messaging.timers import Wake
from service_kit.runtime.clock import SystemClock
from tests.hosts.aws import operated
from tests.hosts.aws.calling import URL, LambdaTransport
from tests.hosts.aws.cloud import Cloud, deployed
from tests.hosts.aws.operated import Operated

T = TypeVar("T")


@dataclass
class Ahead(SystemClock):
    """A clock that can be put forward."""

    by_s: float = 0.0

    def now_s(self) -> float:
        return super().now_s() + self.by_s


class Operator:
    """A program with a typed client, beside a deployment whose functions share a clock."""

    def __init__(self, cloud: Cloud, clock: Ahead) -> None:
        self.cloud = cloud
        self.clock = clock
        self._api = cloud.api()
        self._transport = LambdaTransport(self._api)

    def close(self) -> None:
        self._api.close()

    def ask(self, question: Callable[[Operated], Awaitable[T]]) -> T:
        async def asked() -> T:
            async with connect(Operated, URL, transport=self._transport) as client:
                return await question(client)

        return asyncio.run(asked())

    def manage(self, question: Callable[[Manager], Awaitable[T]]) -> T:
        return self.ask(lambda client: question(manage(client)))

    def pass_s(self, seconds: float) -> None:
        """Let time pass, at whose end delayed messages have come."""
        self.clock.by_s += seconds


@pytest.fixture
def operator() -> Iterator[Operator]:
    operated.DONE.clear()
    operated.BROKEN.clear()
    clock = Ahead()
    clock.by_s = 60 - clock.now_s() % 60  # a whole minute is left before the schedule's next time
    with deployed(Operated, clock=clock) as cloud, closing(Operator(cloud, clock)) as made:
        yield made


def test_an_event_that_no_handler_can_take_is_a_dead_letter_until_it_is_redriven(operator: Operator) -> None:
    operated.BROKEN.update({"o-1", "o-2"})
    operator.ask(lambda client: client.pay("o-1"))
    operator.ask(lambda client: client.pay("o-2"))
    operator.cloud.run(lambda: len(operator.manage(lambda m: m.dead_letters())) == 2)
    letters = operator.manage(lambda m: m.dead_letters(subscription="tell"))
    first, second = sorted(letters, key=lambda letter: letter.message)
    assert (first.error, first.message, first.attempts) == (
        "builtins:ConnectionError",
        "nobody listens to o-1",
        2,
    )
    assert 'raise ConnectionError(f"nobody listens to {event.order}")' in first.traceback
    operated.BROKEN.clear()
    assert operator.manage(lambda m: m.redrive("tell", event_id=second.event_id)) == 1
    assert [letter.event_id for letter in operator.manage(lambda m: m.dead_letters())] == [first.event_id]
    assert operator.manage(lambda m: m.redrive("tell")) == 1
    operator.cloud.run(lambda: {"tell o-1", "tell o-2"} <= set(operated.DONE))
    assert operator.manage(lambda m: m.dead_letters()) == []
    # The other subscription has had both events already.
    assert Counter(operated.DONE) == Counter(["count o-1", "count o-2", "tell o-1", "tell o-2"])


def test_dead_letters_are_told_page_by_page_and_alone_and_discarded(operator: Operator) -> None:
    operated.BROKEN.update({"o-1", "o-2", "o-3"})
    operator.ask(lambda client: client.pay("o-1"))
    operator.ask(lambda client: client.pay("o-2"))
    operator.ask(lambda client: client.pay("o-3"))
    operator.cloud.run(lambda: len(operator.manage(lambda m: m.dead_letters())) == 3)
    page = operator.manage(lambda m: m.list_dead_letters(subscription="tell", limit=2))
    rest = operator.manage(lambda m: m.list_dead_letters(limit=2, after=page.after))
    letters = [*page.letters, *rest.letters]
    assert sorted(letter.payload["order"] for letter in letters) == ["o-1", "o-2", "o-3"]
    assert rest.after is None
    first, *others = letters
    assert operator.manage(lambda m: m.dead_letter("tell", first.event_id)) == first
    assert "ConnectionError" in first.traceback
    done = operator.manage(lambda m: m.discard("tell", first.event_id, "typo"))
    assert done == Discarded(1, ["typo"])
    assert operator.manage(lambda m: m.discard("tell", first.event_id)) == Discarded(0, [])
    operated.BROKEN.clear()
    assert operator.manage(lambda m: m.redrive("tell")) == 2
    orders = {f"tell {letter.payload['order']}" for letter in others}
    operator.cloud.run(lambda: orders <= set(operated.DONE))
    assert f"tell {first.payload['order']}" not in operated.DONE
    assert operator.manage(lambda m: m.dead_letters()) == []


def test_a_schedule_begins_with_the_deployment_and_runs_by_its_times_and_by_hand(operator: Operator) -> None:
    cloud = operator.cloud
    for _ in range(2):  # each process of the sweeper does it, and nothing comes of the second time
        cloud.call(SweeperFunction, {})
        cloud.replace(SweeperFunction)
    cloud.run(lambda: operator.manage(Manager.schedules)[0].next_at_s is not None)
    (schedule,) = operator.manage(Manager.schedules)
    assert (schedule.workflow, schedule.cron, schedule.last_at_s) == ("close_books", "* * * * *", None)
    assert schedule.next_at_s is not None
    operator.pass_s(schedule.next_at_s - operator.clock.now_s() + 1)
    cloud.call(TimersFunction, _message(Wake(scheduler_id("close_books"), schedule.next_at_s)))
    at = datetime.fromtimestamp(schedule.next_at_s, UTC)
    cloud.run(lambda: f"charge books of {at:%H:%M}" in operated.DONE)
    assert operator.manage(Manager.schedules)[0].last_at_s == schedule.next_at_s

    operator.manage(lambda m: m.pause_schedule("close_books", "holidays"))
    cloud.run(lambda: operator.manage(Manager.schedules)[0].paused == "holidays")
    operated.DONE.clear()
    run = operator.manage(lambda m: m.trigger_schedule("close_books"))
    cloud.run(lambda: bool(operated.DONE))
    cloud.run(lambda: run in _ended(operator))
    assert _ended(operator) == [run, f"close_books@{at:%Y-%m-%dT%H:%M:%SZ}"]


def test_a_schedule_can_be_run_before_anything_else_has_begun_it(operator: Operator) -> None:
    run = operator.manage(lambda m: m.trigger_schedule("close_books"))
    operator.cloud.run(lambda: run in _ended(operator))


def test_a_fork_begins_again_what_had_no_answer_though_it_waits_for_a_time_as_well(
    operator: Operator,
) -> None:
    cloud = operator.cloud
    operator.ask(lambda client: client.deliver.options(id="o-1").start("o-1"))
    cloud.run(lambda: "ship o-1" in operated.DONE)
    operated.DONE.clear()
    operator.manage(lambda m: m.fork("o-1", 2, "o-1-again"))
    cloud.run(lambda: operated.DONE == ["ship o-1"])
    operator.pass_s(3_700)
    cloud.call(SweeperFunction, {})
    cloud.run(lambda: {"o-1", "o-1-again"} <= set(_ended(operator)))
    assert operator.ask(lambda client: client.deliver.get("o-1-again").result()) == "o-1"
    assert operated.DONE.count("ship o-1") == 1


def _message(wake: Wake) -> dict[str, Any]:
    """Return the event by which a timer's message comes."""
    record = {
        "messageId": "1",
        "body": wake.encode(),
        "eventSourceARN": "arn:aws:sqs:r:a:timers",
        "attributes": {"ApproximateReceiveCount": "1"},
    }
    return {"Records": [record]}


def _ended(operator: Operator) -> list[str]:
    return [one.id for one in operator.manage(lambda m: m.list_executions(status="succeeded")).executions]
