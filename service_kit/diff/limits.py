"""Constraints on values of one type: bounds, lengths, patterns, formats."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from service_kit.diff.difference import Difference, listed, shown
from service_kit.diff.document import Json, canonical
from service_kit.diff.shapes import GENERAL, Shape

_UNITS = {
    "minLength": "character",
    "maxLength": "character",
    "minItems": "item",
    "maxItems": "item",
    "minProperties": "field",
    "maxProperties": "field",
    "minContains": "matching item",
    "maxContains": "matching item",
}
_ANYTHING = "anything"
_OPAQUE = ("pattern", "contentMediaType", "contentEncoding", "dependentRequired", *sorted(GENERAL - {"enum"}))
_GENERAL_FORMATS = {("int32", "int64"), ("float", "double")}
"""Formats whose values are all values of another one."""


def compare_limits(old: Shape, new: Shape) -> Iterator[Difference]:
    """Yield what is different in everything but the parts of objects and arrays."""
    a, b = old.keywords, new.keywords
    yield from _enums(a.get("enum"), b.get("enum"))
    whole = old.kind == new.kind == "integer"
    yield from _bound("at least", "over", _lowest(a, whole), _lowest(b, whole), 1)
    yield from _bound("at most", "under", _highest(a, whole), _highest(b, whole), -1)
    for keyword, unit in _UNITS.items():
        yield from _count(keyword, unit, a.get(keyword), b.get(keyword))
    yield from _multiples(a.get("multipleOf"), b.get("multipleOf"))
    yield from _formats(
        a.get("format"), b.get("format"), "any text" if old.kind == "string" else "any number"
    )
    if bool(a.get("uniqueItems")) != bool(b.get("uniqueItems")):
        tighter = bool(b.get("uniqueItems"))
        words = ("repeated items", "distinct items") if tighter else ("distinct items", "repeated items")
        yield Difference("limit-tightened" if tighter else "limit-loosened", (), *words)
    for keyword in _OPAQUE:
        yield from _opaque(keyword, a.get(keyword), b.get(keyword))


def _enums(old: list[Any] | None, new: list[Any] | None) -> Iterator[Difference]:
    if old is None and new is not None:
        yield Difference("enum-added", (), "", listed(new))
    elif new is None and old is not None:
        yield Difference("enum-removed", (), listed(old))
    elif old is not None and new is not None:
        before, after = {canonical(v): v for v in old}, {canonical(v): v for v in new}
        if gone := [v for text, v in before.items() if text not in after]:
            yield Difference("enum-value-removed", (), listed(gone))
        if come := [v for text, v in after.items() if text not in before]:
            yield Difference("enum-value-added", (), "", listed(come))


def _lowest(keywords: Json, whole: bool) -> tuple[float, int]:
    """Return the lower bound, and 1 if it is itself excluded."""
    inclusive, exclusive = keywords.get("minimum"), keywords.get("exclusiveMinimum")
    found = max(
        (-math.inf if inclusive is None else inclusive, 0), (-math.inf if exclusive is None else exclusive, 1)
    )
    if not whole or math.isinf(found[0]):
        return found
    return (math.floor(found[0]) + 1, 0) if found[1] else (math.ceil(found[0]), 0)


def _highest(keywords: Json, whole: bool) -> tuple[float, int]:
    """Return the upper bound, and -1 if it is itself excluded."""
    inclusive, exclusive = keywords.get("maximum"), keywords.get("exclusiveMaximum")
    found = min(
        (math.inf if inclusive is None else inclusive, 0), (math.inf if exclusive is None else exclusive, -1)
    )
    if not whole or math.isinf(found[0]):
        return found
    return (math.ceil(found[0]) - 1, 0) if found[1] else (math.floor(found[0]), 0)


def _bound(
    inclusive: str, exclusive: str, old: tuple[float, int], new: tuple[float, int], sign: int
) -> Iterator[Difference]:
    """Yield how a bound has moved; `sign` is 1 where higher is tighter."""

    def told(bound: tuple[float, int]) -> str:
        if math.isinf(bound[0]):
            return "any number"
        return f"{exclusive if bound[1] else inclusive} {_exact(bound[0])}"

    if old[0] == new[0] if math.isinf(old[0]) else old == new:
        return
    tighter = (new > old) if sign > 0 else (new < old)
    yield Difference("limit-tightened" if tighter else "limit-loosened", (), told(old), told(new))


def _count(keyword: str, unit: str, old: int | None, new: int | None) -> Iterator[Difference]:
    lower = keyword.startswith("min")
    least = 1 if keyword == "minContains" else 0
    a = (least if lower else math.inf) if old is None else old
    b = (least if lower else math.inf) if new is None else new
    if a == b:
        return

    def told(count: float) -> str:
        if count == math.inf or (lower and count <= least):
            return f"any number of {unit}s"
        return f"{'at least' if lower else 'at most'} {_exact(count)} {unit}{'' if count == 1 else 's'}"

    tighter = b > a if lower else b < a
    yield Difference("limit-tightened" if tighter else "limit-loosened", (), told(a), told(b))


def _exact(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(number)


def _multiples(old: float | None, new: float | None) -> Iterator[Difference]:
    if old == new:
        return
    words = ("any number" if n is None else f"multiples of {_exact(n)}" for n in (old, new))
    if old is None or (new is not None and _divides(old, new)):
        yield Difference("limit-tightened", (), *words)
    elif new is None or _divides(new, old):
        yield Difference("limit-loosened", (), *words)
    else:
        yield Difference("limit-changed", (), *words)


def _divides(divisor: float, number: float) -> bool:
    if not divisor:
        return False  # nothing is a multiple of nothing
    quotient = number / divisor
    return abs(quotient - round(quotient)) < 1e-9


def _formats(old: Any, new: Any, anything: str) -> Iterator[Difference]:
    if old == new:
        return
    words = (anything if f is None else f"a `{f}`" for f in (old, new))
    if new is None or (old, new) in _GENERAL_FORMATS:
        yield Difference("format-generalized", (), *words)
    elif old is None or (new, old) in _GENERAL_FORMATS:
        yield Difference("format-specialized", (), *words)
    else:
        yield Difference("type-changed", (), *words)


def _opaque(keyword: str, old: Any, new: Any) -> Iterator[Difference]:
    """Compare a keyword of which nothing but equality can be decided."""
    if old is new or canonical(old) == canonical(new):
        return
    words = (_ANYTHING if v is None else f"what fits {keyword} {shown(v)}" for v in (old, new))
    if old is None:
        yield Difference("limit-tightened", (), *words)
    elif new is None:
        yield Difference("limit-loosened", (), *words)
    else:
        yield Difference("limit-changed", (), *words)
