"""Histories survive their JSON form, and what cannot be read says so."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from service_kit.engine import arrivals, calls, history
from service_kit.engine.arrivals import ExecutionStarted, SignalReceived
from service_kit.engine.calls import ChildStarted, Emitted, EventsEmitted, TaskScheduled
from service_kit.engine.failure import Failure
from service_kit.engine.history import ContinuedAsNew, HistoryEvent, TurnStarted
from service_kit.engine.options import TaskOptions
from service_kit.engine.retry import Retry
from service_kit.engine.wire import (
    KINDS,
    decode_events,
    decode_failure,
    decode_options,
    encode_events,
    encode_failure,
    encode_options,
)
from service_kit.errors import HistoryUnreadable

FAILURE = Failure("a:B", "no", "timeout", '{"x":1}', "Traceback ...", Failure("c:D", "deeper"))
OPTIONS = TaskOptions(
    retry=Retry(max_attempts=None, non_retryable=("A", ValueError)), heartbeat_timeout_s=3.0
)
SIGNALS = (SignalReceived("1", "word", '"é\\n"'), SignalReceived("2", "word", "2"))

EVENTS: list[HistoryEvent] = [
    TurnStarted(1_700_000_000.25, (1,)),
    TurnStarted(0.0),
    ExecutionStarted("x", "w", "null", "seed"),
    ExecutionStarted("x", "w", "null", "seed", 5.0, "p", 2, SIGNALS),
    ExecutionStarted("x", "w", "null", "seed", attributes={"region": "eu"}),
    ExecutionStarted("x", "w", "null", "seed", 5.0, run=2, deadline_s=1_700_000_002.5),
    arrivals.TaskSucceeded(1, '"\u2028 \U0001f600"'),
    arrivals.TaskRaised(1, FAILURE),
    arrivals.TaskRaised(1, Failure("a:B", "no")),
    arrivals.TimerFired(1),
    arrivals.ChildSucceeded(1, "1"),
    arrivals.ChildRaised(1, FAILURE),
    SIGNALS[0],
    arrivals.CancelRequested(),
    arrivals.CancelRequested("why"),
    arrivals.TerminateRequested("why"),
    arrivals.DeadlinePassed(),
    TaskScheduled(1, "t", "h", "1"),
    TaskScheduled(1, "t", "h", "1", TaskOptions()),
    TaskScheduled(
        1,
        "t",
        "h",
        "1",
        OPTIONS,
    ),
    TaskScheduled(1, "t", "h", "1", TaskOptions(timeout_s=1.0, schedule_to_close_s=2.0)),
    calls.TaskCancelRequested(2, 1, "t"),
    calls.TimerStarted(3, 5.5),
    calls.TimerCancelled(4, 3),
    ChildStarted(1, "w", "h", "1", "c"),
    ChildStarted(1, "w", "h", "1", "c", "abandon", 1.5, 2.5),
    ChildStarted(1, "w", "h", "1", "c", attributes={"region": "eu", "é": ""}),
    calls.CancelSent(1, "x", "why"),
    calls.TerminateSent(1, "x", "why"),
    calls.SignalSent(1, "s", "h", "1", "x", "id"),
    EventsEmitted(1, "A,B", "h", (Emitted("1", "A", "1"), Emitted("2", "B", "2"))),
    EventsEmitted(1, "", "h", ()),
    calls.StateSet(1, "s", "h", "1"),
    calls.AttributeSet(1, "a", "h", "1"),
    calls.AttributeSet(1, "a", ""),
    calls.PatchMarked("p"),
    history.ExecutionSucceeded("1", "h"),
    history.ExecutionRaised(FAILURE),
    history.ExecutionCancelled("why"),
    history.ExecutionTimedOut(5.0),
    history.ExecutionTerminated("why"),
    ContinuedAsNew("1", "h"),
    ContinuedAsNew("1", "h", SIGNALS),
    ContinuedAsNew("1", "h", attributes={"region": "eu"}),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_event_survives_its_json_form(event: HistoryEvent) -> None:
    assert decode_events(encode_events([event])) == [event]


def test_every_kind_of_event_has_a_name_on_the_wire_and_an_example_here() -> None:
    assert set(KINDS.values()) == set(get_args(HistoryEvent)) == {type(event) for event in EVENTS}
    assert all(cls.__name__ == name for name, cls in KINDS.items())


def test_whole_history_survives_its_json_form_as_text_and_bytes() -> None:
    text = encode_events(EVENTS)
    assert decode_events(text) == decode_events(text.encode()) == EVENTS


def test_form_is_compact_and_says_its_version() -> None:
    text = encode_events([TurnStarted(1.5), TaskScheduled(1, "charge", "00ff", '"o-1"')])
    assert text == '{"v":1,"events":[["TurnStarted",1.5],["TaskScheduled",1,"charge","00ff","\\"o-1\\""]]}'


def test_payloads_are_not_parsed() -> None:
    event = arrivals.TaskSucceeded(1, "this is no JSON at all")
    assert decode_events(encode_events([event])) == [event]


def test_failure_survives_its_json_form() -> None:
    assert decode_failure(encode_failure(FAILURE)) == FAILURE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "not a history"),
        ("[]", "not a history"),
        ('{"v":1}', "not a history"),
        ('{"v":2,"events":[]}', "form 2, this version reads 1; upgrade"),
        ('{"v":0,"events":[]}', "form 0, this version reads 1; upgrade"),
        ('{"v":1,"events":[["ThingHappened",1]]}', "ThingHappened"),
        ('{"v":1,"events":[["TaskSucceeded",1]]}', "TaskSucceeded"),
        ('{"v":1,"events":[["TaskRaised",1,[]]]}', "TaskRaised"),
        ('{"v":1,"events":[["TaskScheduled",1,"t","h","1",{"colour":1}]]}', "TaskScheduled"),
        ('{"v":1,"events":[[]]}', "cannot read the event"),
        ('{"v":1,"events":[7]}', "cannot read the event 7"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(HistoryUnreadable, match=message):
        decode_events(text)


@pytest.mark.parametrize("text", ["nothing", "[1]", "7"])
def test_failure_that_cannot_be_read_says_why(text: str) -> None:
    with pytest.raises(HistoryUnreadable, match="not a failure"):
        decode_failure(text)


@pytest.mark.parametrize(
    "text",
    ["nothing", "[1]", "7", '{"colour":1}', '{"retry":{}}', '{"retry":{"non_retryable":[],"often":1}}'],
)
def test_options_that_cannot_be_read_say_why(text: str) -> None:
    with pytest.raises(HistoryUnreadable, match="not the options of a task: "):
        decode_options(text)


@pytest.mark.parametrize("options", [TaskOptions(), OPTIONS])
def test_options_survive_their_json_form(options: TaskOptions) -> None:
    assert decode_options(encode_options(options)) == options


def test_no_options_are_those_of_the_definition() -> None:
    assert decode_options("null") == TaskOptions()


def test_forms_of_failures_and_options_are_compact_and_keep_their_letters() -> None:
    assert encode_failure(Failure("a:B", "où")) == '["a:B","où","error",null,""]'
    assert encode_options(TaskOptions(timeout_s=1.5)) == '{"timeout_s":1.5}'


def test_infinite_times_are_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json.loads(encode_events([TurnStarted(float("inf"))]))
