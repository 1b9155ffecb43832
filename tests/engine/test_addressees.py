"""A replay notices whom a call is for; how a child is run stays as it was when it was started."""

from __future__ import annotations

from service_kit.engine.arrivals import TaskSucceeded
from service_kit.engine.context import require_workflow
from service_kit.engine.instance import replay
from service_kit.engine.options import ChildOptions
from service_kit.engine.turn import take_turn
from tests.engine.driving import BEGIN_S, code_of, history_of, replay_error, task


def test_signal_to_another_execution_is_noticed() -> None:
    async def one() -> None:
        require_workflow("the test").send_signal("order-1", "word", '"hi"')
        await task("a")

    async def other() -> None:
        require_workflow("the test").send_signal("order-2", "word", '"hi"')
        await task("a")

    error = replay_error(other, history_of(one))
    assert error.recorded.startswith("SignalSent #1 'word' to 'order-1' (arguments ")
    assert error.made.startswith("SignalSent #1 'word' to 'order-2' (arguments ")


def test_child_with_another_id_is_noticed() -> None:
    async def one() -> None:
        require_workflow("the test").start_child("pack", "1", options=ChildOptions(id="p-1"))
        await task("a")

    async def derived() -> None:
        require_workflow("the test").start_child("pack", "1")
        await task("a")

    error = replay_error(derived, history_of(one))
    assert error.recorded.startswith("ChildStarted #1 'pack' with id 'p-1' (arguments ")
    assert error.made.startswith("ChildStarted #1 'pack' with id 'x:0:1' (arguments ")


def test_child_keeps_what_it_was_started_with_when_the_code_says_otherwise_today() -> None:
    async def before() -> None:
        options = ChildOptions(parent_close="abandon", timeout_s=5.0, start_delay_s=1.0)
        require_workflow("the test").start_child("pack", "1", options=options)
        await task("a")

    async def today() -> None:
        options = ChildOptions(parent_close="terminate", timeout_s=6.0, start_delay_s=2.0)
        require_workflow("the test").start_child("pack", "1", options=options)
        await task("a")

    history = history_of(before)
    instance = replay(code_of(today), history)
    assert instance._machine.open_calls[0] in history
    ended = history_of(before, ("a", None))
    assert replay(code_of(today), ended).ending == ended[-1]
    turn = take_turn(instance, [TaskSucceeded(2, "null")], BEGIN_S)
    assert (turn.calls, turn.outcome) == ((), ended[-1])
