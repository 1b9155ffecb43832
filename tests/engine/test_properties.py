"""Whatever a workflow does and in whatever order the world answers: replayed, it does the same again."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from service_kit.engine.arrivals import (
    Arrival,
    CancelRequested,
    ChildRaised,
    ChildSucceeded,
    ExecutionStarted,
    SignalReceived,
    TaskRaised,
    TaskSucceeded,
    TerminateRequested,
    TimerFired,
)
from service_kit.engine.calls import Call, ChildStarted, TaskScheduled, TimerStarted
from service_kit.engine.failure import Failure
from service_kit.engine.history import HistoryEvent, TurnStarted
from service_kit.engine.instance import replay
from service_kit.engine.wire import decode_events, encode_events
from tests.engine.driving import BEGIN_S, Execution, code_of
from tests.engine.golden import plain
from tests.engine.programs import NAMES, Program, programs, run_program

TURNS_MAX = 40
FAILURE = Failure("shop:Broken", "no", traceback="far away")


@dataclass
class Visit:
    """One turn's input."""

    arrivals: list[Arrival]
    at_s: float


class World:
    """Answers a workflow's calls in an order of its own: late, twice, out of turn, or never."""

    def __init__(self, random: Random, *, fires_timers: bool) -> None:
        self.random = random
        self.answered = (
            TaskScheduled | ChildStarted | TimerStarted if fires_timers else TaskScheduled | ChildStarted
        )
        self.open: list[Call] = []
        self.sent: list[Arrival] = []
        self.signals = 0

    def hear(self, calls: tuple[Call, ...]) -> None:
        self.open += [call for call in calls if isinstance(call, self.answered)]

    def arrivals(self) -> list[Arrival]:
        arrivals = [self._arrival() for _ in range(self.random.choice([1, 1, 2, 3]))]
        self.sent += arrivals
        return arrivals

    def _arrival(self) -> Arrival:
        roll = self.random.random()
        if roll < 0.1 and self.sent:
            return self.sent[self.random.randrange(len(self.sent))]
        if roll < 0.3 or not self.open:
            self.signals += 1
            return SignalReceived(f"s-{self.signals}", self.random.choice(NAMES), str(self.signals))
        if roll < 0.33:
            ends: list[Arrival] = [CancelRequested("why"), CancelRequested("again"), TerminateRequested()]
            return ends[self.random.randrange(len(ends))]
        call = self.open.pop(self.random.randrange(len(self.open)))
        fails = self.random.random() < 0.2
        if isinstance(call, TimerStarted):
            return TimerFired(call.seq)
        if isinstance(call, ChildStarted):
            return ChildRaised(call.seq, FAILURE) if fails else ChildSucceeded(call.seq, str(call.seq))
        assert isinstance(call, TaskScheduled)
        return TaskRaised(call.seq, FAILURE) if fails else TaskSucceeded(call.seq, str(call.seq))


def explore(program: Program, random: Random, *, fires_timers: bool = True) -> tuple[Execution, list[Visit]]:
    """Run a program warm, in a world of its own; return the run and what it was given."""
    world, visits = World(random, fires_timers=fires_timers), list[Visit]()
    run = Execution(run_program, cold=False)
    world.hear(run.start(program, timeout_s=200.0).calls)
    while run.instance.ending is None and len(visits) < TURNS_MAX:
        wake_s = run.instance.wake_at_s
        if wake_s is not None and random.random() < 0.3:
            visit = Visit([], max(run.now_s, wake_s) + random.choice([0.0, 0.0, 0.5, 100.0]))
        else:
            visit = Visit(world.arrivals(), run.now_s)
        visits.append(visit)
        world.hear(run.arrive(*visit.arrivals, after_s=visit.at_s - run.now_s).calls)
    return run, visits


@given(program=programs(), random=st.randoms(use_true_random=False))
def test_instance_that_is_discarded_after_every_turn_does_what_a_warm_one_does(
    program: Program, random: Random
) -> None:
    warm, visits = explore(program, random)
    cold = Execution(run_program, cold=True)
    cold.start(program, timeout_s=200.0)
    for visit in visits:
        cold.arrive(*visit.arrivals, after_s=visit.at_s - cold.now_s)
    assert plain(cold.history) == plain(warm.history)


@given(program=programs(), random=st.randoms(use_true_random=False))
def test_arrivals_may_be_grouped_into_turns_in_any_way(program: Program, random: Random) -> None:
    grouped, visits = explore(program, random, fires_timers=False)
    single = Execution(run_program, cold=False)
    single.start(program, timeout_s=200.0)
    for visit in visits:
        for arrivals in [[arrival] for arrival in visit.arrivals] or [[]]:
            single.arrive(*arrivals, after_s=visit.at_s - single.now_s)
    assert without_turns(single.history) == without_turns(grouped.history)


@given(program=programs(), random=st.randoms(use_true_random=False))
def test_history_replays_from_every_turn(program: Program, random: Random) -> None:
    run, _ = explore(program, random)
    ends = [index for index, event in enumerate(run.history) if isinstance(event, TurnStarted)][1:]
    for end in [*ends, len(run.history)]:
        instance = replay(code_of(run_program), decode_events(encode_events(run.history[:end])))
        instance.discard()


@given(program=programs(), random=st.randoms(use_true_random=False))
def test_calls_are_numbered_once_and_answered_once(program: Program, random: Random) -> None:
    run, _ = explore(program, random)
    numbers = [event.seq for event in run.history if getattr(event, "seq", 0)]  # type: ignore[union-attr]  # only calls have one
    assert numbers == list(range(1, len(numbers) + 1))
    answers = [
        (
            type(event).__name__[:4],
            event.task if isinstance(event, TaskSucceeded | TaskRaised) else event.timer,
        )
        for event in run.history
        if isinstance(event, TaskSucceeded | TaskRaised | TimerFired)
    ]
    assert len(answers) == len(set(answers))
    signals = [event.id for event in run.history if isinstance(event, SignalReceived)]
    assert len(signals) == len(set(signals))
    times = [event.at_s for event in run.history if isinstance(event, TurnStarted)]
    assert times == sorted(times)
    assert times[0] == BEGIN_S


def without_turns(history: list[HistoryEvent]) -> list[HistoryEvent]:
    return [event for event in plain(history) if not isinstance(event, TurnStarted | ExecutionStarted)]
