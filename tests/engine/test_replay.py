"""A replay notices calls that changed, moved, went missing or came on top, and says where."""

from __future__ import annotations

import asyncio
import json

import pytest

from service_kit.engine.arrivals import ExecutionStarted, SignalReceived, TaskSucceeded, TimerFired
from service_kit.engine.calls import TaskScheduled
from service_kit.engine.context import current_workflow, require_workflow
from service_kit.engine.failure import Failure
from service_kit.engine.history import ExecutionRaised, HistoryEvent, TurnStarted
from service_kit.engine.instance import replay
from service_kit.errors import HistoryUnreadable, NonDeterminismError
from tests.engine.driving import Execution, code_of, history_of, recorded, replay_error, task


def test_same_code_replays_to_where_it_was() -> None:
    history = history_of(recorded, ("reserve", None))
    instance = replay(code_of(recorded), history)
    assert instance.ending is None
    history = history_of(recorded, ("reserve", None), ("charge", None))
    assert replay(code_of(recorded), history).ending == history[-1]


def test_changed_call_shows_both_sides_and_its_line() -> None:
    async def changed() -> None:
        await task("reserve", "sku-1")
        workflow = require_workflow("the test")
        await workflow.schedule_task("ship", "5")  # here

    error = replay_error(changed, history_of(recorded, ("reserve", None)))
    assert "'charge'" in error.recorded
    assert "'ship'" in error.made
    assert "#2" in error.recorded
    assert "#2" in error.made
    here = changed.__code__.co_firstlineno + 3
    assert f"test_replay.py:{here} in test_changed_call" in error.where
    text = str(error)
    assert "history: " in text
    assert "code: " in text
    assert "patched(" in text


def test_changed_arguments_are_a_changed_call() -> None:
    async def changed() -> None:
        await task("reserve", "sku-2")

    error = replay_error(changed, history_of(recorded))
    assert error.recorded.startswith("TaskScheduled #1 'reserve' (arguments ")
    assert error.made.startswith("TaskScheduled #1 'reserve' (arguments ")
    assert error.made != error.recorded


def test_changed_kind_of_call_is_noticed() -> None:
    async def changed() -> None:
        await asyncio.sleep(5)

    error = replay_error(changed, history_of(recorded))
    assert "TimerStarted" in error.made


def test_changed_duration_is_noticed() -> None:
    async def short() -> None:
        await asyncio.sleep(5)

    async def long() -> None:
        await asyncio.sleep(6)

    assert "TimerStarted #1" in replay_error(long, history_of(short)).made


def test_reordered_calls_are_noticed() -> None:
    async def one_way() -> None:
        await asyncio.gather(task("a"), task("b"))

    async def other_way() -> None:
        await asyncio.gather(task("b"), task("a"))

    error = replay_error(other_way, history_of(one_way))
    assert "'a'" in error.recorded
    assert "'b'" in error.made


def test_missing_call_is_noticed_where_the_code_waits() -> None:
    async def forgets() -> None:
        await task("reserve", "sku-1")
        await asyncio.Event().wait()

    error = replay_error(forgets, history_of(recorded, ("reserve", None)))
    assert "'charge'" in error.recorded
    assert error.made == "nothing: it waits"
    assert f"test_replay.py:{forgets.__code__.co_firstlineno + 2}" in error.where


def test_missing_call_is_noticed_although_the_workflow_ends() -> None:
    async def forgets() -> str:
        await task("reserve", "sku-1")
        return "done"

    error = replay_error(forgets, history_of(recorded, ("reserve", None)))
    assert "'charge'" in error.recorded
    assert "ExecutionSucceeded" in error.made
    assert error.where == "forgets at its definition"


def test_missing_call_at_the_very_end_of_a_history_is_noticed() -> None:
    async def side() -> None:
        await asyncio.gather(task("a"), task("b"))

    async def forgets() -> None:
        await asyncio.gather(task("a"))

    assert "'b'" in replay_error(forgets, history_of(side)).recorded


def test_surplus_call_is_noticed_even_in_the_last_turn() -> None:
    async def more() -> None:
        await asyncio.gather(task("reserve", "sku-1"), task("extra"))

    error = replay_error(more, history_of(recorded))
    assert error.recorded == "no call here"
    assert "'extra'" in error.made


def test_workflow_cannot_swallow_the_mismatch() -> None:
    async def swallows() -> str:
        try:
            await task("other")
        except BaseException:  # noqa: BLE001 - that is the point
            return "swallowed"
        return "fine"

    assert "'other'" in replay_error(swallows, history_of(recorded)).made


def test_calls_after_the_mismatch_do_not_hide_the_first_one() -> None:
    async def twice() -> None:
        workflow = require_workflow("the test")
        workflow.schedule_task("first", "1")
        workflow.schedule_task("second", "2")
        await asyncio.sleep(1)

    assert "'first'" in replay_error(twice, history_of(recorded)).made


def test_first_of_two_errors_is_the_one_that_is_raised() -> None:
    async def twice() -> None:
        require_workflow("the test").schedule_task("first", "1")
        await asyncio.to_thread(print)

    assert "'first'" in replay_error(twice, history_of(recorded)).made


@pytest.mark.parametrize("number", [-1, 9])
def test_call_whose_number_was_tampered_with_is_noticed(number: int) -> None:
    history = history_of(recorded)
    history[-1] = TaskScheduled(
        number, *(getattr(history[-1], name) for name in ("name", "args_hash", "input"))
    )
    assert f"#{number}" in replay_error(recorded, history).recorded


def test_other_result_is_noticed() -> None:
    async def before() -> str:
        return "a"

    async def after() -> str:
        return "b"

    error = replay_error(after, history_of(before))
    assert "ExecutionSucceeded" in error.recorded
    assert "ExecutionSucceeded" in error.made
    assert error.made != error.recorded


def test_other_error_is_noticed_and_another_message_is_not() -> None:
    async def raises() -> None:
        raise ValueError("0x7f")

    async def same() -> None:
        raise ValueError("0x8f")

    async def other() -> None:
        raise KeyError("0x7f")

    history = history_of(raises)
    assert isinstance(replay(code_of(same), history).ending, ExecutionRaised)
    assert "ExecutionRaised" in replay_error(other, history).made


def test_code_that_goes_on_where_the_history_ends_is_noticed() -> None:
    async def before() -> None:
        await task("a")

    async def after() -> None:
        await task("a")
        await asyncio.Event().wait()

    error = replay_error(after, history_of(before, ("a", None)))
    assert "ExecutionSucceeded" in error.recorded


def test_code_that_ends_where_the_history_goes_on_is_noticed() -> None:
    async def before() -> None:
        await asyncio.Event().wait()

    async def after() -> None:
        pass

    assert replay_error(after, history_of(before)).recorded == "it goes on"


def test_arrival_that_the_code_does_not_wait_for_is_noticed() -> None:
    history = history_of(recorded)
    error = replay_error(recorded, [*history, TurnStarted(1.0), TaskSucceeded(9, "1")])
    assert "does not wait for" in str(error)
    assert error.recorded == "TaskSucceeded", "its value may be long, or secret"
    error = replay_error(recorded, [*history, TurnStarted(1.0), TimerFired(9)])
    assert error.recorded == "TimerFired(timer=9)"
    error = replay_error(recorded, [*history, *history])
    assert "ExecutionStarted" in error.recorded


def test_history_cut_inside_a_turn_is_unreadable() -> None:
    history = history_of(recorded, ("reserve", None))
    with pytest.raises(HistoryUnreadable, match=r"event 0 .* TaskScheduled #1 'reserve'"):
        replay(code_of(recorded), history[2:])


def test_history_cut_between_turns_goes_on_from_there() -> None:
    history = history_of(recorded, ("reserve", None), ("charge", None))
    cut = next(index for index, event in enumerate(history) if index and isinstance(event, TurnStarted))
    fork = Execution(recorded, cold=False)
    fork.instance = replay(fork.code, history[:cut])
    fork.history = history[:cut]
    fork.succeed("reserve")
    fork.succeed("charge")
    assert fork.result == "done"


def test_history_of_a_newer_engine_is_refused() -> None:
    history = history_of(recorded)
    with pytest.raises(HistoryUnreadable, match=r"\[999\].*upgrade"):
        replay(code_of(recorded), [TurnStarted(1.0, (1, 999)), *history[1:]])


def test_first_turn_records_the_engines_flags_and_later_ones_do_not() -> None:
    turns = [event for event in history_of(recorded, ("reserve", None)) if isinstance(event, TurnStarted)]
    assert [turn.flags for turn in turns] == [(1,), ()]


def test_executions_see_whether_they_are_replayed() -> None:
    seen: list[bool] = []

    async def looks() -> None:
        for name in ("a", "b"):
            workflow = current_workflow()
            assert workflow is not None
            seen.append(workflow.replaying)
            await task(name)

    run = Execution(looks, cold=False)
    run.start()
    run.replay()
    run.succeed("a")
    assert seen == [False, True, False]


# patched


def test_signals_of_a_history_are_matched_with_their_turns() -> None:
    async def listens() -> list[str]:
        workflow = require_workflow("the test")
        return [json.loads(await workflow.receive_signal("word")) for _ in range(2)]

    run = Execution(listens, cold=True)
    run.start()
    run.arrive(SignalReceived("1", "word", '"a"'), SignalReceived("2", "word", '"b"'))
    assert run.result == ["a", "b"]


def test_history_must_begin_with_the_start() -> None:
    error = replay_error(recorded, [TurnStarted(1.0), TaskSucceeded(1, "1")])
    assert "does not wait" in error.made
    with pytest.raises(NonDeterminismError, match="TaskRaised"):
        replay(code_of(recorded), [ExecutionStarted("x", "w", "null", "s"), *_raised_twice()])


def _raised_twice() -> list[HistoryEvent]:
    from service_kit.engine.arrivals import TaskRaised

    history = history_of(recorded)
    return [*history[2:], TaskRaised(7, Failure("a:B", "no"))]
