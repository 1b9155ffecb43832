"""The alternatives of a union: which of one version is which of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from service_kit.diff.difference import Difference, listed
from service_kit.diff.limits import compare_limits
from service_kit.diff.shapes import Shape

_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "any": "anything",
}


def partners(
    olds: Sequence[Shape],
    news: Sequence[Shape],
    alike: Callable[[Shape, Shape], bool],
    distance: Callable[[Shape, Shape], int],
) -> Iterator[tuple[int, int]]:
    """Yield the positions of alternatives that belong together: by spelling, tag, name, meaning, and likeness."""
    left_a, left_b = list(range(len(olds))), list(range(len(news)))
    kinships: tuple[Callable[[Shape, Shape], bool], ...] = (
        lambda a, b: a.text == b.text,
        lambda a, b: a.kind == b.kind and bool(_tags(a) & _tags(b)),
        lambda a, b: a.kind == b.kind and a.name != "" and a.name == b.name,
        lambda a, b: a.kind == b.kind and alike(a, b),
    )
    for belongs in kinships:
        for i in list(left_a):
            j = next((j for j in left_b if belongs(olds[i], news[j])), None)
            if j is not None:
                left_a.remove(i)
                left_b.remove(j)
                yield i, j
    near = sorted(
        (distance(olds[i], news[j]), i, j) for i in left_a for j in left_b if _related(olds[i], news[j])
    )
    for _, i, j in near:
        if i in left_a and j in left_b:
            left_a.remove(i)
            left_b.remove(j)
            yield i, j


def compare_kinds(old: Shape, new: Shape) -> Iterator[Difference]:
    """Yield what is different between shapes of two types."""
    words = (told(old), told(new))
    if (old.kind, new.kind) == ("integer", "number") or (new.kind == "any" and not new.keywords):
        yield Difference("type-widened", (), *words)
    elif (old.kind, new.kind) == ("number", "integer") or (old.kind == "any" and not old.keywords):
        yield Difference("type-narrowed", (), *words)
    else:
        yield Difference("type-changed", (), *words)
    if {old.kind, new.kind} == {"integer", "number"}:
        yield from compare_limits(old, new)


def told(shape: Shape) -> str:
    """Return a shape as a sentence names it."""
    if "enum" in shape.keywords:
        return listed(shape.keywords["enum"])
    word = _WORDS[shape.kind]
    return f"{word} `{shape.name}`" if shape.name and shape.kind in ("object", "array") else word


def _related(a: Shape, b: Shape) -> bool:
    """Tell whether one could have become the other."""
    if _tags(a) and _tags(b):
        return False  # each says what it is, and they differ
    return a.kind == b.kind or {a.kind, b.kind} == {"integer", "number"}


def _tags(shape: Shape) -> set[tuple[str, str]]:
    """Return the properties that have one possible value, with it: what tells members of a union apart."""
    found: set[tuple[str, str]] = set()
    for name, schema in (shape.keywords.get("properties") or {}).items():
        if isinstance(schema, dict):
            enum = schema.get("enum")
            if "const" in schema:
                found.add((name, str(schema["const"])))
            elif isinstance(enum, list) and len(enum) == 1:
                found.add((name, str(enum[0])))
    return found
