"""The book of calls: a live execution writes them, a replayed one is compared with what was written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..errors import HistoryUnreadable, NonDeterminismError
from .arrivals import Arrival
from .calls import Call, ChildStarted, PatchMarked, SignalSent
from .difference import difference
from .history import (
    ContinuedAsNew,
    Ending,
    ExecutionRaised,
    ExecutionSucceeded,
    HistoryEvent,
    TurnStarted,
)
from .source import caller_line

__all__ = ["CURE", "Ledger"]

AnyCall = TypeVar("AnyCall", bound=Call)

CURE = (
    "if the change is meant, guard it with `if workflow.patched(...)`, or let running executions end on the old code; "
    "if nothing was changed, something in the workflow differs from run to run: a set's order, a clock, chance "
    "(workflow.now(), .random() and .uuid4() do not)"
)


class Ledger:
    """Number the calls of one execution; record or compare them.

    A mismatch is not raised into workflow code, whose `except` could swallow it: the ledger stops, which
    stops the loop, and whoever drives the turn raises `error`.
    """

    __slots__ = ("_cursor", "_made", "_script", "error", "fresh", "replaying", "stopped")

    def __init__(self) -> None:
        self.fresh: list[HistoryEvent] = []
        """Events of the present turn that no history holds yet."""
        self.replaying: bool = False
        self.stopped: bool = False
        """No call counts any more: the execution has ended, was discarded, or went wrong."""
        self.error: Exception | None = None
        self._made = 0
        self._script: Sequence[HistoryEvent] = ()
        self._cursor = 0

    def next_seq(self) -> int:
        """Return the number of the call that is about to be made."""
        self._made += 1
        return self._made

    def record(self, call: AnyCall) -> AnyCall:
        """Take a call of workflow code; return the one that counts: the recorded one, if there is one."""
        return call if self.stopped else self.write(call)

    def write(self, call: AnyCall) -> AnyCall:
        """Take a call of the engine itself, which may still make some while it ends an execution."""
        if not self.replaying:
            self.fresh.append(call)
            return call
        recorded = self._next_call()
        if isinstance(recorded, type(call)) and _same(recorded, call):
            self._cursor += 1
            return recorded
        self.reject(_mismatch(recorded, call))
        return call

    def mark(self, id: str) -> bool:
        """Return whether this execution takes the path of `patched(id)`, and record it if so."""
        if not self.replaying:
            self.record(PatchMarked(id))
            return True
        cursor = self._cursor
        while isinstance(event := self._event(cursor), PatchMarked):
            cursor += 1
            if event.id == id:
                self._cursor = cursor
                return True
        return False

    def end(self, ending: Ending, where: str) -> Ending:
        """Take the end of the execution, whose code is at `where`; return the one that counts: the recorded one."""
        self.stopped = True
        if not self.replaying:
            self.fresh.append(ending)
            return ending
        recorded = self._next_call() or self._event(self._cursor)
        if isinstance(recorded, Ending) and _same_ending(recorded, ending):
            self._cursor += 1
            return recorded
        self.reject(_other_end(recorded, ending, where))
        return ending

    def reject(self, error: Exception) -> Exception:
        """Stop because of `error`, and return it; the first one is the one that the turn raises."""
        self.stopped = True
        self.error = self.error or error
        return error

    def rehearse(self, history: Sequence[HistoryEvent]) -> None:
        """Begin to compare with `history`."""
        self._script, self._cursor, self.replaying = history, 0, True

    def next_cue(self) -> TurnStarted | Arrival | None:
        """Return what the history says happened next from outside; None at its end, where live work begins."""
        event = self._event(self._cursor)
        if event is None:
            self._script, self._cursor, self.replaying = (), 0, False
            return None
        if isinstance(event, Call | Ending):
            raise HistoryUnreadable(
                f"event {self._cursor} of the history, {describe(event)}, stands where an arrival must stand; "
                "the history is damaged or cut inside a turn: restore it, or cut it between two turns"
            )
        self._cursor += 1
        return event

    def missing(self) -> Call | Ending | None:
        """Return what the history holds next although the code, with nothing left to run, did not do it."""
        if not self.replaying:
            return None
        if (call := self._next_call()) is not None:
            return call
        event = self._event(self._cursor)
        return event if isinstance(event, Ending) else None

    def _next_call(self) -> Call | None:
        """Return the call at the cursor, past markers whose `patched` is no longer in the code."""
        while isinstance(event := self._event(self._cursor), PatchMarked):
            self._cursor += 1
        return event if isinstance(event, Call) else None

    def _event(self, index: int) -> HistoryEvent | None:
        return self._script[index] if index < len(self._script) else None


def describe(event: HistoryEvent | None) -> str:
    """Return an event as a message names it."""
    if event is None:
        return "nothing"
    parts = [type(event).__name__]
    if seq := getattr(event, "seq", 0):
        parts.append(f"#{seq}")
    if name := getattr(event, "name", ""):
        parts.append(f"'{name}'")
    if isinstance(event, SignalSent):
        parts.append(f"to '{event.target}'")
    elif isinstance(event, ChildStarted):
        parts.append(f"with id '{event.id}'")
    if args_hash := getattr(event, "args_hash", ""):
        parts.append(f"(arguments {args_hash})")
    return " ".join(parts)


def _same(recorded: Call, made: Call) -> bool:
    return (
        recorded.seq == made.seq
        and recorded.name == made.name
        and recorded.args_hash == made.args_hash
        and _addressee(recorded) == _addressee(made)
    )


def _addressee(call: Call) -> str:
    """Return the id of the execution that a call is about, if its name does not say so."""
    if isinstance(call, ChildStarted):
        return call.id
    return call.target if isinstance(call, SignalSent) else ""


def _same_ending(recorded: Ending, made: Ending) -> bool:
    match made:
        case ExecutionSucceeded(args_hash=args_hash) | ContinuedAsNew(args_hash=args_hash):
            return type(recorded) is type(made) and getattr(recorded, "args_hash", None) == args_hash
        case ExecutionRaised(failure=failure):
            # Messages may hold what differs from run to run, such as an object's address.
            return isinstance(recorded, ExecutionRaised) and recorded.failure.type == failure.type
        case _:
            return type(recorded) is type(made)


def _mismatch(recorded: Call | None, made: Call) -> NonDeterminismError:
    problem = (
        "made a call that is not in its history"
        if recorded is None
        else "made another call than its history holds"
    )
    return NonDeterminismError(
        f"the workflow {problem}; {CURE}",
        where=caller_line(),
        recorded=describe(recorded) if recorded else "no call here",
        made=_beside(recorded, made),
    )


def _other_end(recorded: HistoryEvent | None, made: Ending, where: str) -> NonDeterminismError:
    return NonDeterminismError(
        f"the workflow ended otherwise than its history says; {CURE}",
        where=where,
        recorded=describe(recorded) if isinstance(recorded, Call | Ending) else "it goes on",
        made=_beside(recorded, made),
    )


def _beside(recorded: HistoryEvent | None, made: Call | Ending) -> str:
    """Describe what the code did, and how it differs from what is recorded if that has the same name."""
    described = describe(made)
    if recorded is None or type(recorded) is not type(made):
        return described
    same = getattr(recorded, "name", "") == getattr(made, "name", "")
    places = difference(recorded, made) if same else ""
    return f"{described}, different at {places}" if places else described
