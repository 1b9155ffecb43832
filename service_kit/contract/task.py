"""Tasks: durable, retried units of work, declared as typed functions."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, Self, TypeVar, cast, overload

from pydantic import TypeAdapter
from pydantic_core import to_json
from typing_extensions import TypedDict, TypeForm, Unpack

from service_kit.contract.declaration import (
    Declaration,
    awaited,
    check_function,
    enclosing_names,
    where,
)
from service_kit.contract.options import check_chosen, check_options
from service_kit.contract.parameters import bind_arguments
from service_kit.contract.payload import CallCodec
from service_kit.engine.retry import Retry
from service_kit.errors import DefinitionError

if TYPE_CHECKING:
    from service_kit.engine.options import TaskOptions as CallOverrides

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class TaskOptions(TypedDict, total=False, closed=True):
    """Options of a task."""

    retry: Retry
    """`Retry()` otherwise: three attempts with exponential backoff."""
    timeout_s: float
    """Of one attempt, from its start to its end."""
    schedule_to_close_s: float
    """Of all attempts together, waits included: for room, for a process, or for somebody outside."""
    heartbeat_timeout_s: float
    """An attempt that is silent for so long is taken for dead, and retried."""
    concurrency: int
    """How many attempts of this task one process runs at a time; on Lambda, all of them together."""
    rate_per_s: float
    """How many attempts of this task one process begins in a second: with `start --workers 4`, four times as many."""
    inline: bool
    """Run it in the process that schedules it, claimed by the same commit: for short work, and with no limits."""
    memory_mb: int


class Task(Declaration, Generic[P, R]):
    """A function that a workflow runs durably. Outside of workflows it is the plain function, always awaited."""

    kind = "task"

    def __init__(
        self, function: Callable[..., Any], options: TaskOptions, local_names: Mapping[str, Any]
    ) -> None:
        at = where(self.kind, function, function.__name__)
        check_options(at, options, TaskOptions.__annotations__)
        limits = sorted({"concurrency", "rate_per_s"} & options.keys())
        if limits and options.get("inline"):
            raise DefinitionError(
                at,
                f"it is inline, and so begins at once, whatever {' and '.join(limits)} say",
                "take out inline=True, or the limit",
            )
        self.definition = options
        self.invoke: Callable[..., Awaitable[Any]] = awaited(function)
        self._overrides: CallOverrides | None = None
        self._calls: CallCodec | None = None
        super().__init__(function, local_names)

    @property
    def calls(self) -> CallCodec:
        """Codecs of its arguments and its result as payloads."""
        if self._calls is None:
            self._calls = CallCodec(self.codec, f"{self.kind} '{self.name}'")
        return self._calls

    @property
    def retry(self) -> Retry:
        return self.definition.get("retry") or Retry()

    def options(
        self,
        *,
        retry: Retry | None = None,
        timeout_s: float | None = None,
        schedule_to_close_s: float | None = None,
        heartbeat_timeout_s: float | None = None,
    ) -> Self:
        """Return the same task with these options for its next calls; what is not given stays as it was.

        Raises TypeError or ValueError for what cannot be: a timeout of 0 seconds, say.
        """
        from service_kit.engine.options import TaskOptions as CallOverrides

        check_chosen(
            self.where,
            retry=retry,
            timeout_s=timeout_s,
            schedule_to_close_s=schedule_to_close_s,
            heartbeat_timeout_s=heartbeat_timeout_s,
        )
        old = self._overrides or CallOverrides()
        chosen = type(self).__new__(type(self))
        chosen.__dict__.update(self.__dict__)
        chosen._overrides = CallOverrides(
            retry=retry or old.retry,
            timeout_s=timeout_s or old.timeout_s,
            schedule_to_close_s=schedule_to_close_s or old.schedule_to_close_s,
            heartbeat_timeout_s=heartbeat_timeout_s or old.heartbeat_timeout_s,
        )
        return chosen

    if TYPE_CHECKING:

        async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    else:  # for Python to warn that "coroutine 'charge_card' was never awaited", and not "Task.__call__"

        def __call__(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
            call = self._call(args, kwargs)
            call.__qualname__ = self.name
            return call

        # Whoever calls it for others, as Starlette's BackgroundTask does, asks whether there is something to await.
        if sys.version_info >= (3, 12):
            __call__ = inspect.markcoroutinefunction(__call__)
        else:
            __call__._is_coroutine = asyncio.coroutines._is_coroutine

    async def _call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> R:
        from service_kit.engine.context import current_workflow

        context = current_workflow()
        if context is None:
            return cast(R, await self.invoke(*args, **kwargs))
        arguments = bind_arguments(self.name, self.codec.parameters, args, kwargs)
        payload = self.calls.encode_arguments(arguments)
        value = await context.schedule_task(self.name, payload, options=self._overrides)
        return cast(R, self.calls.result.decode(value))


class TaskDecorator:
    """`@task(...)` with options, waiting for its function."""

    def __init__(self, options: TaskOptions, local_names: Mapping[str, Any]) -> None:
        self._options = options
        self._local_names = local_names

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...
    def __call__(self, function: Callable[..., Any], /) -> Task[..., Any]:
        check_function("task", function)
        return Task(function, self._options, self._local_names)


@overload
def task(function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(**options: Unpack[TaskOptions]) -> TaskDecorator: ...
def task(
    function: Callable[..., Any] | None = None, /, **options: Unpack[TaskOptions]
) -> Task[..., Any] | TaskDecorator:
    """Declare a task: where a workflow does its work, with retries and timeouts.

    An attempt may run more than once (its process can die after its effect and before its record), so give
    `idempotency_key()` to the systems that it calls. Sync functions run in a thread.
    """
    decorator = TaskDecorator(options, enclosing_names())
    return decorator if function is None else decorator(function)


class TaskAttempt(Protocol):
    """The attempt that is running, as the code of a task may know it."""

    @property
    def token(self) -> str:
        """A signed text that completes this attempt from outside."""
        ...

    @property
    def number(self) -> int:
        """1 for the first attempt."""
        ...

    @property
    def idempotency_key(self) -> str: ...

    @property
    def last_details(self) -> str | None:
        """What the attempt before this one said with its last heartbeat, as JSON."""
        ...

    def heartbeat(self, details: str | None) -> None:
        """Say that the attempt lives; raise CancelledError if nobody waits for it any more."""
        ...


_attempt: ContextVar[TaskAttempt] = ContextVar("service_kit_task_attempt")


def begin_attempt(attempt: TaskAttempt) -> None:
    """Make `attempt` the current one of this context; for workers."""
    _attempt.set(attempt)


def current_attempt() -> TaskAttempt:
    """Return the running attempt; raise RuntimeError outside of a task."""
    try:
        return _attempt.get()
    except LookupError:
        raise RuntimeError(
            "there is no task attempt here; call this from a task that a workflow runs"
        ) from None


def heartbeat(details: object = None) -> None:
    """Say that this attempt lives, and where it is; works in threads too.

    The next attempt reads `details` by `heartbeat_details`. Raises asyncio.CancelledError when the workflow does
    not wait for the task any more, or the attempt has lost its claim.
    """
    current_attempt().heartbeat(None if details is None else to_json(details).decode())


def heartbeat_details(type_: TypeForm[T]) -> T | None:
    """Return the details of the last heartbeat of the attempt before this one, or None."""
    text = current_attempt().last_details
    if text is None:
        return None
    adapter: TypeAdapter[T] = TypeAdapter(type_)
    return adapter.validate_json(text)


def idempotency_key() -> str:
    """Return the key of this task: equal in all its attempts, different for any other call."""
    return current_attempt().idempotency_key


def task_token() -> str:
    """Return the token by which somebody else can complete this task: `manage(client).complete_task(token, ...)`."""
    return current_attempt().token


class CompletedLater:
    """What a task returns whose result comes from outside."""


COMPLETED_LATER = CompletedLater()


# What the caller has to return is all that is known of its type: with Any, mypy --strict refuses the return.
def complete_later() -> R:  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeVarUse]
    """Return what a task returns when somebody else completes it by its `task_token()`."""
    return cast("R", COMPLETED_LATER)
