"""Commands: functions that a service offers to callers.

One thing, though long: the declaration, its two typed forms (one answer, a stream of items) and the
decorator belong to one reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    ParamSpec,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    get_args,
    get_origin,
    overload,
)

from typing_extensions import TypedDict, Unpack

from service_kit.contract.codec import CommandCodec, build_codec
from service_kit.contract.exchange import Middleware
from service_kit.contract.parameters import bind_arguments, read_parameters, resolve_hints
from service_kit.contract.route import IDEMPOTENT, Method, Route, parse_route
from service_kit.contract.security import AnyScheme
from service_kit.errors import DefinitionError, ServiceError

if TYPE_CHECKING:
    from client_kit import BoundCommand, BoundStream
    from service_kit.contract.service import Service

P = ParamSpec("P")
R = TypeVar("R")


class CommandOptions(TypedDict, total=False, closed=True):
    """Options of a command, all with sensible defaults."""

    method: Method
    """Verb of the REST route; POST if only `path` is given."""
    path: str
    """Template of the REST route, `/orders/{order_id}`; `/<name>` if only `method` is given."""
    summary: str
    """One line for agents and documentation; the first line of the docstring otherwise."""
    description: str
    """The docstring otherwise."""
    errors: Sequence[type[ServiceError]]
    """The declared errors: raised at the client as their own classes."""
    use: Sequence[Middleware]
    """Middleware around this command, inside the service's."""
    security: Sequence[AnyScheme]
    """Schemes any of which admits a caller, instead of the service's; empty: open to everybody."""
    timeout_s: float
    """Past it the function is cancelled and the caller gets 504."""
    memory_mb: int
    """Memory of its Lambda function."""
    tags: Sequence[str]
    consequential: bool
    """Whether an agent must ask before it calls; by default everything but GET and HEAD."""


class _Declaration:
    """What both kinds of command share: names, options and codecs."""

    streaming = False

    def __init__(
        self,
        function: Callable[..., Any],
        options: CommandOptions,
        local_names: Mapping[str, Any],
        name: str | None = None,
    ) -> None:
        self.function = function
        self.options = options
        self.name: str = name or function.__name__
        self.where = f"command '{self.name}' ({function.__module__}:{function.__qualname__})"
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__wrapped__ = function
        self._local_names = local_names
        self._codec: CommandCodec | None = None
        self.route: Route | None = parse_route(
            self.where, options.get("method"), options.get("path"), default_path=f"/{self.name}"
        )
        _check_options(self.where, options)
        # An annotation may look forward: the service's class body, or the first use, resolves it.
        with contextlib.suppress(NameError):
            self._codec = self._build()

    @property
    def codec(self) -> CommandCodec:
        """The codecs; raise DefinitionError if an annotation names something that is defined nowhere."""
        if self._codec is None:
            try:
                self._codec = self._build()
            except NameError as error:
                raise DefinitionError(
                    self.where,
                    f"an annotation names '{error.name}', which is not defined",
                    "import or define it",
                ) from error
        return self._codec

    @property
    def method(self) -> Method:
        """The verb that says what a call may be taken for, REST route or not."""
        return self.route.method if self.route else "POST"

    @property
    def idempotent(self) -> bool:
        return self.method in IDEMPOTENT

    @property
    def consequential(self) -> bool:
        return self.options.get("consequential", self.method not in ("GET", "HEAD"))

    @property
    def summary(self) -> str:
        if "summary" in self.options:
            return self.options["summary"]
        first_line = (inspect.getdoc(self.function) or "").partition("\n")[0]
        return first_line or self.name.replace("_", " ").capitalize()

    @property
    def description(self) -> str:
        return self.options.get("description") or inspect.getdoc(self.function) or ""

    @property
    def errors(self) -> dict[str, type[ServiceError]]:
        """The declared errors by name."""
        return {error.__name__: error for error in self.options.get("errors", ())}

    def encode_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        """Return the body of the RPC request for a call with these arguments.

        Raises TypeError for arguments that do not fit the signature, PydanticSerializationError for a value of
        another type than its parameter's.
        """
        return self.codec.rpc.encode(bind_arguments(self.name, self.codec.parameters, args, kwargs))

    def decode_result(self, body: bytes) -> Any:
        """Return the result, or one item of a stream, from its JSON; raise pydantic's ValidationError."""
        return None if self.codec.returns_nothing and not body else self.codec.output.validate_json(body)

    def named(self, name: str) -> Self:
        """Return this command under another name: the one of its attribute on a service."""
        return self if name == self.name else type(self)(self.function, self.options, self._local_names, name)

    def _build(self) -> CommandCodec:
        hints = resolve_hints(self.function, self._local_names)
        if "return" not in hints:
            raise DefinitionError(
                self.where, "its result has no type annotation", "write '-> <type>', or '-> None'"
            )
        parameters = read_parameters(self.where, self.function, hints, self.route)
        return build_codec(self.where, self.name, parameters, self.route, self._result_type(hints["return"]))

    def _result_type(self, annotation: Any) -> Any:
        return annotation

    def __repr__(self) -> str:
        return f"<{self.where}>"


class Command(_Declaration, Generic[P, R]):
    """A command with one answer. Called in its own process it is the function, always awaited."""

    def __init__(
        self,
        function: Callable[..., Any],
        options: CommandOptions,
        local_names: Mapping[str, Any],
        name: str | None = None,
    ) -> None:
        super().__init__(function, options, local_names, name)
        self.invoke: Callable[..., Awaitable[Any]] = (
            function if inspect.iscoroutinefunction(function) else _in_thread(function)
        )

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return cast(R, await self.invoke(*args, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> BoundCommand[P, R]: ...
    def __get__(self, instance: Service | None, owner: type[Any]) -> Self | BoundCommand[P, R]:
        if instance is None:
            return self
        return cast("BoundCommand[P, R]", instance._bind(self))


class StreamCommand(_Declaration, Generic[P, R]):
    """A command that answers with items as they come: an async generator."""

    streaming = True

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[R]:
        return cast("AsyncIterator[R]", self.function(*args, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> BoundStream[P, R]: ...
    def __get__(self, instance: Service | None, owner: type[Any]) -> Self | BoundStream[P, R]:
        if instance is None:
            return self
        return cast("BoundStream[P, R]", instance._bind(self))

    def _result_type(self, annotation: Any) -> Any:
        arguments = get_args(annotation)
        if not arguments:
            raise DefinitionError(self.where, "its items have no type", "write '-> AsyncIterator[<type>]'")
        return arguments[0]


AnyCommand: TypeAlias = Command[..., Any] | StreamCommand[..., Any]


class CommandDecorator:
    """`@command(...)` with options, waiting for its function."""

    def __init__(self, options: CommandOptions, local_names: Mapping[str, Any]) -> None:
        self._options = options
        self._local_names = local_names

    @overload
    def __call__(  # type: ignore[overload-overlap]  # the first match is meant
        self, function: Callable[P, AsyncIterator[R]], /
    ) -> StreamCommand[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Command[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Command[P, R]: ...
    def __call__(self, function: Callable[..., Any], /) -> AnyCommand:
        return _declare(function, self._options, self._local_names)


@overload
def command(  # type: ignore[overload-overlap]  # the first match is meant
    function: Callable[P, AsyncIterator[R]], /
) -> StreamCommand[P, R]: ...
@overload
def command(function: Callable[P, Coroutine[Any, Any, R]], /) -> Command[P, R]: ...
@overload
def command(function: Callable[P, R], /) -> Command[P, R]: ...
@overload
def command(**options: Unpack[CommandOptions]) -> CommandDecorator: ...
def command(
    function: Callable[..., Any] | None = None, /, **options: Unpack[CommandOptions]
) -> AnyCommand | CommandDecorator:
    """Declare a command: a typed function that a service offers over HTTP.

    Parameters and result may have any type that pydantic knows. Async functions run in the event loop,
    sync ones in a thread, async generators answer as a stream. Raises DefinitionError for a mistake,
    here at import, with the function, the parameter and the cure.
    """
    local_names = _enclosing_names()
    if function is None:
        return CommandDecorator(options, local_names)
    return _declare(function, options, local_names)


def _declare(
    function: Callable[..., Any], options: CommandOptions, local_names: Mapping[str, Any]
) -> AnyCommand:
    if not inspect.isfunction(function):
        raise DefinitionError(
            f"command {function!r}", "it is not a function", "decorate a plain or async function"
        )
    if _streams(function, local_names):
        return StreamCommand(function, options, local_names)
    if inspect.isgeneratorfunction(function):
        raise DefinitionError(
            f"command '{function.__name__}'",
            "it is a sync generator",
            "write 'async def' to stream its items",
        )
    return Command(function, options, local_names)


def _streams(function: Callable[..., Any], local_names: Mapping[str, Any]) -> bool:
    if inspect.isasyncgenfunction(function):
        return True
    if inspect.iscoroutinefunction(function):
        return False
    try:
        result = resolve_hints(function, local_names).get("return")
    except NameError:
        return False
    origin = get_origin(result)
    return isinstance(origin, type) and issubclass(origin, AsyncIterable)


def _check_options(where: str, options: CommandOptions) -> None:
    unknown = options.keys() - CommandOptions.__annotations__.keys()
    if unknown:
        raise DefinitionError(
            where,
            f"unknown options {sorted(unknown)}",
            f"known ones are {sorted(CommandOptions.__annotations__)}",
        )
    for error in options.get("errors", ()):
        if not (isinstance(error, type) and issubclass(error, ServiceError)):
            raise DefinitionError(where, f"errors holds {error!r}", "list subclasses of ServiceError")
    for option in ("timeout_s", "memory_mb"):
        value = options.get(option, 1)
        if not isinstance(value, int | float) or value <= 0:
            raise DefinitionError(where, f"{option} is {value!r}", "give a positive number")


def _in_thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(function, *args, **kwargs)

    return call


def _enclosing_names() -> Mapping[str, Any]:
    """Return the names of the function in which the decorator stands, for its annotations to use."""
    frame = sys._getframe(2)
    return {} if frame.f_locals is frame.f_globals else frame.f_locals
