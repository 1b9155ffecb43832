"""Commands: functions that a service offers to callers, with one answer or a stream of items."""

from __future__ import annotations

import inspect
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

from service_kit.contract.checks import check_middleware
from service_kit.contract.declaration import (
    Declaration,
    awaited,
    check_function,
    enclosing_names,
    where,
)
from service_kit.contract.exchange import Middleware
from service_kit.contract.options import check_options
from service_kit.contract.parameters import resolve_hints
from service_kit.contract.route import IDEMPOTENT, Method, parse_route
from service_kit.errors import DefinitionError, ServiceError

if TYPE_CHECKING:
    from client_kit import BoundCommand, BoundStream
    from service_kit.contract.security import AnyScheme
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


class _Offered(Declaration):
    """What both kinds of command share: options, and what follows from them."""

    kind = "command"
    streaming = False

    def __init__(
        self,
        function: Callable[..., Any],
        options: CommandOptions,
        local_names: Mapping[str, Any],
        name: str | None = None,
    ) -> None:
        self.options = options
        name = name or function.__name__
        at = where(self.kind, function, name)
        _check(at, options)
        route = parse_route(at, options.get("method"), options.get("path"), default_path=f"/{name}")
        super().__init__(function, local_names, name, route)

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

    def named(self, name: str) -> Self:
        """Return this command under another name: the one of its attribute on a service."""
        return self if name == self.name else type(self)(self.function, self.options, self._local_names, name)


class Command(_Offered, Generic[P, R]):
    """A command with one answer. Called in its own process it is the function, always awaited."""

    def __init__(
        self,
        function: Callable[..., Any],
        options: CommandOptions,
        local_names: Mapping[str, Any],
        name: str | None = None,
    ) -> None:
        super().__init__(function, options, local_names, name)
        self.invoke: Callable[..., Awaitable[Any]] = awaited(function)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return cast(R, await self.invoke(*args, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> BoundCommand[P, R]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> Self: ...
    def __get__(self, instance: object, owner: type[Any]) -> Self | BoundCommand[P, R]:
        bind = getattr(instance, "_bind", None)
        return self if bind is None else cast("BoundCommand[P, R]", bind(self))


class StreamCommand(_Offered, Generic[P, R]):
    """A command that answers with items as they come: an async generator."""

    streaming = True

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[R]:
        return cast("AsyncIterator[R]", self.function(*args, **kwargs))

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Service, owner: type[Any]) -> BoundStream[P, R]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> Self: ...
    def __get__(self, instance: object, owner: type[Any]) -> Self | BoundStream[P, R]:
        bind = getattr(instance, "_bind", None)
        return self if bind is None else cast("BoundStream[P, R]", bind(self))

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
    local_names = enclosing_names()
    if function is None:
        return CommandDecorator(options, local_names)
    return _declare(function, options, local_names)


def _declare(
    function: Callable[..., Any], options: CommandOptions, local_names: Mapping[str, Any]
) -> AnyCommand:
    check_function("command", function)
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


def _check(at: str, options: CommandOptions) -> None:
    check_options(at, options, CommandOptions.__annotations__)
    given: object = options.get("errors", ())
    if not isinstance(given, list | tuple):
        raise DefinitionError(at, f"errors is {given!r}", "give a list of subclasses of ServiceError")
    named: dict[str, type[ServiceError]] = {}
    for error in options.get("errors", ()):
        if not (isinstance(error, type) and issubclass(error, ServiceError)):
            raise DefinitionError(at, f"errors holds {error!r}", "list subclasses of ServiceError")
        first = named.setdefault(error.__name__, error)
        if first is not error:
            raise DefinitionError(
                at,
                f"two errors have the name '{error.__name__}' ({first.__module__} and {error.__module__})",
                "rename one: the name is what travels",
            )
    if not isinstance(options.get("use", ()), list | tuple):
        raise DefinitionError(at, f"use is {options.get('use')!r}", "give a list of middleware")
    check_middleware(at, options.get("use", ()))
    # None would be taken for no schemes: an open command.
    if not isinstance(options.get("security", ()), list | tuple):
        raise DefinitionError(
            at, f"security is {options.get('security')!r}", "give a list of schemes, [] to open it"
        )
