"""Turns that may have been committed without being dispatched, over the runs of an execution."""

from __future__ import annotations

from collections.abc import Sequence

from service_kit.hosts.aws.doubt import Doubt, used_keys
from service_kit.stores.dynamodb.items import STARTED, Chunk


def chunk(run: int, turn: int, used: Sequence[str]) -> Chunk:
    return Chunk(run, turn, used, (), (), None, None, None, 1_000.0, False, {})


def test_an_answer_of_one_run_is_none_of_the_next_although_their_calls_have_the_same_number() -> None:
    doubt = Doubt(frozenset({(0, "task:1")}))

    assert doubt.is_about(chunk(0, 1, ["task:1"]), 1)
    assert not doubt.is_about(chunk(1, 1, ["task:1"]), 0)
    assert doubt.goes_beyond([chunk(1, 1, ["task:1"])])
    assert doubt.keys - set(used_keys(1, ["task:1"])) == doubt.keys


def test_a_signal_is_sought_in_every_run() -> None:
    doubt = Doubt(frozenset({(None, "signal:s")}))

    assert doubt.is_about(chunk(0, 1, ["signal:s"]), 1)
    assert doubt.is_about(chunk(3, 1, ["signal:s"]), 0)
    assert not doubt.goes_beyond([chunk(3, 1, ["signal:s"])])
    assert doubt.keys - set(used_keys(3, ["signal:s"])) == frozenset()


def test_a_start_that_comes_again_is_about_the_first_turn_of_whatever_run() -> None:
    doubt = Doubt(frozenset({(None, STARTED)}))

    assert [doubt.is_about(chunk(run, turn, ()), 1) for run in (0, 2) for turn in (0, 1)] == [
        True,
        False,
        True,
        False,
    ]
