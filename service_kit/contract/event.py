"""Events: published facts, as pydantic models; and the functions that subscribe to them."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic_core import SchemaSerializer
from typing_extensions import TypedDict, TypeForm, Unpack

from service_kit.contract.declaration import check_function, enclosing_names, where
from service_kit.contract.durable import durable_serializer
from service_kit.contract.event_checks import check_event, check_handler, check_match
from service_kit.contract.gateway import require_gateway
from service_kit.contract.options import check_options
from service_kit.engine.retry import Retry
from service_kit.errors import DefinitionError

E = TypeVar("E", bound="Event")


class Event(BaseModel):
    """A published fact: subclass it with its fields, and `await OrderPlaced(order_id="o-1").emit()`.

    The class name is the event's; `class OrderPlaced(Event, name="order.placed")` gives it another one.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    event_name: ClassVar[str] = "Event"

    def __init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)  # Python hands the keyword here as well, and `object` takes none

    @classmethod
    def __pydantic_init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.event_name = name or cls.__name__
        check_event(cls)

    async def emit(self) -> None:
        """Publish it: every subscription gets it, at least once.

        In a workflow it is recorded with the turn; elsewhere it is stored before this returns.
        """
        await emit_all(self)


async def emit_all(*events: Event) -> None:
    """Publish several events in this order, all or none."""
    from service_kit.engine.context import current_workflow

    published = [
        (event.event_name, _serializer(type(event)).to_json(event, by_alias=True).decode())
        for event in events
    ]
    context = current_workflow()
    if context is not None:
        context.emit(published)
    else:
        await require_gateway("publishing an event").emit(published)


@functools.cache
def _serializer(event: type[Event]) -> SchemaSerializer:
    return durable_serializer(TypeAdapter(event), f"event '{event.event_name}'")


class SubscriptionOptions(TypedDict, total=False, closed=True):
    """Options of a subscription."""

    match: Mapping[str, Any]
    """Which events it wants, by content: a pattern as EventBridge has them, `{"amount": [{"numeric": [">", 100]}]}`."""
    retry: Retry
    """`Retry(max_attempts=5)` otherwise; after the last attempt an event is a dead letter."""
    timeout_s: float
    """Of one delivery, which is cut off then and tried again. Without it that is the host's lease: 30 s by default."""
    concurrency: int
    """How many events of this subscription one host handles at a time."""
    memory_mb: int


class Subscription(Generic[E]):
    """A handler of events. It runs at least once for each; what failed for good waits among the dead letters."""

    kind = "subscription"

    def __init__(
        self,
        function: Callable[[E], Coroutine[Any, Any, object]],
        events: Sequence[type[E]],
        options: SubscriptionOptions,
        local_names: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.function = function
        self.name: str = function.__name__
        self.where: str = where(self.kind, function, self.name)
        check_options(self.where, options, SubscriptionOptions.__annotations__)
        if not inspect.iscoroutinefunction(function):
            raise DefinitionError(self.where, "it is not async", "write 'async def'")
        check_handler(self.where, function, local_names, events)
        if "match" in options:
            check_match(self.where, options["match"], events)
        self.events: dict[str, type[E]] = {event.event_name: event for event in events}
        self.definition = options
        self.__doc__ = function.__doc__
        self.__module__ = function.__module__
        self.__wrapped__ = function

    @property
    def retry(self) -> Retry:
        return self.definition.get("retry") or Retry(max_attempts=5)

    async def __call__(self, event: E) -> None:
        await self.function(event)

    async def deliver(self, name: str, payload: str) -> None:
        """Run the handler with an event from its JSON; for workers. Raises what the handler raises."""
        await self.function(self.events[name].model_validate_json(payload))

    def __repr__(self) -> str:
        return f"<{self.where}>"


def subscription(
    event: TypeForm[E], /, **options: Unpack[SubscriptionOptions]
) -> Callable[[Callable[[E], Coroutine[Any, Any, object]]], Subscription[E]]:
    """Declare a handler of one event, or of a union of several: `@subscription(OrderPlaced | OrderShipped)`."""
    events, local_names = _members(event), enclosing_names()

    def declare(function: Callable[[E], Coroutine[Any, Any, object]]) -> Subscription[E]:
        check_function("subscription", function)
        return Subscription(function, events, options, local_names)

    return declare


def _members(form: Any) -> list[Any]:
    members = list(get_args(form)) if get_origin(form) in (Union, types.UnionType) else [form]
    for member in members:
        if not (isinstance(member, type) and issubclass(member, Event)):
            raise DefinitionError(
                f"subscription({form!r})",
                f"{member!r} is no event",
                "give a subclass of Event, or a union of some",
            )
    return members
