"""Values of Python as expressions: defaults, constraints and members of enumerations."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from enum import Enum, Flag
from keyword import iskeyword
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel

from service_kit.publishing.expressions import (
    NONE,
    Call,
    Display,
    Expression,
    Imported,
    Member,
    Pair,
    String,
    Subscript,
    Text,
    builtin,
    call,
)
from service_kit.publishing.layout import quote

Refer = Callable[[type], Expression]
"""Returns the expression that names a class; raises Unspeakable for one that cannot be published."""


class Unspeakable(ValueError):
    """A value that no source can spell: a function, an object of a class that is not published."""


def value_of(value: object, refer: Refer) -> Expression:
    """Return the expression that makes the value; raise Unspeakable."""
    match value:
        case None:
            return NONE
        case Enum():
            return _member(value, refer)
        case bool() | int() if type(value) in (bool, int):
            return Text(repr(value))
        case float() if type(value) is float:
            return Text(repr(value)) if math.isfinite(value) else call(builtin("float"), String(str(value)))
        case str() if type(value) is str:
            return String(value)
        case bytes() if type(value) is bytes:
            return Text(f"b{quote(value.decode('latin-1'))}" if value.isascii() else repr(value))
        case list() | tuple() | set() | frozenset() | dict():
            return _collection(value, refer)
        case _:
            return _object(value, refer)


def is_mutable(value: object, annotation: Expression) -> bool:
    """Tell whether linters would ask about it as a default of a parameter of this type."""
    while isinstance(annotation, Subscript) and annotation.base == Imported("typing", "Annotated"):
        annotation = annotation.items[0]
    bare = annotation.base if isinstance(annotation, Subscript) else annotation
    read_only = isinstance(bare, Imported) and bare.module in ("collections.abc", "typing")
    return isinstance(value, list | dict | set) and not read_only


def _member(value: Enum, refer: Refer) -> Expression:
    cls = refer(type(value))
    if value._name_ and not isinstance(value, Flag):
        return Member(cls, value._name_)
    return call(cls, value_of(value.value, refer))


def _collection(value: Any, refer: Refer) -> Expression:
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value).items()
        return Display("{", tuple(Pair(value_of(k, refer), value_of(v, refer)) for k, v in pairs), "}")
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        named = cast(Any, value)._asdict().items()
        return Call(refer(type(value)), tuple((k, value_of(v, refer)) for k, v in named))
    items = tuple(value_of(item, refer) for item in value)
    if isinstance(value, list):
        return Display("[", items, "]")
    if isinstance(value, tuple):
        return Display("(", items, ")")
    ordered = tuple(sorted(items, key=repr))
    name = "frozenset" if isinstance(value, frozenset) else "set"
    if not ordered:
        return call(builtin(name))
    display = Display("{", ordered, "}")
    return display if name == "set" else call(builtin(name), display)


def _object(value: Any, refer: Refer) -> Expression:
    match value:
        case datetime.datetime() if value.tzinfo not in (None, datetime.UTC):
            raise Unspeakable(f"{value!r} has a time zone of its own")
        case datetime.datetime() | datetime.time():
            return _moment(value)
        case datetime.date():
            parts = (value.year, value.month, value.day)
            return call(Imported("datetime", "date"), *(Text(str(part)) for part in parts))
        case datetime.timedelta():
            # As whole numbers: a float of seconds has no room for the microseconds of long ones.
            rest = {"microseconds": Text(str(value.microseconds))} if value.microseconds else {}
            seconds = Text(str(value.days * 86_400 + value.seconds))
            return call(Imported("datetime", "timedelta"), seconds=seconds, **rest)
        case Decimal() | UUID():
            return call(Imported(type(value).__module__, type(value).__name__), String(str(value)))
        case PurePath():
            return call(Imported("pathlib", "Path"), String(value.as_posix()))
        case BaseModel():
            return Call(refer(type(value)), tuple(_set_fields(value, refer)))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return Call(refer(type(value)), tuple(_given(value, refer)))
        case type():
            return refer(value)
        case _:
            raise Unspeakable(f"{value!r}")


def _set_fields(value: BaseModel, refer: Refer) -> Iterator[tuple[str, Expression]]:
    """Yield the fields that a model was given, by the names that its class takes them by."""
    config = type(value).model_config
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    for name, field in type(value).model_fields.items():
        if name in value.model_fields_set:
            alias = None if by_name else field.validation_alias
            known = name if alias is None else field.alias
            # Checkers know of `alias` alone.
            if known is None or known != (alias or name) or not known.isidentifier() or iskeyword(known):
                raise Unspeakable(f"a {type(value).__name__} whose '{name}' is given as {alias!r}")
            yield known, value_of(getattr(value, name), refer)
        elif not field.is_required():
            _check_default(name, field.default, field.default_factory, refer)


def _check_default(name: str, default: object, factory: object, refer: Refer) -> None:
    """Raise Unspeakable where a field that was left out has a default that the published class has not."""
    if factory is None:
        value_of(default, refer)
    elif not is_carried_factory(factory):
        raise Unspeakable(f"an object whose '{name}' is made by code")


def is_carried_factory(factory: object) -> bool:
    """Tell whether the published package can name a factory: a class, or a function of the standard library."""
    name = getattr(factory, "__qualname__", "")
    return isinstance(factory, type) or (
        getattr(factory, "__module__", "") == "uuid" and name.startswith("uuid")
    )


def _moment(value: Any) -> Expression:
    kind = type(value).__name__
    names = ("hour", "minute", "second", "microsecond")
    parts = [getattr(value, name) for name in names]
    if kind == "datetime":
        parts = [value.year, value.month, value.day, *parts]
    while parts[-1] == 0 and len(parts) > (3 if kind == "datetime" else 1):
        parts.pop()
    zone = {"tzinfo": Imported("datetime", "UTC")} if value.tzinfo is not None else {}
    return call(Imported("datetime", kind), *(Text(str(part)) for part in parts), **zone)


def _given(value: Any, refer: Refer) -> list[tuple[str, Expression]]:
    """Return the fields of a dataclass's instance that differ from their defaults."""
    found: list[tuple[str, Expression]] = []
    for one in fields(value):
        actual = getattr(value, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if one.init and (default is MISSING or actual != default or type(actual) is not type(default)):
            found.append((one.name, value_of(actual, refer)))
        elif one.init:
            factory = None if one.default_factory is MISSING else one.default_factory
            _check_default(one.name, one.default, factory, refer)
    return found
