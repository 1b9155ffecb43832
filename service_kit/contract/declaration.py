"""What every declared function has: a name, a place in the source, parameters and a result with codecs."""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Self

from pydantic_core import PydanticSerializationError

from service_kit.contract.codec import CommandCodec, build_codec
from service_kit.contract.parameters import Parameter, bind_arguments, read_parameters, resolve_hints
from service_kit.contract.route import Route
from service_kit.contract.threads import in_thread
from service_kit.errors import DefinitionError


class Declaration:
    """A function with typed parameters and a typed result: a command, a workflow, a task."""

    kind: ClassVar[str]

    def __init__(
        self,
        function: Callable[..., Any],
        local_names: Mapping[str, Any],
        name: str | None = None,
        route: Route | None = None,
    ) -> None:
        self.function = function
        self.name: str = name or function.__name__
        self.where: str = where(self.kind, function, self.name)
        self.route = route
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__wrapped__ = function
        self._local_names = local_names
        self._codec: CommandCodec | None = None
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
    def parameters(self) -> tuple[Parameter, ...]:
        """What the function takes."""
        return self.codec.parameters

    def encode_call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
        """Return the JSON of a call with these arguments, as `docs/design/wire.md` says.

        Raises TypeError for arguments that do not fit the signature, PydanticSerializationError for a value of
        another type than its parameter's.
        """
        arguments = bind_arguments(self.name, self.codec.parameters, args, kwargs)
        try:
            return self.codec.rpc.encode(arguments)
        except PydanticSerializationError as error:
            from service_kit.contract.payload import plainly  # of what is durable, which commands are not

            raise PydanticSerializationError(
                f"what {self.kind} '{self.name}' is given is not of its type: {plainly(str(error))}"
            ) from error

    def decode_result(self, body: bytes) -> Any:
        """Return the result, or one item of a stream, from its JSON; raise pydantic's ValidationError."""
        return None if self.codec.returns_nothing and not body else self.codec.output.validate_json(body)

    def named(self, name: str) -> Self:
        """Return this declaration under the name of its attribute on a service."""
        raise DefinitionError(
            self.where, f"the service calls it '{name}'", f"call it '{self.name}' there, too"
        )

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


def where(kind: str, function: Callable[..., Any], name: str) -> str:
    """Return how errors speak of a declared function."""
    return f"{kind} '{name}' ({function.__module__}:{function.__qualname__})"


def check_function(kind: str, function: Callable[..., Any]) -> None:
    """Raise DefinitionError unless `function` is one."""
    if not inspect.isfunction(function):
        raise DefinitionError(
            f"{kind} {function!r}", "it is not a function", "decorate a plain or async function"
        )


def awaited(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return an async function as it is, a sync one as one that runs in a thread, with the caller's context."""
    if inspect.iscoroutinefunction(function):
        return function

    async def call(*args: Any, **kwargs: Any) -> Any:
        return await in_thread(partial(function, *args, **kwargs))

    return call


def enclosing_names() -> Mapping[str, Any]:
    """Return the names of the function in which a decorator stands, for its annotations to use."""
    frame = sys._getframe(2)
    # A copy: from Python 3.13 on it is a live view, which keeps the frame and all its values in memory.
    return {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)
