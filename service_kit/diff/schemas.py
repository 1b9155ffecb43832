"""Two schemas compared by the values that they admit, however they and their components are named and spelt."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from service_kit.diff.alternatives import partners, told
from service_kit.diff.change import Direction
from service_kit.diff.covering import Covering
from service_kit.diff.difference import Difference
from service_kit.diff.document import Document, canonical
from service_kit.diff.shapes import Shape, shapes_of
from service_kit.diff.steps import Part, Step, Steps

_Key: TypeAlias = tuple[str, str]
"""Two schemas by their texts."""


class SchemaComparison:
    """Compares the schemas of two documents that travel in one direction.

    Part by part, from the outside inwards, and each pair of schemas once: so a recursive schema ends, a difference in
    what is used in many places is told at the outermost, and no depth is too much.
    """

    def __init__(self, old: Document, new: Document, direction: Direction) -> None:
        self._old = old
        self._new = new
        self._steps = Steps(old, new, direction)
        self._covering = Covering(self._steps, self._both)
        self._shapes: dict[tuple[bool, str], Sequence[Shape]] = {}
        self._known: dict[_Key, tuple[list[Difference], list[tuple[_Key, Part]]]] = {}
        """What is between two schemas themselves, and their parts."""
        self._equal: set[_Key] = set()
        """Those between which there is nothing, however deep."""
        self._texts: dict[int, tuple[Any, str]] = {}

    def differences(self, old: Any, new: Any) -> tuple[Difference, ...]:
        """Return what is different, each difference once."""
        found: dict[Difference, None] = {}
        whole = Part((), old, new)
        pending = deque([(self._key(whole), whole)])
        seen = {pending[0][0]}
        while pending:
            key, part = pending.popleft()
            if key not in self._known:
                self._known[key] = self._compared(part)
            differences, parts = self._known[key]
            for d in differences:
                found[d.below(*part.place)] = None
            for inner, p in parts:
                if inner not in seen and inner not in self._equal:
                    seen.add(inner)
                    pending.append((inner, Part((*part.place, *p.place), p.old, p.new)))
        if not found:
            self._equal |= seen
        return tuple(found)

    def _compared(self, part: Part) -> tuple[list[Difference], list[tuple[_Key, Part]]]:
        steps = list(self._unions(*self._both(part)))
        parts = [(self._key(step), step) for step in steps if isinstance(step, Part)]
        return [step for step in steps if isinstance(step, Difference)], parts

    def _key(self, part: Part) -> _Key:
        return self._text(part.old), self._text(part.new)

    def _both(self, part: Part) -> tuple[Sequence[Shape], Sequence[Shape]]:
        return self._shapes_of(part.old, old=True), self._shapes_of(part.new, old=False)

    def _shapes_of(self, schema: Any, *, old: bool) -> Sequence[Shape]:
        key = (old, self._text(schema))
        if key not in self._shapes:
            self._shapes[key] = shapes_of(self._old if old else self._new, schema)
        return self._shapes[key]

    def _text(self, schema: Any) -> str:
        """Return the canonical text of a schema, which is asked for often."""
        known = self._texts.get(id(schema))
        # Held, lest another one gets its id.
        if known is None or known[0] is not schema:
            known = self._texts[id(schema)] = (schema, canonical(schema))
        return known[1]

    def _unions(self, olds: Sequence[Shape], news: Sequence[Shape]) -> Iterator[Step]:
        """Compare unions: partners first, then what has none."""
        if len(olds) == len(news) == 1:
            yield from self._steps.between(olds[0], news[0])
            return
        left_a, left_b = list(range(len(olds))), list(range(len(news)))
        for i, j in partners(olds, news, self._alike, self._distance):
            left_a.remove(i)
            left_b.remove(j)
            for step in self._steps.between(olds[i], news[j]):
                if isinstance(step, Part) or not self._is_made_up_for(step, olds[i], news[j], olds, news):
                    yield step
        for i in left_a:
            if not self._is_covered(olds[i], news):
                rule = "null-removed" if olds[i].kind == "null" else "alternative-removed"
                yield Difference(rule, (), told(olds[i]))
        for j in left_b:
            if not self._is_foreseen(news[j], olds):
                rule = "null-added" if news[j].kind == "null" else "alternative-added"
                yield Difference(rule, (), "", told(news[j]))

    def _is_made_up_for(
        self, d: Difference, old: Shape, new: Shape, olds: Sequence[Shape], news: Sequence[Shape]
    ) -> bool:
        """Tell whether other alternatives admit what a difference of two partners is about."""
        if not d.narrows and not d.widens:
            return False
        return (not d.narrows or self._is_covered(old, news)) and (
            not d.widens or self._is_foreseen(new, olds)
        )

    def _is_covered(self, old: Shape, news: Sequence[Shape]) -> bool:
        return any(self._covering.harmless(old, new, "narrows") for new in news)

    def _is_foreseen(self, new: Shape, olds: Sequence[Shape]) -> bool:
        return any(self._covering.harmless(old, new, "widens") for old in olds)

    def _alike(self, a: Shape, b: Shape) -> bool:
        """Tell whether two alternatives admit the same."""
        return self._covering.harmless(a, b, "narrows") and self._covering.harmless(a, b, "widens")

    def _distance(self, a: Shape, b: Shape) -> int:
        """Return how much is different between two alternatives themselves."""
        return sum(isinstance(step, Difference) for step in self._steps.between(a, b))
