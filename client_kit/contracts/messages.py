"""Signals, states and events of a published service."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, Generic, TypeVar, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    model_serializer,
)
from typing_extensions import TypeForm

__all__ = ["Event", "Signal", "SparseModel", "State"]

T = TypeVar("T")


class _Typed(Generic[T]):
    """A name with a type, whose codec is made at first use, so that the type may look forward."""

    def __init__(self, name: str, type_: TypeForm[T]) -> None:
        self.name = name
        self.type = type_

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.type)

    def encode(self, value: T) -> str:
        """Return the value as JSON; raise PydanticSerializationError for one of another type."""
        return self._adapter.dump_json(value, by_alias=True, warnings="error").decode()

    def decode(self, text: str) -> T:
        """Return the value from its JSON; raise pydantic's ValidationError."""
        return cast(T, self._adapter.validate_json(text))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.type!r})"


class Signal(_Typed[T]):
    """A message into an execution: `await run.signal(Orders.approved, "ann")`."""


class State(_Typed[T]):
    """What an execution shows of itself while it runs: `await run.state(Orders.progress)`."""


class SparseModel(BaseModel):
    """A model of a service that tells what is absent from what is null: fields that were not given are not sent."""

    @model_serializer(mode="wrap")
    def _given(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        whole: dict[str, Any] = handler(self)
        absent = {
            (field.serialization_alias or name) if info.by_alias else name
            for name, field in type(self).model_fields.items()
            if name not in self.model_fields_set and field.default is None
        }
        return {name: value for name, value in whole.items() if name not in absent}


class Event(BaseModel):
    """A published fact: `await manage(client).emit(OrderPlaced(order_id="o-1"))`.

    The class name is the event's; `class OrderPlaced(Event, name="order.placed")` gives it another one.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    event_name: ClassVar[str] = "Event"

    def __init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.event_name = name or cls.__name__
