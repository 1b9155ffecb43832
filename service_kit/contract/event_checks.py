"""What would let every delivery of an event fail, or none happen: found where events and subscriptions are declared."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from service_kit.contract.filters import check_filter
from service_kit.contract.parameters import bare_type, resolve_hints
from service_kit.contract.read_back import unreadable_in
from service_kit.errors import DefinitionError

if TYPE_CHECKING:
    from service_kit.contract.event import Event


def check_event(event: type[Event]) -> None:
    """Raise DefinitionError for a field that is written under one name and read under another."""
    if not event.__pydantic_complete__ or _rewrites(event):
        return
    for found in unreadable_in(event.__pydantic_core_schema__):
        if found.owner == event.__qualname__:
            raise DefinitionError(
                f"event '{event.event_name}' ({event.__module__}:{event.__qualname__}), field '{found.name}'",
                found.problem,
                found.cure,
            )


def check_match(where: str, pattern: Any, events: Iterable[type[Event]]) -> None:
    """Raise DefinitionError for what is no filter, or wants a field that none of the events has."""
    check_filter(where, pattern)
    _check_fields(where, "match", pattern, tuple(events))


def check_handler(
    where: str, function: Callable[..., Any], local_names: Mapping[str, Any], events: Iterable[type[Event]]
) -> None:
    """Raise DefinitionError for a handler that cannot be called with each of the events, and nothing else."""
    first = next(iter(events))
    cure = f"write 'async def {function.__name__}(event: {first.__name__}) -> None'"
    try:
        inspect.signature(function).bind(first)
    except TypeError:
        raise DefinitionError(where, "it is not a function of one event", cure) from None
    name = next(iter(inspect.signature(function).parameters))
    try:
        hint = resolve_hints(function, local_names).get(name)
    except (NameError, AttributeError):  # it looks forward, and a checker of types will tell
        return
    for event in events:
        if not _takes(hint, event):
            raise DefinitionError(where, f"its parameter '{name}' is no {event.__name__}", cure)


def _takes(hint: Any, event: type[Event]) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return any(_takes(member, event) for member in get_args(hint))
    bare = bare_type(hint)
    return bare is Any or not isinstance(bare, type) or issubclass(event, bare)


def _check_fields(
    where: str, path: str, pattern: Mapping[str, Any], models: tuple[type[BaseModel], ...]
) -> None:
    if any(map(_is_open, models)):
        return
    for field, wanted in pattern.items():
        if isinstance(wanted, list) and {"exists": False} in wanted:
            continue
        if not any(field in _written(model) for model in models):
            names = " and ".join(model.__name__ for model in models)
            known = sorted({name for model in models for name in _written(model)})
            raise DefinitionError(
                where,
                f"{path}[{field!r}] is no field of {names}, so that it would hear nothing",
                f"match a field of the event, as its JSON names it: {', '.join(known) or 'it has none'}",
            )
        if isinstance(wanted, list) and any(map(_wants_number, wanted)):
            _check_number(where, f"{path}[{field!r}]", field, models)
        inner = tuple(one for model in models for one in _models_in(_written(model).get(field)))
        if isinstance(wanted, Mapping) and inner:
            _check_fields(where, f"{path}[{field!r}]", wanted, inner)


def _wants_number(alternative: Any) -> bool:
    if isinstance(alternative, Mapping):
        return "numeric" in alternative
    return isinstance(alternative, int | float) and not isinstance(alternative, bool)


def _check_number(where: str, path: str, field: str, models: tuple[type[BaseModel], ...]) -> None:
    """Raise DefinitionError if a field is never a number in the event's JSON, as a Decimal is none."""
    kinds = [_json_kinds(model, field) for model in models if field in _written(model)]
    if any(found is None or found & {"number", "integer"} for found in kinds):
        return
    written = " or ".join(sorted({kind for found in kinds for kind in found or ()}))
    raise DefinitionError(
        where,
        f"{path} wants a number, and the event's JSON has {written} there (a Decimal is a string), "
        "so that it would hear nothing",
        "annotate the field as int or float, or add one that is: cents: int",
    )


class _Writing(GenerateJsonSchema):
    """JSON Schema of what is written: anything, where a function writes it that does not say what it returns."""

    def emit_warning(self, kind: object, detail: str) -> None:
        """Say nothing of defaults that JSON does not have: nobody has asked for a schema."""

    def ser_schema(self, schema: Any) -> JsonSchemaValue | None:
        if schema["type"] in ("function-plain", "function-wrap") and "return_schema" not in schema:
            return {}
        return super().ser_schema(schema)


def _json_kinds(model: type[BaseModel], field: str) -> set[str] | None:
    """Return the types of a member of a model's JSON, of an array those of its items; None if they are not plain."""
    try:
        schema = model.model_json_schema(mode="serialization", schema_generator=_Writing)
    except (PydanticInvalidForJsonSchema, PydanticUserError):
        return None
    seen = set[str]()

    def resolved(part: Mapping[str, Any]) -> Mapping[str, Any]:
        named: Mapping[str, Any] = schema["$defs"][part["$ref"].rpartition("/")[2]]
        return named

    def kinds(part: Mapping[str, Any]) -> set[str] | None:
        if "$ref" in part:
            if part["$ref"] in seen:
                return set()
            seen.add(part["$ref"])
            return kinds(resolved(part))
        if "anyOf" in part:
            several = [kinds(one) for one in part["anyOf"]]
            return None if None in several else {kind for found in several for kind in found or ()}
        if part.get("type") == "array":
            return kinds(part["items"]) if "items" in part and "prefixItems" not in part else None
        return {part["type"]} if isinstance(part.get("type"), str) else None

    whole = resolved(schema) if "$ref" in schema else schema  # it holds itself
    return kinds(whole.get("properties", {}).get(field, {}))


def _written(model: type[BaseModel]) -> dict[str, Any]:
    """Return the types of the members that a model's JSON has, by their names there."""
    fields = {
        info.serialization_alias or name: info.annotation
        for name, info in model.model_fields.items()
        if not info.exclude
    }
    computed = {info.alias or name: info.return_type for name, info in model.model_computed_fields.items()}
    return fields | computed


def _models_in(annotation: Any) -> tuple[type[BaseModel], ...]:
    """Return the models that objects of this type are; nothing if they may be of any other type, too."""
    if get_origin(annotation) in (Union, types.UnionType):
        members = [_models_in(member) for member in get_args(annotation) if member is not types.NoneType]
        return tuple(model for found in members for model in found) if all(members) else ()
    if get_origin(annotation) in (list, set, frozenset) or get_args(annotation)[1:] == (...,):
        return _models_in(get_args(annotation)[0])
    bare = bare_type(annotation)
    return (bare,) if isinstance(bare, type) and issubclass(bare, BaseModel) else ()


def _is_open(model: type[BaseModel]) -> bool:
    """Tell whether a model's JSON may have other members than its fields, or they are not known yet."""
    return not model.__pydantic_complete__ or model.model_config.get("extra") == "allow" or _rewrites(model)


def _rewrites(model: type[BaseModel]) -> bool:
    """Tell whether functions of a model's own may read or write it under other names."""
    own = model.__pydantic_decorators__
    reads = any(declared.info.mode != "after" for declared in own.model_validators.values())
    return reads or bool(own.model_serializers)
