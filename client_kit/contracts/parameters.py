"""Parameters of a published command: read from its signature, and bound as Python binds them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, Final, Literal, NamedTuple, NotRequired, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter
from typing_extensions import TypedDict

from client_kit.contracts.request_writer import RequestWriter

__all__ = ["OMITTED", "Body", "BodyCodec", "Cookie", "Header", "Marker", "Parameter", "Path", "Query"]


class _Omitted:
    def __repr__(self) -> str:
        return "OMITTED"


OMITTED: Final[Any] = _Omitted()
"""The default of a parameter that is left out of the call: the service has a default that no source can spell."""


@dataclass(frozen=True, slots=True)
class Header:
    """A parameter that travels as a header of the REST request."""

    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter that travels in the query string of the REST request."""

    alias: str | None = None
    style: Literal["form", "spaceDelimited", "pipeDelimited", "deepObject"] = "form"
    explode: bool = True
    """Whether a list is one parameter for each item, and an object one for each member."""


@dataclass(frozen=True, slots=True)
class Path:
    """A parameter of the path whose name there is no name in Python."""

    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Cookie:
    """A parameter that travels as a cookie of the REST request."""

    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A parameter that is the whole body of the REST request."""


TextMarker: TypeAlias = Header | Query | Path | Cookie
Marker: TypeAlias = TextMarker | Body


class Parameter(NamedTuple):
    """One parameter of a published command."""

    name: str
    annotation: Any
    default: Any
    positional: bool

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty

    @property
    def is_model(self) -> bool:
        """Tell whether it can be a body by itself: a pydantic model or a dataclass."""
        bare = self.annotation
        if get_origin(bare) is Annotated:
            bare = get_args(bare)[0]
        bare = get_origin(bare) or bare
        return isinstance(bare, type) and (issubclass(bare, BaseModel) or is_dataclass(bare))

    @property
    def marker(self) -> Marker | None:
        """Return where it says that it travels."""
        metadata = get_args(self.annotation)[1:] if get_origin(self.annotation) is Annotated else ()
        return next((item for item in metadata if isinstance(item, Marker)), None)


def read_parameters(
    function: Callable[..., Any], hints: Mapping[str, Any], *, bound: bool
) -> tuple[Parameter, ...]:
    """Return the parameters of a signature; of a method (`bound`), those after `self`."""
    declared = list(inspect.signature(function).parameters.values())[1 if bound else 0 :]
    return tuple(
        Parameter(p.name, hints[p.name], p.default, p.kind is not inspect.Parameter.KEYWORD_ONLY)
        for p in declared
    )


def bind_arguments(
    name: str, parameters: Sequence[Parameter], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a call by name, defaults left out; raise TypeError as Python would."""
    positional = [p.name for p in parameters if p.positional]
    if len(args) > len(positional):
        raise TypeError(
            f"{name}() takes at most {len(positional)} positional arguments but {len(args)} were given"
        )
    bound = dict(zip(positional, args, strict=False))
    known = {p.name for p in parameters}
    for key, value in kwargs.items():
        if key not in known:
            raise TypeError(f"{name}() got an unexpected keyword argument '{key}'")
        if key in bound:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
        bound[key] = value
    for p in parameters:
        if p.required and p.name not in bound:
            raise TypeError(f"{name}() is missing its argument '{p.name}'")
    return {key: value for key, value in bound.items() if value is not OMITTED}


class BodyCodec(NamedTuple):
    """A JSON body: an object of parameters by name, or the only one by itself if it is a model."""

    writer: RequestWriter
    flat: str | None
    """The name of the parameter that is the whole body."""

    @staticmethod
    def of(title: str, parameters: Sequence[Parameter]) -> BodyCodec:
        """Return the codec of these parameters, as docs/design/wire.md has them."""
        if len(parameters) == 1 and parameters[0].is_model:
            return BodyCodec(RequestWriter(TypeAdapter(parameters[0].annotation)), parameters[0].name)
        fields = {p.name: p.annotation if p.required else NotRequired[p.annotation] for p in parameters}
        body: Any = TypedDict(title, fields)  # type: ignore[misc]  # a TypedDict made at run time
        setattr(body, "__pydantic_config__", ConfigDict(title=title))  # noqa: B010 - mypy sees no such attribute
        return BodyCodec(RequestWriter(TypeAdapter(body)), None)

    def encode(self, arguments: Mapping[str, Any]) -> bytes:
        """Return the JSON; raise PydanticSerializationError for a value of another type than its parameter's."""
        if self.flat is None:
            return self.writer.write(dict(arguments))
        if self.flat not in arguments:
            return b""
        return self.writer.write(arguments[self.flat])
