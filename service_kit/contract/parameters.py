"""What a function's signature says: its parameters, and where each travels in a REST request."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from service_kit.contract.route import BODILESS, Route
from service_kit.errors import DefinitionError

Location: TypeAlias = Literal["path", "query", "header", "body"]

REQUIRED: Any = inspect.Parameter.empty
"""The default of a parameter that has none."""


@dataclass(frozen=True, slots=True)
class Header:
    """Let a parameter travel as a header of the REST request: `Annotated[str, Header()]`.

    Without an alias the name is the parameter's with dashes: `trace_id` as `trace-id`.
    """

    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Let a parameter travel in the query string of the REST request: `Annotated[int, Query()]`."""

    alias: str | None = None


class Parameter(NamedTuple):
    """One parameter of a command."""

    name: str
    annotation: Any
    default: Any
    positional: bool
    location: Location
    wire_name: str
    """Its name in the REST request; in a body the codec's aliases apply."""

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def is_model(self) -> bool:
        """Tell whether it can be a body by itself: a pydantic model or a dataclass."""
        bare = bare_type(self.annotation)
        return isinstance(bare, type) and (issubclass(bare, BaseModel) or is_dataclass(bare))


def bare_type(annotation: Any) -> Any:
    """Return the type without its `Annotated` metadata and type arguments."""
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return get_origin(annotation) or annotation


def resolve_hints(function: Callable[..., Any], local_names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the function's annotations as types; raise NameError if one is not defined yet."""
    return get_type_hints(inspect.unwrap(function), localns=dict(local_names), include_extras=True)


def read_parameters(
    where: str, function: Callable[..., Any], hints: Mapping[str, Any], route: Route | None
) -> tuple[Parameter, ...]:
    """Return the parameters of `function`; raise DefinitionError naming the one that is wrong."""
    signature = inspect.signature(function)
    in_path = route.parameters if route else ()
    for name in in_path:
        if name not in signature.parameters:
            raise DefinitionError(
                where,
                f"path parameter '{{{name}}}' does not exist",
                f"add a parameter '{name}' to the function, or take it out of the path",
            )
    return tuple(_read(where, p, hints, route, in_path) for p in signature.parameters.values())


def bind_arguments(
    name: str, parameters: Sequence[Parameter], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a call by name, defaults left out; raise TypeError as Python would."""
    positional = [p.name for p in parameters if p.positional]
    if len(args) > len(positional):
        raise TypeError(
            f"{name}() takes at most {len(positional)} positional arguments but {len(args)} were given"
        )
    arguments = dict(zip(positional, args, strict=False))
    known = {p.name: p for p in parameters}
    for key, value in kwargs.items():
        if key not in known:
            raise TypeError(f"{name}() got an unexpected keyword argument '{key}'")
        if key in arguments:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
        arguments[key] = value
    for p in parameters:
        if p.required and p.name not in arguments:
            raise TypeError(f"{name}() is missing its argument '{p.name}'")
    return arguments


def _read(
    where: str,
    parameter: inspect.Parameter,
    hints: Mapping[str, Any],
    route: Route | None,
    in_path: Collection[str],
) -> Parameter:
    name = parameter.name
    at = f"{where}, parameter '{name}'"
    _check_kind(at, parameter)
    if name not in hints and name == "self":
        raise DefinitionError(
            where,
            "it is a method",
            "declare a function outside of the class, and name that there: place = place",
        )
    if name not in hints:
        raise DefinitionError(at, "it has no type annotation", f"write '{name}: <type>'")
    annotation = hints[name]
    location, wire_name = _locate(at, name, annotation, route, in_path)
    return Parameter(
        name=name,
        annotation=annotation,
        default=parameter.default,
        positional=parameter.kind is not inspect.Parameter.KEYWORD_ONLY,
        location=location,
        wire_name=wire_name,
    )


def _check_kind(at: str, parameter: inspect.Parameter) -> None:
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        raise DefinitionError(
            at, "variadic parameters have no schema", "take a list or a dict parameter instead"
        )
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise DefinitionError(at, "it is positional-only, and the wire knows names only", "take out the '/'")
    if isinstance(parameter.default, FieldInfo | Header | Query):
        marker = type(parameter.default).__name__
        raise DefinitionError(
            at,
            f"{marker}(...) is its default value",
            f"write '{parameter.name}: Annotated[<type>, {marker}(...)]'",
        )


def _locate(
    at: str, name: str, annotation: Any, route: Route | None, in_path: Collection[str]
) -> tuple[Location, str]:
    marker = _marker(at, annotation)
    if name in in_path:
        if marker is not None:
            raise DefinitionError(
                at, f"it is in the path and marked {type(marker).__name__}", "keep one of the two"
            )
        return "path", name
    match marker:
        case Header(alias):
            return "header", (alias or name.replace("_", "-")).lower()
        case Query(alias):
            return "query", alias or name
        case None:
            return ("query" if route and route.method in BODILESS else "body"), name


def _marker(at: str, annotation: Any) -> Header | Query | None:
    metadata = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    for item in metadata:
        if isinstance(item, FieldInfo) and (
            item.default is not PydanticUndefined or item.default_factory is not None
        ):
            raise DefinitionError(
                at, "its default is inside Field(...)", "write it after '=', where callers see it"
            )
    markers = [item for item in metadata if isinstance(item, Header | Query)]
    if len(markers) > 1:
        raise DefinitionError(at, "it is marked more than once", "keep one Header() or Query()")
    return markers[0] if markers else None
