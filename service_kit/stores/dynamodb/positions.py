"""How far this process has seen executions come: what a turn needs to know to be committed by one conditional write."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from service_kit.runtime.records import ExecutionRecord

MOST = 10_000
FRESH_S = 300.0
"""How long what was seen is taken for the present, as long as the table does not object.

Nothing is forgotten (`retention`) before an execution has been over for longer than that: the place of a turn that
was there cannot have become free again.
"""


@dataclass(frozen=True, slots=True)
class Position:
    """An execution as of its last turn."""

    record: ExecutionRecord
    open: frozenset[int]
    """The calls of this run whose tasks have not been answered."""
    seen_s: float


class Positions:
    """The positions of the executions that were seen last."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, Position] = OrderedDict()

    def get(self, id: str) -> Position | None:
        return self._seen.get(id)

    def is_fresh(self, position: Position) -> bool:
        return 0 <= self._clock() - position.seen_s < FRESH_S

    def put(self, record: ExecutionRecord, open: frozenset[int]) -> Position:
        position = Position(record, open, self._clock())
        self._seen[record.id] = position
        self._seen.move_to_end(record.id)
        while len(self._seen) > MOST:
            self._seen.popitem(last=False)
        return position

    def forget(self, id: str) -> None:
        self._seen.pop(id, None)
