"""When executions are due: the timers of one process, one for each execution at most."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

SPARE = 64


@dataclass(slots=True)
class Timers:
    """A heap that forgets: an execution's next time replaces the one before."""

    _due: dict[str, float] = field(default_factory=dict[str, float])
    _heap: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])

    def set(self, id: str, at_s: float | None) -> bool:
        """Set an execution's time, None for never; return whether it is now the earliest of all."""
        if at_s is None:
            self._due.pop(id, None)
            return False
        if self._due.get(id) == at_s:
            return False
        self._due[id] = at_s
        heapq.heappush(self._heap, (at_s, id))
        if len(self._heap) > 2 * len(self._due) + SPARE:
            self._heap = [(due_s, each) for each, due_s in self._due.items()]
            heapq.heapify(self._heap)
        return self._heap[0] == (at_s, id)

    def next_s(self) -> float | None:
        """Return the earliest time."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, now_s: float) -> list[str]:
        """Return the executions whose time has come, the earliest first, and forget their times."""
        due: list[str] = []
        while (next_s := self.next_s()) is not None and next_s <= now_s:
            due.append(heapq.heappop(self._heap)[1])
            del self._due[due[-1]]
        return due

    def __len__(self) -> int:
        return len(self._due)
