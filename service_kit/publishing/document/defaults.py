"""Defaults of a document as values of their types: `Color.RED` for "red", a date for its text."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from service_kit.publishing.definitions import Assignment, Class, Definition
from service_kit.publishing.document.constraints import plain
from service_kit.publishing.expressions import (
    NONE,
    Display,
    Expression,
    Imported,
    Local,
    Member,
    Pair,
    String,
    Subscript,
    Union,
    builtin,
)
from service_kit.publishing.values import Unspeakable, value_of

_TYPES: Mapping[Expression, type[Any]] = {
    builtin("int"): int,
    builtin("float"): float,
    builtin("bool"): bool,
    builtin("str"): str,
    builtin("bytes"): bytes,
    Imported("datetime", "date"): datetime.date,
    Imported("datetime", "datetime"): datetime.datetime,
    Imported("datetime", "time"): datetime.time,
    Imported("datetime", "timedelta"): datetime.timedelta,
    Imported("uuid", "UUID"): uuid.UUID,
}
_ANNOTATED, _LITERAL = Imported("typing", "Annotated"), Imported("typing", "Literal")


def default_of(form: Expression, value: Any, definitions: Mapping[str, Definition]) -> Expression:
    """Return a default as its type has it; raise Unspeakable for one that is not of its type, or a whole model."""
    match form:
        case _ if form in _TYPES:
            return _scalar(_TYPES[form], value)
        case _ if value is None or form == Imported("typing", "Any"):
            return plain(value)
        case Subscript(base=base, items=items) if base == _ANNOTATED:
            return default_of(items[0], value, definitions)
        case Subscript(base=base, items=items) if base == _LITERAL:
            if (found := plain(value)) in items:
                return found
        case Subscript():
            return _collection(form, value, definitions)
        case Union(members=members):
            return _first(members, value, definitions)
        case Local(key=key):
            return _defined(form, definitions[key], value, definitions)
        case _:
            pass
    raise Unspeakable(f"{value!r}")


def _scalar(cls: type[Any], value: Any) -> Expression:
    try:
        read: object = TypeAdapter(cls).validate_python(value)
    except ValidationError:
        raise Unspeakable(f"{value!r}") from None
    if isinstance(read, float):
        return plain(read)
    return value_of(read, _no_class)


def _collection(form: Subscript, value: Any, definitions: Mapping[str, Definition]) -> Expression:
    if isinstance(value, dict) and form.base == builtin("dict"):
        members = cast("dict[str, Any]", value).items()
        pairs = (Pair(String(k), default_of(form.items[1], v, definitions)) for k, v in members)
        return Display("{", tuple(pairs), "}")
    if isinstance(value, list) and form.base in (builtin("list"), builtin("set")):
        items = tuple(default_of(form.items[0], item, definitions) for item in value)
        if form.base == builtin("list"):
            return Display("[", items, "]")
        if items:
            return Display("{", items, "}")
    raise Unspeakable(f"{value!r}")


def _first(members: tuple[Expression, ...], value: Any, definitions: Mapping[str, Definition]) -> Expression:
    for member in members:
        if member != NONE:
            try:
                return default_of(member, value, definitions)
            except Unspeakable:
                continue
    raise Unspeakable(f"{value!r}")


def _defined(
    form: Local, definition: Definition, value: Any, definitions: Mapping[str, Definition]
) -> Expression:
    if isinstance(definition, Assignment):
        if definition.annotation is not None:
            return default_of(definition.value, value, definitions)
    elif isinstance(definition, Class):
        for line in definition.lines:
            if line.annotation is None and line.value == plain(value):
                return Member(form, line.name)
    raise Unspeakable(f"{value!r}")


def _no_class(cls: type) -> Expression:
    raise Unspeakable(f"{cls} is not of JSON")
