"""What `Field(...)` and other metadata say of a type, as expressions."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from typing import Any, cast

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from service_kit.publishing.expressions import Call, Expression, Imported
from service_kit.publishing.origins import imported
from service_kit.publishing.values import Refer, Unspeakable, is_carried_factory, value_of

FIELD = Imported("pydantic", "Field")

_CONSTRAINTS = frozenset(inspect.signature(Field).parameters)
_UNSAID = frozenset({"annotation", "default", "default_factory"})
_PARTS_OF_ALIAS = ("alias", "validation_alias", "serialization_alias")


def given(field: FieldInfo, name: str = "") -> dict[str, Any]:
    """Return the arguments of a `Field(...)`, without its default; of a field of this name."""
    found = {k: v for item in field.metadata for k, v in constraints(item).items()}
    found |= {k: v for k, v in field._attributes_set.items() if k not in _UNSAID}
    if field.alias is not None and "alias" not in found:
        found["alias"] = field.alias  # an alias generator's
    if "alias" in found:
        for part in _PARTS_OF_ALIAS[1:]:
            if found.get(part) == found["alias"]:
                del found[part]
    if found.get("alias") == name:
        del found["alias"]
    return {k: v for k, v in found.items() if v is not None and v is not PydanticUndefined}


def constraints(item: object) -> dict[str, Any]:
    """Return what a piece of metadata demands, by the names that `Field` has for it."""
    if isinstance(item, FieldInfo):
        return given(item)
    if not (is_dataclass(item) or type(item).__name__ == "_PydanticGeneralMetadata"):
        return {}
    return {k: v for k, v in _members(item).items() if k in _CONSTRAINTS and v is not None}


def _members(item: object) -> dict[str, Any]:
    # Some of them have slots.
    return {f.name: getattr(item, f.name) for f in fields(item)} if is_dataclass(item) else dict(vars(item))


def field_call(arguments: dict[str, Any], refer: Refer, default: Expression | None = None) -> Call:
    """Return `Field(...)`; arguments that no source can spell are left out."""
    spoken: list[tuple[str, Expression]] = [] if default is None else [("default", default)]
    for name, value in arguments.items():
        try:
            spoken.append((name, _argument(value, refer)))
        except Unspeakable:
            continue
    return Call(FIELD, tuple(spoken))


def metadata_of(item: object, refer: Refer) -> Expression | None:
    """Return a piece of metadata; None for one that cannot be carried."""
    if isinstance(item, FieldInfo):
        call = field_call(given(item), refer)
        return call if call.arguments else None
    if not is_dataclass(item) or isinstance(item, type):
        return None
    name = imported(type(item))
    if name is None:
        return None
    arguments: list[tuple[str, Expression]] = []
    for one in fields(item):
        value = getattr(item, one.name)
        if value is None or (one.default is value):
            continue
        try:
            arguments.append((one.name if one.init else "", value_of(value, refer)))
        except Unspeakable:
            return None
    return Call(name, tuple(arguments)) if all(name for name, _ in arguments) else None


def default_factory(factory: object, refer: Refer) -> Expression | None:
    """Return a factory that the published package can name."""
    if not is_carried_factory(factory):
        return None
    if isinstance(factory, type):
        try:
            return refer(factory)
        except Unspeakable:
            return None
    return Imported("uuid", getattr(factory, "__qualname__", ""))


def _argument(value: object, refer: Refer) -> Expression:
    kind = type(value)
    if kind.__module__ == "pydantic.aliases" and is_dataclass(value):
        name = imported(kind)
        assert name is not None, f"{kind} is of pydantic"
        parts: list[Any] = cast(Any, value).path if hasattr(value, "path") else cast(Any, value).choices
        return Call(name, tuple(("", _argument(part, refer)) for part in parts))
    if is_dataclass(value) and (found := metadata_of(value, refer)) is not None:
        return found
    return value_of(value, refer)
