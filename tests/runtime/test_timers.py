"""The timers of a process: one for each execution, however often it is set."""

from __future__ import annotations

from service_kit.runtime.timers import Timers


def test_the_earliest_is_first_whatever_the_order() -> None:
    timers = Timers()
    assert [timers.set(name, at_s) for name, at_s in (("b", 2.0), ("a", 1.0), ("c", 3.0))] == [
        True,
        True,
        False,
    ]
    assert timers.next_s() == 1.0
    assert timers.take_due(2.0) == ["a", "b"]
    assert timers.next_s() == 3.0


def test_a_new_time_replaces_the_old_one() -> None:
    timers = Timers()
    timers.set("a", 1.0)
    timers.set("a", 5.0)
    assert timers.take_due(4.0) == []
    assert timers.take_due(5.0) == ["a"]
    assert timers.next_s() is None


def test_a_time_can_be_forgotten() -> None:
    timers = Timers()
    timers.set("a", 1.0)
    timers.set("a", None)
    assert (timers.next_s(), timers.take_due(9.0), len(timers)) == (None, [], 0)


def test_what_is_replaced_for_ever_takes_no_room_for_ever() -> None:
    timers = Timers()
    for number in range(100_000):
        timers.set("a", 1e9 + number)
    assert len(timers._heap) < 1_000
    assert timers.take_due(2e9) == ["a"]
