"""What a published contract consists of, whatever it was read from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from service_kit.publishing.expressions import Expression, Local, walk

Place: TypeAlias = Literal["models", "errors", "events"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a class body: a field, a member of an enumeration, `model_config`."""

    name: str
    annotation: Expression | None
    value: Expression | None = None


@dataclass(frozen=True, slots=True)
class Class:
    """A model, dataclass, enumeration, error or event."""

    name: str
    origin: str
    """The module that it comes from: tells apart what has one name."""
    place: Place
    bases: tuple[Expression, ...]
    keywords: tuple[tuple[str, Expression], ...] = ()
    decorator: Expression | None = None
    doc: str = ""
    lines: tuple[Line, ...] = ()

    def needed_at_once(self) -> Iterator[str]:
        """Yield the keys of what must stand before it."""
        now = [*self.bases, *(v for _, v in self.keywords), *(x.value for x in self.lines if x.value)]
        if self.decorator is not None:
            now.append(self.decorator)
        for expression in now:
            yield from _keys(expression)

    def expressions(self) -> Iterator[Expression]:
        yield from self.bases
        yield from (value for _, value in self.keywords)
        if self.decorator is not None:
            yield self.decorator
        for line in self.lines:
            if line.annotation is not None:
                yield line.annotation
            if line.value is not None:
                yield line.value


@dataclass(frozen=True, slots=True)
class Assignment:
    """An alias, a NewType, a TypeVar."""

    name: str
    origin: str
    annotation: Expression | None
    value: Expression
    place: Place = "models"
    doc: str = ""

    def needed_at_once(self) -> Iterator[str]:
        yield from _keys(self.value)

    def expressions(self) -> Iterator[Expression]:
        if self.annotation is not None:
            yield self.annotation
        yield self.value


Definition: TypeAlias = Class | Assignment


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter of a published signature."""

    name: str
    annotation: Expression
    default: Expression | None
    keyword_only: bool = False
    mutable: bool = False
    """Whether the default is a list or a dict, which linters ask about."""


@dataclass(frozen=True, slots=True)
class Method:
    """A command or a workflow."""

    name: str
    decorator: Expression
    arguments: tuple[Argument, ...]
    result: Expression
    doc: str = ""
    is_async: bool = True
    is_workflow: bool = False

    def expressions(self) -> Iterator[Expression]:
        yield self.decorator
        for argument in self.arguments:
            yield argument.annotation
            if argument.default is not None:
                yield argument.default
        yield self.result


@dataclass(frozen=True, slots=True)
class ServiceClass:
    """The contract's class."""

    name: str
    base: Expression
    keywords: tuple[tuple[str, Expression], ...]
    doc: str
    methods: tuple[Method, ...]
    attributes: tuple[Line, ...] = ()
    """Signals and states."""

    def expressions(self) -> Iterator[Expression]:
        yield self.base
        yield from (value for _, value in self.keywords)
        for method in self.methods:
            yield from method.expressions()
        for line in self.attributes:
            if line.value is not None:
                yield line.value


@dataclass(frozen=True, slots=True)
class Published:
    """A contract, ready to be written."""

    service: ServiceClass
    version: str
    definitions: dict[str, Definition]
    """By key, in the order in which they were met."""
    url: str | None = None
    """Where the service is, if that is known."""
    notes: tuple[str, ...] = ()
    """What could not be carried."""


@dataclass(slots=True)
class Ledger:
    """Definitions as they are found, and what could not be carried."""

    definitions: dict[str, Definition] = field(default_factory=dict[str, Definition])
    notes: dict[str, None] = field(default_factory=dict[str, None])

    def note(self, text: str) -> None:
        self.notes[text] = None


def _keys(expression: Expression) -> Iterator[str]:
    for found in walk(expression, quoted=False):
        if isinstance(found, Local):
            yield found.key


def mentioned(expression: Expression) -> Iterator[str]:
    """Yield the keys of the definitions that an expression mentions."""
    for found in walk(expression):
        if isinstance(found, Local):
            yield found.key
