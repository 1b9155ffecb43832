"""Classes as definitions: enumerations, dataclasses, typed dicts and named tuples; models are in `models`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from enum import Enum
from keyword import iskeyword
from typing import Any, Generic, get_args, get_origin

from pydantic import BaseModel
from pydantic.dataclasses import is_pydantic_dataclass
from typing_extensions import is_typeddict

from service_kit.errors import DefinitionError, ServiceError
from service_kit.publishing.definitions import Class, Line
from service_kit.publishing.expressions import Call, Expression, Imported, Subscript, Text, call
from service_kit.publishing.fields import FIELD, default_factory
from service_kit.publishing.models import class_default, publish_error, publish_model
from service_kit.publishing.origins import imported
from service_kit.publishing.reading import Reader, doc_of, hints_of, own_annotations, place_of
from service_kit.publishing.values import Unspeakable, value_of

_MAKER = Imported("dataclasses", "field")


def publish_class(cls: Any, key: str, where: str, reader: Reader) -> None:
    """Add a class to the ledger; raise DefinitionError for one that is none of the kinds that travel."""
    # Known before it is read: it may mention itself.
    reader.ledger.definitions[key] = Class(cls.__name__, cls.__module__, "models", ())
    if "<locals>" in cls.__qualname__:
        del reader.ledger.definitions[key]
        raise DefinitionError(where, f"{cls.__qualname__} is local to a function", "define it in a module")
    match cls:
        case _ if issubclass(cls, Enum):
            found = _enum(cls, reader)
        case _ if issubclass(cls, ServiceError):
            found = publish_error(cls, reader)
        case _ if issubclass(cls, BaseModel):
            found = publish_model(cls, reader)
        case _ if is_typeddict(cls):
            found = _typed_dict(cls, reader)
        case _ if issubclass(cls, tuple) and hasattr(cls, "_fields"):
            found = _named_tuple(cls, reader)
        case _ if dataclasses.is_dataclass(cls):
            found = _dataclass(cls, reader)
        case _:
            del reader.ledger.definitions[key]
            raise DefinitionError(
                where,
                f"{cls.__module__}.{cls.__qualname__} cannot be published: its code would have to come along",
                "use a model, a dataclass, or a type of the standard library or of pydantic",
            )
    reader.ledger.definitions[key] = found


def _enum(cls: type[Enum], reader: Reader) -> Class:
    lines: list[Line] = []
    for name, member in cls.__members__.items():
        _check_name(cls, name)
        try:
            lines.append(Line(name, None, value_of(member._value_, reader.refer)))
        except Unspeakable as error:
            raise DefinitionError(place_of(cls, name), f"its value is {error}", "use a plain value") from None
    bases = [reader.refer(base) for base in cls.__bases__ if imported(base) or issubclass(base, Enum)]
    return Class(cls.__name__, cls.__module__, "models", tuple(bases), doc=doc_of(cls), lines=tuple(lines))


def _typed_dict(cls: Any, reader: Reader) -> Class:
    hints = hints_of(cls, cls.__name__)
    lines: list[Line] = []
    for name in cls.__annotations__:
        _check_name(cls, name)
        annotation = reader.read(hints[name], cls.__module__, place_of(cls, name))
        optional = name in cls.__optional_keys__
        marked = isinstance(annotation, Subscript) and annotation.base in (
            Imported("typing", "Required"),
            Imported("typing", "NotRequired"),
        )
        if optional and not marked:
            annotation = Subscript(Imported("typing", "NotRequired"), (annotation,))
        lines.append(Line(name, annotation))
    bases: list[Expression] = [Imported("typing_extensions", "TypedDict")]
    bases += _generic_bases(cls, reader)
    return Class(cls.__name__, cls.__module__, "models", tuple(bases), doc=doc_of(cls), lines=tuple(lines))


def _named_tuple(cls: Any, reader: Reader) -> Class:
    hints = hints_of(cls, cls.__name__)
    lines = [
        Line(
            name,
            reader.read(hints[name], cls.__module__, place_of(cls, name)),
            class_default(cls, name, cls._field_defaults.get(name, inspect.Parameter.empty), reader),
        )
        for name in cls._fields
    ]
    base = (Imported("typing", "NamedTuple"), *_generic_bases(cls, reader))
    return Class(cls.__name__, cls.__module__, "models", base, doc=doc_of(cls), lines=tuple(lines))


def _dataclass(cls: Any, reader: Reader) -> Class:
    mine = [one for one in dataclasses.fields(cls) if one.name in own_annotations(cls)]
    named = bool(mine) and all(one.kw_only for one in mine)
    lines = tuple(_dataclass_lines(cls, reader, mine, named))
    bases = [reader.refer(base) for base in _parents(cls) if dataclasses.is_dataclass(base)]
    bases += _generic_bases(cls, reader)
    home = "pydantic.dataclasses" if is_pydantic_dataclass(cls) else "dataclasses"
    params: Any = vars(cls)["__dataclass_params__"]
    flags: dict[str, Expression] = {}
    if params.frozen:
        flags["frozen"] = Text("True")
    if params.order:
        flags["order"] = Text("True")
    if "__slots__" in vars(cls):
        flags["slots"] = Text("True")
    if named:
        flags["kw_only"] = Text("True")
    decorator: Expression = Imported(home, "dataclass")
    decorator = call(decorator, **flags) if flags else decorator
    return Class(
        cls.__name__,
        cls.__module__,
        "models",
        tuple(bases),
        decorator=decorator,
        doc=doc_of(cls),
        lines=lines,
    )


def _dataclass_lines(
    cls: Any, reader: Reader, mine: list[dataclasses.Field[Any]], named: bool
) -> Iterator[Line]:
    """Yield the fields of the class itself; `named` says that its decorator makes all of them keyword-only."""
    hints = hints_of(cls, cls.__name__)
    optional = False
    for one in dataclasses.fields(cls):
        if not one.init:
            continue
        if one not in mine:
            defaults = (one.default, one.default_factory)
            optional |= not one.kw_only and any(d is not dataclasses.MISSING for d in defaults)
            continue
        default = _dataclass_default(cls, one, reader)
        # One whose default stays at the service may stand behind others that have theirs.
        keyword = one.kw_only or (default is None and optional)
        optional |= default is not None and not keyword
        shown = _keyword_only(default) if keyword and not named else default
        yield Line(one.name, reader.read(hints[one.name], cls.__module__, place_of(cls, one.name)), shown)


def _keyword_only(default: Expression | None) -> Expression:
    more = (("kw_only", Text("True")),)
    if isinstance(default, Call) and default.function in (_MAKER, FIELD):
        return Call(default.function, (*default.arguments, *more))
    return Call(_MAKER, ((("default", default), *more) if default is not None else more))


def _check_name(cls: Any, name: str) -> None:
    """Raise DefinitionError for a member that only a call could have made: no class body has room for it."""
    if not name.isidentifier() or iskeyword(name):
        raise DefinitionError(place_of(cls, name), "its name cannot stand in a class", "use a name of Python")


def _parents(cls: Any) -> tuple[type, ...]:
    return tuple(cls.__bases__)


def _dataclass_default(cls: type, one: dataclasses.Field[Any], reader: Reader) -> Expression | None:
    if one.default_factory is not dataclasses.MISSING:
        factory = default_factory(one.default_factory, reader.refer)
        if factory is not None:
            return call(_MAKER, default_factory=factory)
        reader.ledger.note(
            f"{place_of(cls, one.name)}: its default is made by code, and has to be given by callers"
        )
        return None
    if one.default is dataclasses.MISSING:
        return None
    return class_default(cls, one.name, one.default, reader)


def _generic_bases(cls: Any, reader: Reader) -> list[Expression]:
    found: list[Expression] = []
    for base in vars(cls).get("__orig_bases__", ()):
        if get_origin(base) is Generic:
            variables = tuple(reader.read(v, cls.__module__, cls.__name__) for v in get_args(base))
            found.append(Subscript(Imported("typing", "Generic"), variables))
    return found
