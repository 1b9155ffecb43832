"""The contract of `Tasks`, for every store."""

from __future__ import annotations

import pytest

from service_kit.engine.arrivals import Arrival
from service_kit.engine.options import TaskOptions
from service_kit.engine.retry import Retry
from service_kit.runtime.ports import Stores
from service_kit.runtime.records import CancelTask, Claim, Heartbeat
from tests.stores.examples import (
    NOW_S,
    OWNER,
    answer,
    arrivals,
    claimed,
    ending,
    key,
    schedule,
    started,
    turn,
)

pytestmark = pytest.mark.anyio

LATER_S = NOW_S + 31
ANSWER: Arrival = answer().arrival


async def test_a_scheduled_task_is_claimed_with_all_that_its_worker_needs(stores: Stores) -> None:
    options = TaskOptions(retry=Retry(max_attempts=None, non_retryable=("Refused",)), timeout_s=3)
    await started(stores, "x", schedule(options=options))
    task = await claimed(stores)
    assert (task.key, task.name, task.input, task.options) == (key(), "charge", "input 1", options)
    assert (task.attempt, task.lost, task.details, task.scheduled_at_s) == (1, False, None, NOW_S)
    assert (task.claim.owner, task.claim.until_s) == ("me", NOW_S + 30)


async def test_a_claimed_task_is_nobody_elses(stores: Stores) -> None:
    await started(stores, "x", schedule())
    await claimed(stores)
    assert await stores.tasks.claim(["charge"], Claim("other", LATER_S), NOW_S, 10) == []


async def test_tasks_are_claimed_by_name_the_oldest_first(stores: Stores) -> None:
    effects = [schedule(n, name="ab"[n % 2], at_s=NOW_S - n) for n in range(5)]
    await started(stores, "x", *effects, schedule(9, name="c", at_s=NOW_S - 9))
    found = await stores.tasks.claim(["a", "b"], OWNER, NOW_S, 3)
    assert [task.key.seq for task in found] == [4, 3, 2]
    assert [t.key.seq for t in await stores.tasks.claim(["a", "b"], OWNER, NOW_S, 9)] == [1, 0]
    assert await stores.tasks.claim([], OWNER, NOW_S, 9) == []


async def test_a_task_that_its_scheduler_has_claimed_is_nobody_elses(stores: Stores) -> None:
    await started(stores, "x", schedule(claim=OWNER))
    assert await stores.tasks.claim(["charge"], Claim("other", LATER_S), NOW_S, 10) == []
    assert await stores.tasks.next_available_s(["charge"]) == OWNER.until_s
    assert await stores.tasks.settle(key(), OWNER, ANSWER) is True


async def test_a_claim_that_ran_out_was_an_attempt(stores: Stores) -> None:
    await started(stores, "x", schedule())
    first = await claimed(stores)
    second = await claimed(stores, LATER_S, "other")
    assert (second.attempt, second.lost) == (2, True)
    assert second.claim.epoch > first.claim.epoch


async def test_who_has_lost_his_claim_can_do_nothing(stores: Stores) -> None:
    await started(stores, "x", schedule())
    old = (await claimed(stores)).claim
    mine = (await claimed(stores, LATER_S)).claim  # the same owner, another epoch
    assert await stores.tasks.heartbeat([Heartbeat(key(), old, LATER_S + 30, "1")]) == [None]
    assert await stores.tasks.retry(key(), old, LATER_S) is False
    assert await stores.tasks.detach(key(), old, None) is False
    assert await stores.tasks.settle(key(), old, ANSWER) is False
    assert await arrivals(stores) == []
    assert await stores.tasks.settle(key(), mine, ANSWER) is True
    assert await arrivals(stores) == [ANSWER]


async def test_a_heartbeat_extends_the_claim_and_leaves_details_for_the_next_attempt(stores: Stores) -> None:
    await started(stores, "x", schedule(1), schedule(2))
    both = await stores.tasks.claim(["charge"], OWNER, NOW_S, 10)
    beats = [Heartbeat(task.key, task.claim, NOW_S + 60, f'"at {task.key.seq}"') for task in both]
    assert await stores.tasks.heartbeat(beats) == [False, False]
    assert await stores.tasks.heartbeat([Heartbeat(both[0].key, both[0].claim, NOW_S + 60)]) == [False]
    assert await stores.tasks.claim(["charge"], OWNER, LATER_S, 10) == []
    again = await stores.tasks.claim(["charge"], OWNER, NOW_S + 60, 10)
    assert {task.key.seq: task.details for task in again} == {1: '"at 1"', 2: '"at 2"'}


async def test_a_retried_task_is_available_at_its_time_with_its_details(stores: Stores) -> None:
    await started(stores, "x", schedule())
    task = await claimed(stores)
    assert await stores.tasks.retry(key(), task.claim, NOW_S + 5, '"half"') is True
    assert await stores.tasks.next_available_s(["charge"]) == NOW_S + 5
    assert await stores.tasks.claim(["charge"], OWNER, NOW_S + 4, 10) == []
    again = await claimed(stores, NOW_S + 5)
    assert (again.attempt, again.lost, again.details) == (2, False, '"half"')


async def test_a_task_is_settled_once(stores: Stores) -> None:
    await started(stores, "x", schedule())
    task = await claimed(stores)
    assert await stores.tasks.settle(key(), task.claim, ANSWER) is True
    assert await stores.tasks.settle(key(), task.claim, answer(1, "2").arrival) is False
    assert await stores.tasks.settle(key(), None, answer(1, "3").arrival) is False
    assert await arrivals(stores) == [ANSWER]
    assert await stores.tasks.next_available_s(["charge"]) is None


async def test_a_task_that_nobody_waits_for_is_settled_without_an_answer(stores: Stores) -> None:
    await started(stores, "x", schedule())
    assert await stores.tasks.settle(key(), (await claimed(stores)).claim, None) is True
    assert await arrivals(stores) == []


async def test_an_answer_after_the_end_of_the_execution_is_dropped(stores: Stores) -> None:
    await started(stores, "x", schedule())
    task = await claimed(stores)
    await stores.executions.commit(ending(1))
    assert await stores.tasks.settle(key(), task.claim, ANSWER) is True
    assert await arrivals(stores) == []


async def test_a_detached_task_waits_for_somebody_outside(stores: Stores) -> None:
    await started(stores, "x", schedule())
    task = await claimed(stores)
    assert await stores.tasks.detach(key(), task.claim, None, '"sent"') is True
    assert await stores.tasks.claim(["charge"], OWNER, NOW_S + 1e9, 10) == []
    assert await stores.tasks.retry(key(), task.claim, NOW_S) is False
    assert await stores.tasks.heartbeat([Heartbeat(key(), None, NOW_S + 50)]) == [False]
    assert await stores.tasks.settle(key(), None, ANSWER) is True
    assert await arrivals(stores) == [ANSWER]


async def test_a_detached_task_that_nobody_completes_in_time_was_lost(stores: Stores) -> None:
    await started(stores, "x", schedule())
    task = await claimed(stores)
    await stores.tasks.detach(key(), task.claim, NOW_S + 40, '"sent"')
    assert await stores.tasks.next_available_s(["charge"]) == NOW_S + 40
    again = await claimed(stores, NOW_S + 40)
    assert (again.attempt, again.lost, again.details) == (2, True, '"sent"')


async def test_a_heartbeat_from_outside_extends_detached_tasks_only(stores: Stores) -> None:
    await started(stores, "x", schedule())
    beat = Heartbeat(key(), None, NOW_S + 1e6)
    assert await stores.tasks.heartbeat([beat]) == [None]
    await claimed(stores)
    assert await stores.tasks.heartbeat([beat, Heartbeat(key(7), None, NOW_S)]) == [False, None]
    assert await stores.tasks.next_available_s(["charge"]) == NOW_S + 30
    await stores.executions.commit(turn(1, CancelTask(key())))
    assert await stores.tasks.heartbeat([beat]) == [True]


async def test_a_cancelled_task_that_nobody_runs_is_gone(stores: Stores) -> None:
    await started(stores, "x", schedule(1), schedule(2))
    (first, _) = await stores.tasks.claim(["charge"], OWNER, NOW_S, 10)
    await stores.tasks.retry(first.key, first.claim, NOW_S + 5)
    await stores.tasks.detach(key(2), OWNER_2, None)
    await stores.executions.commit(turn(1, CancelTask(key(1)), CancelTask(key(2)), CancelTask(key(9))))
    assert await stores.tasks.next_available_s(["charge"]) is None
    assert await stores.tasks.settle(key(2), None, ANSWER) is False


OWNER_2 = Claim("me", OWNER.until_s, 1)


async def test_a_cancelled_task_that_is_running_hears_of_it_at_its_heartbeat(stores: Stores) -> None:
    await started(stores, "x", schedule())
    task = await claimed(stores)
    await stores.executions.commit(turn(1, CancelTask(key())))
    assert await stores.tasks.heartbeat([Heartbeat(key(), task.claim, NOW_S + 30)]) == [True]


@pytest.mark.parametrize("end", ["retry", "detach", "lost"])
async def test_a_cancelled_task_has_no_other_attempt(stores: Stores, end: str) -> None:
    await started(stores, "x", schedule())
    task = await claimed(stores)
    await stores.executions.commit(turn(1, CancelTask(key())))
    if end == "retry":
        assert await stores.tasks.retry(key(), task.claim, NOW_S) is True
    elif end == "detach":
        assert await stores.tasks.detach(key(), task.claim, NOW_S) is True
    assert await stores.tasks.claim(["charge"], OWNER, LATER_S, 10) == []
    assert await stores.tasks.next_available_s(["charge"]) is None


async def test_a_task_is_scheduled_once(stores: Stores) -> None:
    await started(stores, "x", schedule())
    await claimed(stores)
    await stores.executions.commit(turn(1, schedule()))
    assert await stores.tasks.claim(["charge"], OWNER, NOW_S, 10) == []


async def test_the_next_available_task_is_told(stores: Stores) -> None:
    assert await stores.tasks.next_available_s(["charge"]) is None
    assert await stores.tasks.next_available_s([]) is None
    await started(stores, "x", schedule(1, at_s=NOW_S + 2), schedule(2, name="ship", at_s=NOW_S + 1))
    assert await stores.tasks.next_available_s(["charge"]) == NOW_S + 2
    assert await stores.tasks.next_available_s(["charge", "ship", "other"]) == NOW_S + 1
