"""Pydantic models, events and declared errors as definitions."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any, ClassVar, Generic, NewType, cast, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from service_kit.contract.event import Event
from service_kit.errors import ServiceError
from service_kit.publishing.definitions import Class, Line
from service_kit.publishing.expressions import (
    NONE,
    Call,
    Expression,
    Imported,
    String,
    Subscript,
    Text,
    union,
)
from service_kit.publishing.fields import FIELD, constraints, default_factory, field_call, given
from service_kit.publishing.origins import imported
from service_kit.publishing.reading import Reader, doc_of, hints_of, own_annotations, place_of
from service_kit.publishing.values import Unspeakable, value_of

_CONFIG = Imported("pydantic", "ConfigDict")


def publish_model(cls: type[BaseModel], reader: Reader) -> Class:
    is_event = issubclass(cls, Event)
    lines = [*_config(cls, reader), *_model_fields(cls, reader), *_computed(cls, reader)]
    keywords: tuple[tuple[str, Expression], ...] = ()
    if is_event and cast(Any, cls).event_name != cls.__name__:
        keywords = (("name", String(cast(Any, cls).event_name)),)
    return Class(
        cls.__name__,
        cls.__module__,
        "events" if is_event else "models",
        tuple(_model_bases(cls, reader)),
        keywords,
        doc=doc_of(cls),
        lines=tuple(lines),
    )


def _model_bases(cls: type[BaseModel], reader: Reader) -> Iterator[Expression]:
    for base in vars(cls).get("__orig_bases__") or cls.__bases__:
        if get_origin(base) is Generic or base is Generic:
            yield Subscript(Imported("typing", "Generic"), _variables(cls, reader))
        elif isinstance(base, type) and issubclass(base, BaseModel):
            yield reader.read(base, cls.__module__, cls.__name__)
        elif isinstance(base, type) and issubclass(base, Enum | str | int):
            yield reader.refer(base)


def _variables(cls: type[BaseModel], reader: Reader) -> tuple[Expression, ...]:
    parameters = cls.__pydantic_generic_metadata__["parameters"]
    return tuple(reader.read(variable, cls.__module__, cls.__name__) for variable in parameters)


def _config(cls: type[BaseModel], reader: Reader) -> Iterator[Line]:
    inherited: dict[str, Any] = {}
    for base in reversed(cls.__bases__):
        if issubclass(base, BaseModel):
            inherited.update(base.model_config)
    own = {k: v for k, v in cls.model_config.items() if k not in inherited or inherited[k] != v}
    own.pop("title", None) if own.get("title") == cls.__name__ else None
    # What a generator made of the names stands at each field.
    plain = {k: v for k, v in own.items() if isinstance(v, bool | str | int) and k != "alias_generator"}
    if plain:
        arguments = tuple((k, value_of(v, reader.refer)) for k, v in sorted(plain.items()))
        yield Line("model_config", None, Call(_CONFIG, arguments))


def _model_fields(cls: type[BaseModel], reader: Reader) -> Iterator[Line]:
    hints = hints_of(cls, cls.__name__)
    for name in own_annotations(cls):
        field = cls.model_fields.get(name)
        if field is None or name.startswith("_") or get_origin(hints[name]) is ClassVar:
            continue
        at = place_of(cls, name)
        annotation = reader.read(hints[name], cls.__module__, at)
        default = _model_default(field, hints[name], at, reader)
        plain = default is not None and not (isinstance(default, Call) and default.function == FIELD)
        if default is not None and plain and isinstance(hints[name], NewType):
            default = Call(annotation, (("", default),))
        yield Line(name, annotation, default)


def _model_default(field: FieldInfo, hint: Any, at: str, reader: Reader) -> Expression | None:
    """Return what stands behind `=`: a default, or a Field with what the annotation does not say yet."""
    name = at.rpartition(".")[2]
    said: dict[str, Any] = {}
    for item in getattr(hint, "__metadata__", ()):
        said |= constraints(item)
    more = {k: v for k, v in given(field, name).items() if k not in said or said[k] != v}
    factory = default_factory(field.default_factory, reader.refer) if field.default_factory else None
    if factory is not None:
        call_ = field_call(more, reader.refer)
        return Call(call_.function, (("default_factory", factory), *call_.arguments))
    default = None if field.is_required() else _spoken_default(field, at, reader)
    if not more or not (called := field_call(more, reader.refer, default)).arguments:
        return default
    return default if called.arguments == (("default", default),) else called


def _spoken_default(field: FieldInfo, at: str, reader: Reader) -> Expression | None:
    if field.default_factory is not None:
        reader.ledger.note(f"{at}: its default is made by code, and has to be given by callers")
        return None
    try:
        return value_of(field.default, reader.refer)
    except Unspeakable as error:
        reader.ledger.note(f"{at}: its default, {error}, has to be given by callers")
        return None


def _computed(cls: type[BaseModel], reader: Reader) -> Iterator[Line]:
    """Yield computed fields as fields that callers need not give, and that do not travel back."""
    for name, computed in cls.model_computed_fields.items():
        if name not in vars(cls):
            continue
        annotation = union((reader.read(computed.return_type, cls.__module__, place_of(cls, name)), NONE))
        arguments = {"alias": computed.alias} if computed.alias not in (None, name) else {}
        value = field_call({**arguments, "exclude": True}, reader.refer, NONE)
        yield Line(name, annotation, value)
        reader.ledger.note(f"{place_of(cls, name)}: it is computed at the service; here it may be None")


def publish_error(cls: type[ServiceError], reader: Reader) -> Class:
    base = next(b for b in cls.__bases__ if issubclass(b, ServiceError))
    bases = [reader.refer(b) for b in cls.__bases__ if issubclass(b, ServiceError) or imported(b)]
    keywords: list[tuple[str, Expression]] = []
    if cls.status != base.status:
        keywords.append(("status", Text(str(cls.status))))
    untitled = cast("type[ServiceError]", type(cls.__name__, (ServiceError,), {}))
    if cls.title != untitled.title:
        keywords.append(("title", String(cls.title)))
    hints = hints_of(cls, cls.__name__)
    lines = [
        Line(
            name,
            reader.read(hints[name], cls.__module__, place_of(cls, name)),
            class_default(cls, name, vars(cls).get(name, inspect.Parameter.empty), reader),
        )
        for name in own_annotations(cls)
        if get_origin(hints[name]) is not ClassVar and hints[name] is not ClassVar
    ]
    return Class(
        cls.__name__,
        cls.__module__,
        "errors",
        tuple(bases),
        tuple(keywords),
        doc=doc_of(cls),
        lines=tuple(lines),
    )


def class_default(cls: type, name: str, value: Any, reader: Reader) -> Expression | None:
    if value is inspect.Parameter.empty:
        return None
    if isinstance(value, FieldInfo):
        return _model_default(value, None, place_of(cls, name), reader)
    try:
        return value_of(value, reader.refer)
    except Unspeakable as error:
        reader.ledger.note(f"{place_of(cls, name)}: its default, {error}, has to be given by callers")
        return None
