"""Whether one alternative of a union admits all that another one does: what was removed may not be missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias

from service_kit.diff.difference import Difference
from service_kit.diff.shapes import Shape
from service_kit.diff.steps import Part, Steps

Harm: TypeAlias = Literal["narrows", "widens"]

_DEEPEST = 12
_MOST_PAIRS = 400
"""Of one question; what is not proved by then is not taken for proved."""


class Covering:
    """Proves that a shape may stand for another one, as far as that is quickly done.

    A pair that is being proved is taken for proved while it is, so that recursive schemas have proofs.
    """

    def __init__(
        self, steps: Steps, shapes: Callable[[Part], tuple[Sequence[Shape], Sequence[Shape]]]
    ) -> None:
        self._steps = steps
        self._shapes = shapes
        self._known: dict[tuple[Harm, str, str], bool] = {}
        self._left = 0

    def harmless(self, old: Shape, new: Shape, harm: Harm) -> bool:
        """Tell whether no difference between the two narrows (widens)."""
        key = (harm, old.text, new.text)
        if key not in self._known:
            self._left = _MOST_PAIRS
            self._known[key] = self._prove(old, new, harm, frozenset())
        return self._known[key]

    def _prove(self, old: Shape, new: Shape, harm: Harm, assumed: frozenset[tuple[str, str]]) -> bool:
        pair = (old.text, new.text)
        if pair in assumed:
            return True
        self._left -= 1
        if self._left < 0 or len(assumed) >= _DEEPEST:
            return False
        parts: list[Part] = []
        for step in self._steps.between(old, new):
            match step:
                case Difference():
                    if step.narrows if harm == "narrows" else step.widens:
                        return False
                case Part():
                    parts.append(step)
        return all(self._part(part, harm, assumed | {pair}) for part in parts)

    def _part(self, part: Part, harm: Harm, assumed: frozenset[tuple[str, str]]) -> bool:
        olds, news = self._shapes(part)

        def pairs(shape: Shape) -> Iterator[tuple[Shape, Shape]]:
            yield from ((shape, b) for b in news) if harm == "narrows" else ((a, shape) for a in olds)

        return all(
            any(self._prove(a, b, harm, assumed) for a, b in pairs(shape))
            for shape in (olds if harm == "narrows" else news)
        )
