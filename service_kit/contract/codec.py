"""Codecs of a command: what its parameters and its result are on the wire."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NotRequired, cast

from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError
from typing_extensions import TypedDict

from service_kit.contract.parameters import Parameter
from service_kit.contract.request_writer import RequestWriter
from service_kit.contract.route import BODILESS, Route
from service_kit.contract.strings import StringCodec, shape_of
from service_kit.errors import DefinitionError


class BodyCodec(NamedTuple):
    """A JSON body that carries parameters: an object of them by name, or one model by itself."""

    adapter: TypeAdapter[Any]
    parameters: tuple[Parameter, ...]
    flat: Parameter | None
    """The only parameter, where it is the body."""
    writer: RequestWriter

    def decoder(self) -> Callable[[bytes], dict[str, Any]]:
        """Return the function from body to arguments by name; it raises pydantic's ValidationError.

        An empty body is an empty object: a command whose parameters all have defaults needs none.
        """
        validate = self.adapter.validator.validate_json
        if self.flat is None:
            return lambda body: cast(dict[str, Any], validate(body or b"{}"))
        name = self.flat.name
        if self.flat.required:
            return lambda body: {name: validate(body or b"{}")}
        return lambda body: {name: validate(body)} if body else {}

    def encode(self, arguments: Mapping[str, Any]) -> bytes:
        """Return the body that `decoder` reads; raise PydanticSerializationError for a value of another type."""
        value = arguments if self.flat is None else arguments.get(self.flat.name)
        if self.flat is not None and self.flat.name not in arguments:
            return b""
        return self.writer.write(value)


class RestCodec(NamedTuple):
    """The REST face of a command: texts of path, query and headers, and what is left for the body."""

    route: Route
    texts: tuple[tuple[Parameter, StringCodec], ...]
    body: BodyCodec | None


class CommandCodec(NamedTuple):
    """Everything a transport needs to carry calls of one command."""

    parameters: tuple[Parameter, ...]
    rpc: BodyCodec
    rest: RestCodec | None
    output: TypeAdapter[Any]
    """Of the result; for a streaming command, of one item."""
    returns_nothing: bool


def build_codec(
    where: str, name: str, parameters: tuple[Parameter, ...], route: Route | None, result: Any
) -> CommandCodec:
    """Return the codecs; raise DefinitionError for a type that pydantic cannot handle."""
    title = _pascal(name)
    rpc = _body_codec(where, f"{title}Input", parameters)
    return CommandCodec(
        parameters=parameters,
        rpc=rpc,
        rest=_rest_codec(where, title, parameters, route, rpc) if route else None,
        output=adapter_of(f"{where}, its result", result),
        returns_nothing=result is None or result is type(None),
    )


def adapter_of(at: str, annotation: Any) -> TypeAdapter[Any]:
    """Return the TypeAdapter; raise DefinitionError if pydantic has none for this type."""
    try:
        with warnings.catch_warnings():
            # A lone parameter is no field to pydantic, but the specification does show `Field(deprecated=True)`.
            warnings.filterwarnings("ignore", "The 'deprecated' attribute")
            return TypeAdapter(annotation)
    except PydanticUndefinedAnnotation as error:
        raise NameError(str(error), name=error.name) from error
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        first_line = str(error).partition("\n")[0]
        raise DefinitionError(
            at,
            f"pydantic cannot handle {annotation!r} ({first_line})",
            "use a type that it can, such as a model",
        ) from error
    except ImportError as error:
        # EmailStr and its like need packages that pydantic does not bring.
        raise DefinitionError(
            at, f"pydantic cannot handle {annotation!r} as it is installed ({error})", _install(error)
        ) from error


def _install(error: ImportError) -> str:
    """Return the cure for a package that a type needs."""
    if "email" in str(error):
        return "pip install 'pydantic[email]'"
    return f"pip install {error.name}" if error.name else "install what it names"


def _rest_codec(
    where: str, title: str, parameters: tuple[Parameter, ...], route: Route, rpc: BodyCodec
) -> RestCodec:
    in_body = tuple(p for p in parameters if p.location == "body")
    texts = tuple((p, _string_codec(where, p, route)) for p in parameters if p.location != "body")
    for name in {p.wire_name for p, _ in texts if p.location != "path"}:
        clashing = [p.name for p, _ in texts if p.wire_name == name and p.location != "path"]
        locations = {p.location for p, _ in texts if p.name in clashing}
        if len(clashing) > len(locations):
            raise DefinitionError(
                where, f"parameters {clashing} have one wire name '{name}'", "change an alias"
            )
    if not in_body:
        return RestCodec(route, texts, None)
    body = rpc if in_body == parameters else _body_codec(where, f"{title}Body", in_body)
    return RestCodec(route, texts, body)


def _string_codec(where: str, parameter: Parameter, route: Route) -> StringCodec:
    at = f"{where}, parameter '{parameter.name}'"
    adapter = adapter_of(at, parameter.annotation)
    shape = shape_of(adapter)
    if shape == "structure" or (shape == "list" and parameter.location != "query"):
        reason = (
            f"it would be the body of a {route.method}, which has none"
            if parameter.location == "query" and route.method in BODILESS
            else f"its type does not fit into a {parameter.location}"
        )
        raise DefinitionError(
            at, reason, "use POST, PUT or PATCH, or take its parts as parameters of simple types"
        )
    return StringCodec(adapter, shape)


def _body_codec(where: str, title: str, parameters: Sequence[Parameter]) -> BodyCodec:
    kept = tuple(parameters)
    if len(kept) == 1 and kept[0].is_model:
        at = f"{where}, parameter '{kept[0].name}'"
        adapter = adapter_of(at, kept[0].annotation)
        return BodyCodec(adapter, kept, kept[0], RequestWriter(adapter))
    fields = {p.name: p.annotation if p.required else NotRequired[p.annotation] for p in kept}
    body: Any = TypedDict(title, fields)  # type: ignore[misc]  # a TypedDict made at run time
    setattr(body, "__pydantic_config__", ConfigDict(extra="forbid", title=title))  # noqa: B010 - mypy sees no such attribute
    try:
        adapter = TypeAdapter(body)
    except PydanticUndefinedAnnotation as error:
        raise NameError(str(error), name=error.name) from error
    except (PydanticSchemaGenerationError, PydanticUserError, ImportError):
        for p in kept:  # find the one to blame
            adapter_of(f"{where}, parameter '{p.name}'", p.annotation)
        raise
    return BodyCodec(adapter, kept, None, RequestWriter(adapter))


def _pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
