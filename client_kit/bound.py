"""Commands bound to a service: what `client.place_order` is. Immutable, so that any number of callers share one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Generic, ParamSpec, Self, TypeVar, cast

from client_kit.options import CallOptions

if TYPE_CHECKING:
    from client_kit.line import Line

__all__ = ["BoundCommand", "BoundStream", "OpenStream"]

P = ParamSpec("P")
R = TypeVar("R")


class _Bound:
    __slots__ = ("_line",)

    def __init__(self, line: Line) -> None:
        self._line = line

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._line.endpoint.url}>"


class BoundCommand(_Bound, Generic[P, R]):
    """A command with one answer: `await client.place_order("sku-1", quantity=2)`."""

    __slots__ = ()

    def options(
        self,
        *,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
        request_id: str | None = None,
    ) -> Self:
        """Return the same command with these options; what is not given stays as it was.

        `timeout_s` is for all attempts together (`math.inf` for no limit). Calls with an `idempotency_key` are
        retried, and the service executes a key once: give each intended effect a key of its own.
        """
        later = CallOptions(timeout_s=timeout_s, idempotency_key=idempotency_key, request_id=request_id)
        return type(self)(self._line.with_options(later))

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return cast(R, await self._line.call(args, kwargs))

    def sync(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call from code that is not async; blocks this thread."""
        return cast(R, self._line.call_sync(args, kwargs))


class BoundStream(_Bound, Generic[P, R]):
    """A command with a stream of items: `async for line in client.tail(3)`.

    The request is sent when the first item is asked for. A loop that may end early should close the stream:
    `async with client.tail.stream(3) as lines`.
    """

    __slots__ = ()

    def options(self, *, timeout_s: float | None = None, request_id: str | None = None) -> Self:
        """Return the same command with these options; what is not given stays as it was.

        `timeout_s` is for the stream from its opening to its end; without it a stream may last for ever.
        """
        return type(self)(self._line.with_options(CallOptions(timeout_s=timeout_s, request_id=request_id)))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[R]:
        return self._line.items(args, kwargs)

    def sync(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
        """Iterate from code that is not async."""
        return self._line.items_sync(args, kwargs)

    def stream(self, *args: P.args, **kwargs: P.kwargs) -> OpenStream[R]:
        """Return the stream as a context manager, async or not, at whose end its connection is closed."""
        line = self._line
        return OpenStream(lambda: line.items(args, kwargs), lambda: line.items_sync(args, kwargs))


class OpenStream(Generic[R]):
    """A stream that is closed, and its connection with it, when the block is left."""

    def __init__(
        self, items: Callable[[], AsyncGenerator[R, None]], items_sync: Callable[[], Generator[R, None, None]]
    ) -> None:
        self._items = items
        self._items_sync = items_sync
        self._opened: AsyncGenerator[R, None] | None = None
        self._opened_sync: Generator[R, None, None] | None = None

    async def __aenter__(self) -> AsyncIterator[R]:
        self._opened = self._items()
        return self._opened

    async def __aexit__(self, *_: object) -> None:
        if self._opened is not None:
            await self._opened.aclose()

    def __enter__(self) -> Iterator[R]:
        self._opened_sync = self._items_sync()
        return self._opened_sync

    def __exit__(self, *_: object) -> None:
        if self._opened_sync is not None:
            self._opened_sync.close()
