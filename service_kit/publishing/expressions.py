"""Expressions of Python that a published contract consists of, before their names are settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """Source as it stands: a number, `None`, `...`."""

    text: str


@dataclass(frozen=True, slots=True)
class String:
    """A string literal; a long one is broken between words."""

    value: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A name of another module."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Local:
    """A definition of the published package, by its key."""

    key: str


@dataclass(frozen=True, slots=True)
class Member:
    """`Color.RED`."""

    base: Expression
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """`Field(ge=1)`; a name is empty for what is given by position."""

    function: Expression
    arguments: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Subscript:
    """`dict[str, int]`."""

    base: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """`int | None`."""

    members: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Display:
    """A list, tuple, set or dict: `opening` and `closing` are its brackets, items of a dict are pairs."""

    opening: str
    items: tuple[Expression | Pair, ...]
    closing: str


@dataclass(frozen=True, slots=True)
class Pair:
    """`"a": 1`."""

    key: Expression
    value: Expression


@dataclass(frozen=True, slots=True)
class Quoted:
    """A type in quotes, which is looked up later: in an alias of itself."""

    inner: Expression


Expression: TypeAlias = (
    Text | String | Imported | Local | Member | Call | Subscript | Union | Display | Pair | Quoted
)

NONE = Text("None")


def builtin(name: str) -> Imported:
    return Imported("builtins", name)


def call(function: Expression, *given: Expression, **named: Expression) -> Call:
    return Call(function, (*(("", one) for one in given), *named.items()))


def annotated(inner: Expression, metadata: Iterable[Expression]) -> Expression:
    """Return the type with its metadata, or alone if there is none."""
    more = tuple(metadata)
    if not more:
        return inner
    if isinstance(inner, Subscript) and inner.base == Imported("typing", "Annotated"):
        return Subscript(inner.base, (*inner.items, *more))
    return Subscript(Imported("typing", "Annotated"), (inner, *more))


def union(members: Iterable[Expression]) -> Expression:
    """Return the union, flat and without repetitions, or the only member."""
    flat: dict[Expression, None] = {}
    for member in members:
        flat.update(dict.fromkeys(member.members if isinstance(member, Union) else (member,)))
    # None goes last, as people write it.
    ordered = [m for m in flat if m != NONE] + [m for m in flat if m == NONE]
    return ordered[0] if len(ordered) == 1 else Union(tuple(ordered))


def children(expression: Expression) -> tuple[Expression, ...]:
    """Return the expressions that one consists of."""
    match expression:
        case Text() | String() | Imported() | Local():
            return ()
        case Member(base=base):
            return (base,)
        case Call(function=function, arguments=arguments):
            return (function, *(value for _, value in arguments))
        case Subscript(base=base, items=items):
            return (base, *items)
        case Union(members=members):
            return members
        case Display(items=items):
            return items
        case Pair(key=key, value=value):
            return (key, value)
        case Quoted(inner=inner):
            return (inner,)


def walk(expression: Expression, *, quoted: bool = True) -> Iterator[Expression]:
    """Yield the expression and all that it consists of; without what is in quotes, if asked so."""
    pending = [expression]
    while pending:
        found = pending.pop()
        yield found
        if quoted or not isinstance(found, Quoted):
            pending.extend(reversed(children(found)))
