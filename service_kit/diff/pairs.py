"""Which operation of one document is which of the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from service_kit.diff.document import Operation


def shape_of(path: str) -> str:
    """Return a path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path.rstrip("/") or "/")


def parameters_of(path: str) -> list[str]:
    """Return the names of a path's parameters, in their order."""
    return re.findall(r"\{([^}]*)\}", path)


def pair(
    olds: Sequence[Operation], news: Sequence[Operation]
) -> tuple[list[tuple[Operation, Operation]], list[Operation], list[Operation]]:
    """Return the pairs, what was removed, and what was added.

    Name and route together come first; then names count, for what has moved, and then routes, for what was renamed.
    """
    pairs: list[tuple[Operation, Operation]] = []
    left_a, left_b = list(olds), list(news)
    keys: tuple[Callable[[Operation], object], ...] = (
        lambda o: (o.method, o.path, o.id),
        lambda o: (o.method, shape_of(o.path), o.id),
        lambda o: o.id or None,
        lambda o: (o.method, shape_of(o.path)),
    )
    for key in keys:
        found = {key(o): o for o in left_b if key(o) is not None}
        for old in list(left_a):
            new = found.pop(key(old), None)
            if new is not None:
                left_a.remove(old)
                left_b.remove(new)
                pairs.append((old, new))
    order = {id(o): position for position, o in enumerate(olds)}
    pairs.sort(key=lambda p: order[id(p[0])])
    return pairs, left_a, left_b
