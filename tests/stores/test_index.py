"""The contracts of `ExecutionIndex` and `Retention`, for every store."""

from __future__ import annotations

import pytest

from service_kit.engine.arrivals import CancelRequested, ExecutionStarted, TerminateRequested
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.ports import Conflict, Stores
from service_kit.runtime.records import DueExecution, ExecutionQuery, Known
from tests.stores.examples import NOW_S, OWNER, ending, new, publish, schedule, signal, started, turn

pytestmark = pytest.mark.anyio


async def _listed(stores: Stores, query: ExecutionQuery) -> list[str]:
    return [record.id for record in (await stores.index.list(query)).executions]


async def _due(stores: Stores, now_s: float = NOW_S, limit: int = 10) -> list[str]:
    return [found.id for found in await stores.index.due(now_s, limit)]


async def test_executions_are_listed_newest_first(stores: Stores) -> None:
    for number, name in enumerate("abc"):
        await stores.executions.create(new(name, created_at_s=NOW_S + number))
    assert await _listed(stores, ExecutionQuery()) == ["c", "b", "a"]


async def test_lists_are_filtered(stores: Stores) -> None:
    await started(stores, "a", workflow="order", attributes={"customer": "1", "size": "s"})
    await started(stores, "b", workflow="order", attributes={"customer": "2", "size": "s"})
    await started(stores, "c", workflow="refund", attributes={"customer": "1"})
    await stores.executions.commit(ending(1, id="a"))
    assert set(await _listed(stores, ExecutionQuery(workflow="order"))) == {"a", "b"}
    assert await _listed(stores, ExecutionQuery(status="succeeded")) == ["a"]
    assert await _listed(stores, ExecutionQuery(workflow="order", status="running")) == ["b"]
    assert set(await _listed(stores, ExecutionQuery(attributes={"customer": "1"}))) == {"a", "c"}
    assert await _listed(stores, ExecutionQuery(attributes={"customer": "1", "size": "s"})) == ["a"]
    assert await _listed(stores, ExecutionQuery(workflow="nothing")) == []


async def test_what_a_turn_says_of_an_execution_it_is_found_by(stores: Stores) -> None:
    await started(stores, "a", attributes={"customer": "1", "size": "s"})
    await started(stores, "b", attributes={"customer": "1"})
    first = turn(1, id="a", attributes={"size": "l", "customer": None, "ticket no.": "7 = 7", "gone": None})
    await stores.executions.commit(first)
    await stores.executions.commit(turn(2, id="a", attributes={"ticket no.": ""}))
    await stores.executions.commit(turn(3, id="a"))
    assert await _listed(stores, ExecutionQuery(attributes={"size": "l", "ticket no.": ""})) == ["a"]
    assert await _listed(stores, ExecutionQuery(attributes={"size": "s"})) == []
    assert await _listed(stores, ExecutionQuery(attributes={"ticket no.": "7 = 7"})) == []
    assert await _listed(stores, ExecutionQuery(attributes={"customer": "1"})) == ["b"]
    record = await stores.executions.read("a")
    assert record is not None
    assert record.attributes == {"size": "l", "ticket no.": ""}


async def test_the_turns_that_begin_go_on_and_end_an_execution_may_change_what_it_is_found_by(
    stores: Stores,
) -> None:
    begun = new("a", attributes={"step": "0"})
    assert await stores.executions.create(begun, turn(0, id="a", attributes={"step": "1"})) is None
    assert await _listed(stores, ExecutionQuery(attributes={"step": "1"})) == ["a"]
    again = ExecutionStarted("a", "order", "2", "seed", run=1)
    await stores.executions.commit(turn(1, id="a", attributes={"step": "2"}, successor=again))
    assert await _listed(stores, ExecutionQuery(attributes={"step": "2"})) == ["a"]
    await stores.executions.commit(ending(0, id="a", run=1, used=["started"], attributes={"step": "3"}))
    assert await _listed(stores, ExecutionQuery(attributes={"step": "3"}, status="succeeded")) == ["a"]
    assert await _listed(stores, ExecutionQuery(attributes={"step": "1"})) == []


async def test_a_turn_that_is_refused_changes_nothing_that_it_is_found_by(stores: Stores) -> None:
    await started(stores, "a", attributes={"size": "s"})
    with pytest.raises(Conflict):
        await stores.executions.commit(turn(5, id="a", attributes={"size": "l"}))
    assert await _listed(stores, ExecutionQuery(attributes={"size": "s"})) == ["a"]


async def test_pages_together_hold_everything_once(stores: Stores) -> None:
    for number in range(7):
        # Equal times: the id decides.
        await stores.executions.create(new(f"x{number}", created_at_s=NOW_S + number // 3 + 1e-7))
    pages, cursor = list[list[str]](), None
    while True:
        page = await stores.index.list(ExecutionQuery(limit=3, after=cursor))
        pages.append([record.id for record in page.executions])
        cursor = page.after
        if cursor is None:
            break
    assert pages == [["x6", "x5", "x4"], ["x3", "x2", "x1"], ["x0"]]


async def test_a_page_that_is_just_full_has_no_next_one(stores: Stores) -> None:
    await stores.executions.create(new())
    assert (await stores.index.list(ExecutionQuery(limit=1))).after is None


async def test_what_has_just_been_created_is_due(stores: Stores) -> None:
    await stores.executions.create(new())
    assert await stores.index.due(NOW_S, 10) == [DueExecution("x", Known(0, 0))]


async def test_a_delayed_start_is_not_due_before_its_time_whatever_arrives(stores: Stores) -> None:
    await stores.executions.create(new(begin_at_s=NOW_S + 60))
    await stores.executions.deliver("x", signal())
    assert await _due(stores, NOW_S + 59) == []
    assert await _due(stores, NOW_S + 60) == ["x"]
    assert await stores.index.next_wake_s() == NOW_S + 60


@pytest.mark.parametrize("end", [CancelRequested("enough"), TerminateRequested("enough")])
async def test_a_delayed_start_is_due_when_it_is_to_end_before_it_begins(
    stores: Stores, end: CancelRequested | TerminateRequested
) -> None:
    await stores.executions.create(new(begin_at_s=NOW_S + 60))
    await stores.executions.create(new("other", begin_at_s=NOW_S + 60))
    await stores.executions.deliver("other", signal())
    await stores.executions.deliver("x", stored(end))
    assert await _due(stores) == ["x"]


async def test_a_turn_decides_when_the_next_one_is_due(stores: Stores) -> None:
    await started(stores)
    assert await _due(stores) == []
    assert await stores.index.next_wake_s() is None
    await stores.executions.commit(turn(1, wake_at_s=NOW_S + 5))
    assert await _due(stores, NOW_S + 4) == []
    assert await _due(stores, NOW_S + 5) == ["x"]
    assert await stores.index.next_wake_s() == NOW_S + 5


async def test_an_arrival_makes_an_execution_due_until_it_is_used(stores: Stores) -> None:
    await started(stores)
    await stores.executions.deliver("x", signal())
    assert await stores.index.due(NOW_S, 10) == [DueExecution("x", Known(0, 1))]
    await stores.executions.commit(turn(1, used=[signal().key]))
    assert await _due(stores) == []


async def test_the_next_run_is_due_at_once(stores: Stores) -> None:
    await started(stores)
    await stores.executions.commit(turn(1, successor=ExecutionStarted("x", "order", "2", "seed", run=1)))
    assert await stores.index.due(NOW_S, 10) == [DueExecution("x", Known(1, 0))]


async def test_paused_and_ended_executions_are_not_due(stores: Stores) -> None:
    for name in ("paused", "ended"):
        await started(stores, name)
        await stores.executions.commit(turn(1, id=name, wake_at_s=NOW_S))
        await stores.executions.deliver(name, signal())
    await stores.executions.pause("paused", "why")
    await stores.executions.commit(ending(2, id="ended"))
    assert await _due(stores) == []
    assert await stores.index.next_wake_s() is None
    await stores.executions.pause("paused", None)
    assert await _due(stores) == ["paused"]


async def test_what_waits_for_paused_executions_hides_nobody_else(stores: Stores) -> None:
    for number in range(8):  # some in each partition, if there are any
        await started(stores, f"paused-{number}")
        await stores.executions.deliver(f"paused-{number}", signal())
        await stores.executions.pause(f"paused-{number}", "a deployment that does not fit")
    await started(stores, "other")
    await stores.executions.deliver("other", signal())
    assert await _due(stores, limit=1) == ["other"]
    await stores.executions.pause("paused-0", None)
    assert set(await _due(stores)) == {"other", "paused-0"}


async def test_the_longest_due_come_first_and_no_more_than_asked_for(stores: Stores) -> None:
    for number in (3, 1, 2):
        await stores.executions.create(new(f"x{number}", begin_at_s=NOW_S + number))
    assert await _due(stores, NOW_S + 9, limit=2) == ["x1", "x2"]


async def test_outcomes_of_those_that_have_ended_are_told(stores: Stores) -> None:
    for name in ("a", "b"):
        await started(stores, name)
    await stores.executions.commit(ending(1, id="a"))
    assert await stores.index.ended(["a", "b", "nobody"]) == {"a": "the end"}
    assert await stores.index.ended([]) == {}


async def test_executions_are_forgotten_some_time_after_their_end(stores: Stores) -> None:
    for name in ("old", "new", "running"):
        await started(stores, name, attributes={"customer": "1"})
    await stores.executions.commit(ending(1, schedule(id="old", claim=OWNER), id="old", at_s=NOW_S))
    await stores.executions.commit(ending(1, id="new", at_s=NOW_S + 10))
    assert await stores.retention.forget(NOW_S + 5, 0.0, 10) == 1
    assert await stores.executions.load("old") is None
    assert set(await _listed(stores, ExecutionQuery(attributes={"customer": "1"}))) == {"new", "running"}
    assert await stores.retention.forget(NOW_S + 5, 0.0, 10) == 0


async def test_what_was_forgotten_is_not_found_by_what_it_said(stores: Stores) -> None:
    await started(stores, "a", attributes={"size": "s"})
    await stores.executions.commit(ending(1, id="a", at_s=NOW_S, attributes={"size": "l", "tier": "1"}))
    await stores.retention.forget(NOW_S + 1, NOW_S, 10)
    assert await stores.executions.create(new("a", attributes={"size": "m"})) is None
    for old in ({"size": "s"}, {"size": "l"}, {"tier": "1"}):
        assert await _listed(stores, ExecutionQuery(attributes=old)) == []
    assert await _listed(stores, ExecutionQuery(attributes={"size": "m"})) == ["a"]


async def test_executions_are_kept_for_ever_if_nothing_is_said(stores: Stores) -> None:
    await started(stores)
    await stores.executions.commit(ending(1))
    assert await stores.retention.forget(None, NOW_S + 1e9, 10) == 0
    assert await stores.executions.read("x") is not None


async def test_finished_deliveries_and_used_signals_are_forgotten_in_time(stores: Stores) -> None:
    await started(stores)
    await stores.executions.deliver("x", signal())
    await stores.executions.commit(turn(1, publish(), used=[signal().key]))
    (delivery,) = await stores.deliveries.claim(["count"], OWNER, NOW_S, 10)
    await stores.deliveries.done("e-1", "count", delivery.claim)
    await stores.retention.forget(None, NOW_S, 10)
    await stores.deliveries.publish([publish()])
    assert await stores.schedule.next_delivery_s(["count"]) is None
    await stores.retention.forget(None, NOW_S + 100, 10)
    await stores.deliveries.publish([publish()])
    assert await stores.schedule.next_delivery_s(["count"]) == NOW_S
    await stores.executions.deliver("x", signal())
    assert await _due(stores) == ["x"]


async def test_forgetting_goes_in_steps(stores: Stores) -> None:
    for number in range(5):
        await started(stores, f"x{number}")
        await stores.executions.commit(ending(1, id=f"x{number}"))
    counts = [await stores.retention.forget(NOW_S + 1, 0.0, 2) for _ in range(4)]
    assert counts == [2, 2, 1, 0]
