"""Signals: typed messages into a running execution; and states, which it shows to the outside."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from pydantic import TypeAdapter
from typing_extensions import TypeForm

from service_kit.contract.codec import adapter_of
from service_kit.contract.payload import PayloadCodec
from service_kit.errors import DefinitionError

if TYPE_CHECKING:
    from service_kit.engine.context import WorkflowContext

T = TypeVar("T")


class Typed(Generic[T]):
    """A name with a type, whose codec is made at first use, so that the type may look forward."""

    kind = "value"

    def __init__(self, name: str, type_: TypeForm[T]) -> None:
        given: object = name
        if not isinstance(given, str):
            raise DefinitionError(
                f"{self.kind} {given!r}", "its name is no text", f"write {type(self).__name__}('name', type)"
            )
        self.name = name
        self.type = type_

    @functools.cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What reads, writes and describes its values."""
        return adapter_of(f"{self.kind} '{self.name}'", self.type)

    @functools.cached_property
    def _codec(self) -> PayloadCodec:
        return PayloadCodec(self.adapter, f"what {self.kind} '{self.name}' is given")

    def encode(self, value: T) -> str:
        """Return the value as JSON; raise PydanticSerializationError for one of another type."""
        return self._codec.encode(value)

    def decode(self, text: str) -> T:
        """Return the value from its JSON; raise pydantic's ValidationError."""
        return cast(T, self._codec.decode(text))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.type!r})"


class Signal(Typed[T]):
    """A message into an execution: `approved = Signal("approved", bool)`.

    Kept in order until somebody receives it, however early it comes; delivered once by its id.
    """

    kind = "signal"

    async def receive(self, *, timeout_s: float | None = None) -> T:
        """Wait for the next signal of this name, inside a workflow, and take it. Raises TimedOut."""
        context = context_of(f"signal '{self.name}'")
        return self.decode(await context.receive_signal(self.name, timeout_s=timeout_s))

    def on(self, handler: Callable[[T], object]) -> Callable[[], None]:
        """Call `handler`, sync or async, with every signal of this name; return what ends that."""
        context = context_of(f"signal '{self.name}'")

        def deliver(text: str) -> object:
            return handler(self.decode(text))

        return context.on_signal(self.name, deliver)


class State(Typed[T]):
    """What an execution shows of itself while it runs: `progress = State("progress", int)`."""

    kind = "state"

    def set(self, value: T) -> None:
        """Show a new value, inside a workflow; `handle.state(progress)` reads it."""
        context_of(f"state '{self.name}'").set_state(self.name, self.encode(value))


def context_of(what: str) -> WorkflowContext:
    """Return the workflow execution that this code runs in; raise RuntimeError if there is none."""
    from service_kit.engine.context import require_workflow

    return require_workflow(what)
