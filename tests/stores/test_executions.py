"""The contract of `Executions`, for every store: one suite, though long."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from service_kit.contract.options import ID_MOST
from service_kit.engine.arrivals import CancelRequested, ChildRaised, ExecutionStarted, SignalReceived
from service_kit.engine.failure import Failure
from service_kit.runtime.dispatcher import stored
from service_kit.runtime.ports import ClaimLost, Conflict, Stores
from service_kit.runtime.records import (
    Claim,
    CreateExecution,
    Deliver,
    FinishedTask,
    Known,
    ParentLink,
    TurnCommit,
    record_of,
)
from tests.stores.examples import (
    NOW_S,
    OWNER,
    answer,
    arrivals,
    claimed,
    ending,
    key,
    new,
    publish,
    schedule,
    signal,
    started,
    turn,
)

pytestmark = pytest.mark.anyio


async def test_a_new_execution_is_stored_with_its_start_waiting(stores: Stores) -> None:
    given = new(attributes={"customer": "c-1"}, parent=ParentLink("p", 2, 7, "abandon"))
    assert await stores.executions.create(given) is None
    found = await stores.executions.load("x")
    assert found is not None
    assert found.record == record_of(given)
    assert found.history == []
    assert [one.arrival for one in found.arrivals] == [given.started]


async def test_an_id_is_taken_once_and_who_has_it_is_told(stores: Stores) -> None:
    await stores.executions.create(new(input="1"))
    taken = await stores.executions.create(new(input="2"))
    assert taken == record_of(new(input="1"))
    assert await arrivals(stores) == [new(input="1").started]


async def test_of_two_who_start_one_id_at_the_same_time_one_has_it(stores: Stores) -> None:
    given = [new("x", input="1"), new("y", input="2"), new("x", input="3")]
    first = [turn(0, id=one.started.id, events=f"with {one.started.input}") for one in given]
    taken = await asyncio.gather(*map(stores.executions.create, given, first))
    (winner,) = (number for number in (0, 2) if taken[number] is None)
    assert taken[1] is None
    told = taken[2 - winner]
    assert told is not None
    assert told.input_digest == given[winner].input_digest
    for place, number in (("x", winner), ("y", 1)):
        found = await stores.executions.load(place)
        assert found is not None
        assert found.history == [first[number].events]


async def test_a_first_turn_is_committed_with_the_execution(stores: Stores) -> None:
    await stores.executions.create(new(), turn(0, schedule(), wake_at_s=NOW_S + 9))
    found = await stores.executions.load("x")
    assert found is not None
    assert (found.record.turn, found.record.wake_at_s) == (1, NOW_S + 9)
    assert (found.history, found.arrivals) == (["events of 0.0"], [])
    assert (await claimed(stores)).key == key()


async def test_a_first_turn_of_a_taken_id_does_nothing(stores: Stores) -> None:
    await started(stores)
    assert await stores.executions.create(new(), turn(0, schedule(), publish())) is not None
    assert await stores.tasks.next_available_s(["charge"]) is None
    assert await stores.schedule.next_delivery_s(["count"]) is None


async def test_an_unknown_execution_is_nothing(stores: Stores) -> None:
    executions = stores.executions
    assert await executions.load("x") is None
    assert await executions.read("x") is None
    assert await executions.state("x", "progress") is None
    assert await executions.deliver("x", signal()) is False
    assert await executions.pause("x", "why") is False
    with pytest.raises(Conflict):
        await executions.commit(turn())


async def test_what_is_meant_for_an_execution_of_another_workflow_is_not_kept(stores: Stores) -> None:
    await started(stores)
    assert await stores.executions.deliver("x", signal("s-1"), workflow="another") is False
    assert await arrivals(stores) == []
    assert await stores.executions.deliver("x", signal("s-2"), workflow=new().started.workflow) is True
    assert await arrivals(stores) == [signal("s-2").arrival]


async def test_turns_make_up_the_history_in_their_order(stores: Stores) -> None:
    await stores.executions.create(new())
    for number in range(12):
        await stores.executions.commit(turn(number))
    found = await stores.executions.load("x")
    assert found is not None
    assert found.history == [f"events of 0.{number}" for number in range(12)]


async def test_a_load_leaves_out_the_turns_that_are_known(stores: Stores) -> None:
    await stores.executions.create(new())
    for number in range(3):
        await stores.executions.commit(turn(number))
    found = await stores.executions.load("x", Known(0, 2))
    assert found is not None
    assert found.history == ["events of 0.2"]
    of_another_run = await stores.executions.load("x", Known(1, 2))
    assert of_another_run is not None
    assert len(of_another_run.history) == 3


@pytest.mark.parametrize("late", [turn(0), turn(2), turn(1, run=1)])
async def test_a_turn_out_of_turn_is_refused_and_does_nothing(stores: Stores, late: TurnCommit) -> None:
    await started(stores)
    await stores.executions.deliver("x", signal())
    wrong = replace(
        late,
        effects=[schedule(), publish(), Deliver("x", answer())],
        used=[signal().key],
        states={"progress": "1"},
    )
    with pytest.raises(Conflict):
        await stores.executions.commit(wrong)
    assert await arrivals(stores) == [signal().arrival]
    assert await stores.executions.state("x", "progress") is None
    assert await stores.tasks.next_available_s(["charge"]) is None
    assert await stores.schedule.next_delivery_s(["count"]) is None


async def test_of_two_who_commit_the_same_turn_one_wins(stores: Stores) -> None:
    await stores.executions.create(new())
    await stores.executions.commit(turn(0, events="mine"))
    with pytest.raises(Conflict):
        await stores.executions.commit(turn(0, events="theirs"))
    found = await stores.executions.load("x")
    assert found is not None
    assert found.history == ["mine"]


async def test_used_arrivals_are_gone_and_others_stay_in_their_order(stores: Stores) -> None:
    await started(stores)
    for name in ("a", "b", "c"):
        await stores.executions.deliver("x", signal(name))
    await stores.executions.commit(turn(1, used=[signal("b").key]))
    assert await arrivals(stores) == [signal("a").arrival, signal("c").arrival]


async def test_an_arrival_is_kept_once_and_the_first_one_counts(stores: Stores) -> None:
    await started(stores)
    assert await stores.executions.deliver("x", answer(1, "first"), 0)
    assert await stores.executions.deliver("x", answer(1, "second"), 0)
    assert await arrivals(stores) == [answer(1, "first").arrival]


async def test_a_signal_that_was_used_does_not_come_back(stores: Stores) -> None:
    await started(stores)
    await stores.executions.deliver("x", signal())
    await stores.executions.commit(turn(1, used=[signal().key]))
    assert await stores.executions.deliver("x", signal())
    assert await arrivals(stores) == []
    successor = ExecutionStarted("x", "order", "2", "seed", 30.0, run=1, deadline_s=1_000.5)
    await stores.executions.commit(turn(2, successor=successor))
    assert await stores.executions.deliver("x", signal())
    assert await arrivals(stores) == [successor]


async def test_an_answer_to_another_run_is_refused(stores: Stores) -> None:
    await started(stores)
    assert await stores.executions.deliver("x", answer(), 1) is False
    assert await arrivals(stores) == []


async def test_an_ended_execution_ignores_arrivals_and_takes_no_turn(stores: Stores) -> None:
    await started(stores)
    await stores.executions.deliver("x", signal())
    await stores.executions.commit(ending(1, at_s=NOW_S + 5))
    record = await stores.executions.read("x")
    assert record is not None
    assert (record.status, record.outcome, record.ended_at_s) == ("succeeded", "the end", NOW_S + 5)
    assert await stores.executions.deliver("x", signal("s-2")) is True
    assert await arrivals(stores) == []
    with pytest.raises(Conflict):
        await stores.executions.commit(turn(2))


async def test_a_paused_execution_takes_no_turn_and_keeps_what_arrives(stores: Stores) -> None:
    await started(stores)
    assert await stores.executions.pause("x", "its code is broken")
    with pytest.raises(Conflict):
        await stores.executions.commit(turn(1))
    assert await stores.executions.deliver("x", signal())
    record = await stores.executions.read("x")
    assert record is not None
    assert record.paused == "its code is broken"
    assert await stores.executions.pause("x", None)
    await stores.executions.commit(turn(1, used=[signal().key]))


async def test_an_execution_that_has_ended_is_neither_paused_nor_resumed(stores: Stores) -> None:
    await started(stores)
    await stores.executions.commit(ending(1))
    assert await stores.executions.pause("x", "too late") is False
    assert await stores.executions.pause("x", None) is False
    record = await stores.executions.read("x")
    assert record is not None
    assert record.paused is None


async def test_the_latest_state_is_shown(stores: Stores) -> None:
    await started(stores)
    await stores.executions.commit(turn(1, states={"progress": "1", "step": '"a"'}))
    await stores.executions.commit(turn(2, states={"progress": "2"}))
    assert await stores.executions.state("x", "progress") == "2"
    assert await stores.executions.state("x", "step") == '"a"'
    assert await stores.executions.state("x", "other") is None


async def test_the_next_run_begins_anew_with_what_was_left_to_it(stores: Stores) -> None:
    await started(stores)
    cancel = stored(CancelRequested("enough"))
    for late in (signal("used"), signal("left"), cancel):
        await stores.executions.deliver("x", late)
    await stores.executions.deliver("x", answer(5), 0)
    first = ExecutionStarted("x", "order", "2", "seed", run=1)
    await stores.executions.commit(turn(1, used=[signal("used").key], successor=first, at_s=NOW_S + 1))
    found = await stores.executions.load("x")
    assert found is not None
    assert (found.record.run, found.record.turn, found.record.status) == (1, 0, "running")
    assert found.history == []
    # The answer was one to the run that is over.
    assert [one.arrival for one in found.arrivals] == [first, signal("left").arrival, cancel.arrival]
    with pytest.raises(Conflict):
        await stores.executions.commit(turn(2))
    await stores.executions.commit(turn(0, run=1, used=["started"]))


async def test_a_child_is_created_with_the_turn(stores: Stores) -> None:
    await started(stores)
    link = ParentLink("x", 0, 3, "cancel")
    await stores.executions.commit(turn(1, CreateExecution(new("child", parent=link), signal("taken"))))
    child = await stores.executions.read("child")
    assert child is not None
    assert child.parent == link
    assert await arrivals(stores) == []


async def test_a_child_whose_id_is_taken_is_told_to_its_parent(stores: Stores) -> None:
    await started(stores)
    await started(stores, "child")
    taken = stored(ChildRaised(3, Failure("service_kit.errors:ExecutionExists", "taken")))
    link = ParentLink("x", 0, 3, "cancel")
    await stores.executions.commit(turn(1, CreateExecution(new("child", parent=link), taken)))
    assert await arrivals(stores) == [taken.arrival]
    child = await stores.executions.read("child")
    assert child is not None
    assert child.parent is None


async def test_what_a_turn_delivers_arrives_with_it(stores: Stores) -> None:
    await started(stores)
    await started(stores, "other")
    await stores.executions.commit(
        turn(1, Deliver("other", signal()), Deliver("other", answer(), 4), Deliver("nobody", signal()))
    )
    assert await arrivals(stores, "other") == [signal().arrival]


async def test_a_finished_task_is_gone_with_the_turn_that_uses_its_answer(stores: Stores) -> None:
    await started(stores, "x", schedule(claim=OWNER))
    await stores.executions.commit(turn(1, finished=[FinishedTask(key(), OWNER)]))
    assert await stores.tasks.next_available_s(["charge"]) is None


@pytest.mark.parametrize("wrong", [Claim("me", NOW_S, 2), Claim("other", NOW_S, 1)])
async def test_an_answer_found_under_a_lost_claim_does_not_count(stores: Stores, wrong: Claim) -> None:
    await started(stores, "x", schedule(1, claim=OWNER), schedule(2, claim=OWNER))
    with pytest.raises(ClaimLost) as lost:
        await stores.executions.commit(
            turn(1, publish(), finished=[FinishedTask(key(1), wrong), FinishedTask(key(2), OWNER)])
        )
    assert lost.value.keys == {key(1)}
    record = await stores.executions.read("x")
    assert record is not None
    assert record.turn == 1
    assert await stores.schedule.next_delivery_s(["count"]) is None
    await stores.executions.commit(turn(1, finished=[FinishedTask(key(2), OWNER)]))


async def test_text_of_all_kinds_comes_back_as_it_was(stores: Stores) -> None:
    odd = 'quotes " and \\ and \x00 and 日本語 and 🎉'
    await stores.executions.create(new(odd, input=odd, workflow=odd, attributes={odd: odd}))
    await stores.executions.commit(turn(0, id=odd, events=odd, used=["started"], states={odd: odd}))
    await stores.executions.deliver(odd, stored(SignalReceived(odd, odd, odd)))
    found = await stores.executions.load(odd)
    assert found is not None
    assert (found.record.workflow, found.record.attributes) == (odd, {odd: odd})
    assert found.history == [odd]
    assert found.arrivals[0].arrival == SignalReceived(odd, odd, odd)
    assert await stores.executions.state(odd, odd) == odd


async def test_the_longest_id_that_can_be_chosen_is_one_that_every_store_takes(stores: Stores) -> None:
    longest = "🎉" * ID_MOST
    assert await stores.executions.create(new(longest)) is None
    taken = await stores.executions.create(new(longest, input="2"))
    assert taken is not None
    assert taken.id == longest
