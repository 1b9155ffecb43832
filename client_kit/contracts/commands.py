"""Published commands: signatures that become typed calls on a client."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    get_type_hints,
    overload,
)

from pydantic import TypeAdapter
from typing_extensions import TypedDict, Unpack

from client_kit.contracts.errors import ServiceError
from client_kit.contracts.parameters import BodyCodec, Parameter, bind_arguments, read_parameters

if TYPE_CHECKING:
    from client_kit.bound import BoundCommand, BoundStream
    from client_kit.contracts.service import Service

__all__ = ["AnyCommand", "Command", "CommandOptions", "StreamCommand", "command", "stream"]

P = ParamSpec("P")
R = TypeVar("R")

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2: doing it twice is as doing it once."""


class CommandOptions(TypedDict, total=False, closed=True):
    """What a published command says beside its signature."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
    path: str
    summary: str
    errors: Sequence[type[ServiceError]]
    timeout_s: float
    """After which the service gives up; the client's own limit is another."""
    tags: Sequence[str]
    consequential: bool
    """Whether an agent must ask before it calls; by default everything but GET and HEAD."""
    form: Literal["multipart/form-data", "application/x-www-form-urlencoded", "application/octet-stream"]
    """What the body is, where it is no JSON."""


class Signature:
    """A method without a body, whose parameters and result have codecs; made at first use."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name: str = function.__name__
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    @cached_property
    def hints(self) -> Mapping[str, Any]:
        return get_type_hints(self.function, include_extras=True)

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return read_parameters(self.function, self.hints, bound=True)

    @cached_property
    def result(self) -> TypeAdapter[Any]:
        return TypeAdapter(self._result_type(self.hints["return"]))

    @cached_property
    def returns_nothing(self) -> bool:
        return self.hints["return"] is type(None)

    @cached_property
    def _body(self) -> BodyCodec:
        return BodyCodec.of(f"{self.name}_input", self.parameters)

    def encode_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        """Return the body of a call, as docs/design/wire.md says; raise TypeError for wrong arguments."""
        return self._body.encode(bind_arguments(self.name, self.parameters, args, kwargs))

    def decode_result(self, body: bytes) -> Any:
        """Return the result, or one item of a stream, from its JSON; raise pydantic's ValidationError."""
        return None if self.returns_nothing and not body else self.result.validate_json(body)

    def _result_type(self, annotation: Any) -> Any:
        return annotation

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self.name}'>"


class _Published(Signature):
    """What both kinds of command share."""

    streaming = False

    def __init__(self, function: Callable[..., Any], options: CommandOptions) -> None:
        super().__init__(function)
        self.options = options

    @property
    def method(self) -> str:
        return self.options.get("method", "POST")

    @property
    def path(self) -> str:
        """Return the template of its REST route, or that of its RPC route."""
        return self.options.get("path") or f"/rpc/{self.name}"

    @property
    def idempotent(self) -> bool:
        return self.method in _IDEMPOTENT

    @property
    def consequential(self) -> bool:
        return self.options.get("consequential", self.method not in ("GET", "HEAD"))

    @property
    def summary(self) -> str:
        return self.options.get("summary") or self.description.partition("\n")[0]

    @property
    def description(self) -> str:
        return inspect.getdoc(self.function) or ""

    @property
    def errors(self) -> dict[str, type[ServiceError]]:
        """The declared errors by name."""
        return {error.__name__: error for error in self.options.get("errors", ())}


class Command(_Published, Generic[P, R]):
    """A command with one answer; on a client it is a `BoundCommand`."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> BoundCommand[P, R]: ...
    def __get__(self, instance: Service | None, owner: type[Any]) -> Self | BoundCommand[P, R]:
        return self if instance is None else cast("BoundCommand[P, R]", instance._bind(self))


class StreamCommand(_Published, Generic[P, R]):
    """A command that answers with items as they come; on a client it is a `BoundStream`."""

    streaming = True

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> BoundStream[P, R]: ...
    def __get__(self, instance: Service | None, owner: type[Any]) -> Self | BoundStream[P, R]:
        return self if instance is None else cast("BoundStream[P, R]", instance._bind(self))

    def _result_type(self, annotation: Any) -> Any:
        return get_args(annotation)[0]


AnyCommand: TypeAlias = Command[..., Any] | StreamCommand[..., Any]


class CommandDeclaration:
    """`@command(...)`, waiting for its signature."""

    def __init__(self, options: CommandOptions) -> None:
        self._options = options

    def __call__(self, function: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /) -> Command[P, R]:
        return Command(function, self._options)


class StreamDeclaration:
    """`@stream(...)`, waiting for its signature."""

    def __init__(self, options: CommandOptions) -> None:
        self._options = options

    def __call__(self, function: Callable[Concatenate[Any, P], AsyncIterator[R]], /) -> StreamCommand[P, R]:
        return StreamCommand(function, self._options)


def command(**options: Unpack[CommandOptions]) -> CommandDeclaration:
    """Publish a command with one answer: a method of a `Service` whose body is never run."""
    return CommandDeclaration(options)


def stream(**options: Unpack[CommandOptions]) -> StreamDeclaration:
    """Publish a streaming command: a method, not async, that returns an `AsyncIterator`."""
    return StreamDeclaration(options)
