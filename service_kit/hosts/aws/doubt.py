"""What a function knows, and does not, of the turns that invocations before it have dispatched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from service_kit.runtime.records import TurnCommit
from service_kit.stores.dynamodb.items import STARTED, Chunk

SKEW_S = 5.0
"""How much the clocks of functions may differ."""

UsedKey: TypeAlias = tuple[int | None, str]
"""A run, and the key of an arrival that it used. Calls are numbered anew in each run, so an answer to another one may
have the same key; None: whatever the run, as for signals."""


def used_keys(run: int, keys: Iterable[str]) -> Iterator[UsedKey]:
    for key in keys:
        yield run, key
        yield None, key


@dataclass(frozen=True, slots=True)
class Doubt:
    """Which turns may have been committed without being dispatched."""

    keys: frozenset[UsedKey] = frozenset()
    """Those that have used one of these arrivals."""
    since_s: float | None = None
    """Those that were taken since."""
    last: bool = False
    """The last one."""

    @property
    def is_general(self) -> bool:
        """Whether nobody knows what was lost: something was, or an operator has had the execution go on."""
        return self.last or self.since_s is not None

    def is_about(self, chunk: Chunk, number: int) -> bool:
        """Tell whether a turn is one of them; `number` counts from the last one."""
        if (self.last and number == 0) or (chunk.turn == 0 and (None, STARTED) in self.keys):
            return True
        return bool(self.keys.intersection(used_keys(chunk.run, chunk.used))) or self._is_since(chunk)

    def goes_beyond(self, latest: Sequence[Chunk]) -> bool:
        """Tell whether one of them may be before the latest turns, of which there are more."""
        used = {key for chunk in latest for key in used_keys(chunk.run, chunk.used)}
        return not self.keys <= used or self._is_since(latest[-1])

    def _is_since(self, chunk: Chunk) -> bool:
        return self.since_s is not None and chunk.at_s >= self.since_s - SKEW_S


@dataclass(frozen=True, slots=True)
class Sure:
    """Which turns this function has dispatched: all of an execution's from one until another."""

    since: tuple[int, int] | None
    """Run and turn; None: nobody knows. Those before were seen, and are others' to dispatch, who may die of it."""
    until: tuple[int, int] | None

    def and_then(self, commit: TurnCommit) -> Sure:
        """Return what is sure when a turn is dispatched, too; one of another function may lie between."""
        here, goes_on = (commit.run, commit.turn), commit.successor is None
        after = (commit.run, commit.turn + 1) if goes_on else (commit.run + 1, 0)
        return Sure(self.since if self.until == here else here, after)
