"""Mocks: what stands in for a task, a workflow or a subscription, attempt by attempt."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, Self, TypeAlias, TypeVar

from service_kit.contract.payload import CallCodec

__tracebackhide__ = True  # a failing test shows its own line, not how it was run

__all__ = ["Answer", "Behaviour", "Mock", "Raise", "Run", "TimeOut", "behave"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Answer:
    """Return a value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Raise:
    """Raise an error."""

    error: Exception | type[Exception]


@dataclass(frozen=True, slots=True)
class TimeOut:
    """Take too long."""


@dataclass(frozen=True, slots=True)
class Run:
    """Call another function."""

    function: Callable[..., Any]


Behaviour: TypeAlias = Answer | Raise | TimeOut | Run


class Mock(Generic[P, R]):
    """What a task, a workflow or a subscription does in this environment instead of what it does really.

    Each `..._once` is for one attempt of the task (one execution of the workflow, one delivery to the subscription), in
    the order in which they were said; after them comes what was said last without `once`, or else the real code. A
    task or subscription that raises is retried as its policy says, so that one `raises_once` shows a retry.
    """

    def __init__(self, name: str, codec: CallCodec | None) -> None:
        self._name = name
        self._codec = codec
        self._once: deque[Behaviour] = deque()
        self._lasting: Behaviour | None = None

    def returns(self, value: R) -> Self:
        """Return this value. Raises pydantic's PydanticSerializationError for one of another type."""
        return self._always(self._answer(value))

    def returns_once(self, value: R) -> Self:
        return self._next(self._answer(value))

    def raises(self, error: Exception | type[Exception]) -> Self:
        return self._always(self._raise(error))

    def raises_once(self, error: Exception | type[Exception]) -> Self:
        return self._next(self._raise(error))

    def times_out(self) -> Self:
        """Take longer than its timeouts allow; where it has none, fail with TimedOut at once."""
        return self._always(TimeOut())

    def times_out_once(self) -> Self:
        return self._next(TimeOut())

    def calls(self, function: Callable[P, R] | Callable[P, Awaitable[R]]) -> Self:
        """Call this function, sync or async, with the same arguments."""
        return self._always(Run(function))

    def calls_once(self, function: Callable[P, R] | Callable[P, Awaitable[R]]) -> Self:
        return self._next(Run(function))

    def restore(self) -> None:
        """Let the real code run again."""
        self._once.clear()
        self._lasting = None

    def take(self) -> Behaviour | None:
        """Return what the next attempt does, None for the real code; for the environment."""
        return self._once.popleft() if self._once else self._lasting

    def _answer(self, value: R) -> Answer:
        if self._codec is not None:  # a wrong type is the test's mistake: tell it where it is made
            try:
                self._codec.result.encode(value)
            except Exception as error:
                error.add_note(f"{self!r} is to return {value!r}, which is no result of it")
                raise
        return Answer(value)

    def _raise(self, error: Exception | type[Exception]) -> Raise:
        is_error = isinstance(error, Exception) or (isinstance(error, type) and issubclass(error, Exception))
        if not is_error:
            raise TypeError(
                f"{self!r} is to raise {error!r}, which is no error; give an exception or its class"
            )
        return Raise(error)

    def _always(self, behaviour: Behaviour) -> Self:
        self._lasting = behaviour
        return self

    def _next(self, behaviour: Behaviour) -> Self:
        self._once.append(behaviour)
        return self

    def __repr__(self) -> str:
        return f"<Mock of '{self._name}'>"


async def behave(behaviour: Answer | Raise | Run, /, *args: Any, **kwargs: Any) -> Any:
    """Do what a mock was told to."""
    match behaviour:
        case Answer(value):
            return value
        case Raise(error):
            # The same error may be raised often: each time it begins with no traceback of the last one.
            raise error() if isinstance(error, type) else error.with_traceback(None)
        case Run(function):
            result = function(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result
