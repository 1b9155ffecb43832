"""A warm execution, kept in memory between its turns so that a step costs O(1)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from ..errors import HistoryUnreadable, NonDeterminismError
from .arrivals import Arrival
from .completion import install_as_completed
from .everyone import install_all_tasks
from .gathering import install_gather
from .guard import install_guard
from .history import Ending, Flag, HistoryEvent, TurnStarted
from .ledger import CURE, describe
from .loop import WorkflowLoop
from .machine import Machine, WorkflowCode
from .waitfor import install_wait_for

__all__ = ["Instance", "replay"]


class Instance:
    """The running code of one execution; `take_turn` moves it on.

    If the commit of a turn fails, discard the instance and replay the history into a new one; a turn that
    raises has discarded it already. One thread at a time may use it.
    """

    __slots__ = ("__weakref__", "_machine", "_usable", "code")

    def __init__(self, code: WorkflowCode) -> None:
        self.code: WorkflowCode = code
        self._machine = Machine(code)
        self._usable = True
        install_guard(WorkflowLoop.run.__code__)
        install_as_completed()
        install_gather()
        install_all_tasks()
        install_wait_for()

    @property
    def ending(self) -> Ending | None:
        """How the execution has ended, or None while it goes on."""
        return self._machine.ending

    @property
    def deadline_s(self) -> float | None:
        """When the execution's own timeout is over; None without one, and before it has begun."""
        return self._machine.deadline_s

    def awaits(self, seq: int) -> bool:
        """Return whether the answer of the task or child that this call began is awaited."""
        return self._machine.awaits(seq)

    @property
    def wake_at_s(self) -> float | None:
        """When a turn is due even if nothing arrives: the next timer or the execution's own timeout."""
        machine = self._machine
        if machine.ending is not None:
            return None
        first = machine.loop.timers.first()
        times = [time for time in (first and first[0], machine.deadline_s) if time is not None]
        return min(times, default=None)

    def discard(self) -> None:
        """Drop the execution's code where it stands; nothing of it runs any more. May be called twice."""
        self._usable = False
        self._machine.loop.discard()

    @contextmanager
    def moving(self) -> Generator[Machine, None, None]:
        """Lend the machine for a turn; one whose turn raises is discarded."""
        if not self._usable:
            raise RuntimeError(
                "this instance was discarded, a turn of it raised, or it is taking one now; "
                "replay the history into a new one"
            )
        self._usable = False
        try:
            with self._machine.loop.running():
                yield self._machine
        except BaseException:
            self.discard()
            raise
        self._usable = True

    def __del__(self) -> None:
        if not self._machine.loop.is_closed():
            self._machine.loop.discard()


def replay(code: WorkflowCode, history: Sequence[HistoryEvent]) -> Instance:
    """Return an instance that stands where `history` ends.

    Raises `NonDeterminismError` if the code does not do what the history says, and `HistoryUnreadable` if
    the history itself is wrong.
    """
    instance = Instance(code)
    with instance.moving() as machine:
        machine.ledger.rehearse(history)
        while (cue := machine.ledger.next_cue()) is not None:
            if isinstance(cue, TurnStarted):
                _check_flags(cue)
                machine.loop.advance(cue.at_s)
            elif machine.expects(cue):
                machine.accept(cue)
            else:
                raise _unexpected(machine, cue)
    return instance


def _check_flags(turn: TurnStarted) -> None:
    unknown = set(turn.flags).difference(Flag)
    if unknown:
        raise HistoryUnreadable(
            f"the history relies on engine behaviour {sorted(unknown)}, which this version does not have; "
            "upgrade service-kit to the version that began the execution, or a later one"
        )


def _unexpected(machine: Machine, cue: Arrival) -> NonDeterminismError:
    return NonDeterminismError(
        f"the history holds an arrival that the workflow does not wait for; {CURE}",
        where=machine.loop.waiting_lines(),
        recorded=repr(cue) if not hasattr(cue, "value") else describe(cue),
        made="does not wait for it",
    )
