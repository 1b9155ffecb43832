"""Signals are kept, ordered, taken once, and seen once by every handler."""

from __future__ import annotations

import asyncio
import contextlib

from service_kit.engine.arrivals import CancelRequested, SignalReceived, TaskSucceeded
from service_kit.engine.calls import SignalSent, TimerStarted
from service_kit.engine.context import require_workflow
from service_kit.engine.history import ContinuedAsNew
from service_kit.engine.payload import digest
from service_kit.errors import TimedOut
from tests.engine.conftest import Begin
from tests.engine.driving import BEGIN_S, Execution, on, receive, task


def test_signal_wakes_the_one_who_waits(begin: Begin) -> None:
    run = begin(receive, "word")
    run.signal("word", "hello", id="1")
    assert run.result == "hello"


def test_signal_that_arrives_before_the_wait_is_kept(begin: Begin) -> None:
    async def late() -> list[object]:
        await task("a")
        return [await receive(), await receive()]

    run = begin(late)
    run.signal("word", 1, id="1")
    run.signal("word", 2, id="2")
    run.succeed("a")
    assert run.result == [1, 2]


def test_signal_that_comes_twice_is_received_once(begin: Begin) -> None:
    async def two() -> list[object]:
        return [await receive(), await receive()]

    run = begin(two)
    run.signal("word", 1, id="same")
    assert run.signal("word", 1, id="same").events == ()
    run.signal("word", 2, id="other")
    assert run.result == [1, 2]


def test_each_signal_goes_to_one_of_several_receivers_in_order(begin: Begin) -> None:
    async def three() -> list[object]:
        return list(await asyncio.gather(receive(), receive(), receive()))

    run = begin(three)
    run.arrive(*(SignalReceived(str(number), "word", str(number)) for number in range(3)))
    assert run.result == [0, 1, 2]


def test_signals_of_different_names_do_not_mix(begin: Begin) -> None:
    async def both() -> list[object]:
        return list(await asyncio.gather(receive("left"), receive("right")))

    run = begin(both)
    run.signal("right", "r", id="1")
    run.signal("left", "l", id="2")
    assert run.result == ["l", "r"]


def test_waiting_too_long_for_a_signal_times_out(begin: Begin) -> None:
    async def waits() -> list[str]:
        try:
            await receive("word", 5)
        except TimedOut as error:
            return ["a TimeoutError" if isinstance(error, TimeoutError) else "another", str(error)]
        return []

    run = begin(waits)
    run.pass_time(5)
    assert run.result == ["a TimeoutError", "signal 'word' did not arrive within 5 s"]


def test_timeout_around_a_receive_is_asyncios_own(begin: Begin) -> None:
    async def waits() -> str:
        try:
            async with asyncio.timeout(1):
                await receive("word", 5)
        except TimedOut:
            return "the inner"
        except TimeoutError:
            return "the outer"
        return "none"

    run = begin(waits)
    run.pass_time(1)
    assert run.result == "the outer"


def test_signal_for_a_receiver_that_gave_up_goes_to_the_next(begin: Begin) -> None:
    async def race() -> object:
        first = asyncio.create_task(receive())
        second = asyncio.create_task(receive())
        await task("a")
        first.cancel()
        return await second

    run = begin(race)
    run.succeed("a")
    run.signal("word", "kept", id="1")
    assert run.result == "kept"


def test_signal_is_not_lost_with_a_receiver_that_is_cancelled_as_it_arrives(begin: Begin) -> None:
    async def race() -> object:
        first: asyncio.Task[object] = asyncio.create_task(receive())
        second: asyncio.Task[object] = asyncio.create_task(receive())
        on(lambda payload: first.cancel(), "word")
        return await second

    run = begin(race)
    # The handler runs after the receiver was woken, and before it runs.
    run.signal("word", "kept", id="1")
    assert run.result == "kept"


def test_signal_passes_by_all_receivers_that_are_cancelled_as_it_arrives(begin: Begin) -> None:
    async def race() -> object:
        gone = [asyncio.create_task(receive()) for _ in range(3)]
        last = asyncio.create_task(receive())
        on(lambda payload: [one.cancel() for one in gone], "word")
        return await last

    run = begin(race)
    run.signal("word", "kept", id="1")
    assert run.result == "kept"


def test_signal_is_taken_once_though_receivers_are_cancelled_around_it(begin: Begin) -> None:
    async def race() -> list[object]:
        first, second = asyncio.create_task(receive()), asyncio.create_task(receive())
        taken: list[object] = []

        async def jump_the_queue() -> None:
            taken.append(await receive())
            second.cancel()  # it has been woken in vain

        def handle(payload: str) -> asyncio.Task[None]:
            first.cancel()
            return asyncio.create_task(jump_the_queue())

        dispose = on(handle, "word")
        await asyncio.wait([first, second])
        dispose()
        return taken

    run = begin(race)
    run.signal("word", 1, id="1")
    assert run.result == [1]


def test_signal_of_a_lone_receiver_that_is_cancelled_as_it_arrives_is_kept(begin: Begin) -> None:
    async def race() -> object:
        first: asyncio.Task[object] = asyncio.create_task(receive())
        dispose = on(lambda payload: first.cancel(), "word")
        await asyncio.wait([first])
        dispose()
        return await receive()

    run = begin(race)
    run.signal("word", "kept", id="1")
    assert run.result == "kept"


def test_signal_to_another_execution_has_an_id_that_every_replay_repeats(begin: Begin) -> None:
    async def sends() -> None:
        await task("a")
        require_workflow("the test").send_signal("other-1", "word", '"hi"')

    run = begin(sends)
    run.succeed("a")
    (sent,) = run.calls(SignalSent)
    assert (sent.target, sent.name, sent.payload, sent.id) == ("other-1", "word", '"hi"', "x:0:2")


def test_unused_signals_are_handed_to_the_next_run(begin: Begin) -> None:
    async def again(count: int) -> object:
        if count == 0:
            await task("a")
            await require_workflow("the test").continue_as_new("1")
        return [await receive(), await receive("other"), await receive()]

    run = begin(again, 0)
    run.signal("word", 1, id="1")
    run.signal("other", 2, id="2")
    run.succeed("a")
    ending = run.turn.outcome
    assert isinstance(ending, ContinuedAsNew)
    assert [signal.id for signal in ending.signals] == ["1", "2"]

    following = begin(again, 1, run=1, signals=ending.signals)
    assert following.signal("word", 1, id="1").events == ()
    following.signal("word", 3, id="3")
    assert following.result == [1, 2, 3]


def test_what_arrives_in_the_turn_that_continues_the_run_is_left_to_the_next() -> None:
    async def again() -> None:
        on(lambda payload: None, "handled")
        require_workflow("the test").schedule_task("late", "1")
        await receive()
        await require_workflow("the test").continue_as_new("1")

    run = Execution(again, cold=False)
    run.start()
    cancel = CancelRequested("stop")
    seen, after, handled = (
        SignalReceived("1", "word", "1"),
        SignalReceived("2", "word", "2"),
        SignalReceived("3", "handled", "3"),
    )
    turn = run.arrive(seen, TaskSucceeded(1, "1"), after, handled, seen, cancel)
    assert turn.left == (cancel,)
    assert run.history[-1] == turn.outcome == ContinuedAsNew("1", digest("1"), (after, handled))
    run.replay()
    assert run.instance.ending == turn.outcome
    assert run.arrive(cancel, seen).left == (cancel, seen)


def test_receivers_that_give_up_again_and_again_leave_nothing_behind() -> None:
    async def polls() -> None:
        for _ in range(50):
            with contextlib.suppress(TimedOut):
                await receive("word", 1)
        await receive("word", 1_000)

    run = Execution(polls, cold=False)
    run.start()
    for _ in range(50):
        run.pass_time(1)
    workflow = run.instance._machine._context
    assert workflow is not None
    assert len(workflow.mailbox._box("word").waiters) == 1


def test_nothing_is_left_of_what_arrives_after_any_other_end(begin: Begin) -> None:
    async def ends() -> None:
        pass

    assert begin(ends).signal("word", 1, id="1").left == ()


def test_cancelled_receive_leaves_nothing_behind(begin: Begin) -> None:
    async def cancelled() -> str:
        try:
            await receive("word", 60)
        except asyncio.CancelledError:
            return "cancelled"
        return "received"

    run = begin(cancelled)
    run.arrive(CancelRequested())
    assert run.result == "cancelled"
    assert run.calls(TimerStarted) == [TimerStarted(1, BEGIN_S + 60)]
    assert run.instance.wake_at_s is None
