"""An event loop in a thread of its own, for sync callers of what exists only in async."""

from __future__ import annotations

import asyncio
import inspect
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar, cast

from client_kit.wire import AsyncBody, Request, Response

T = TypeVar("T")


class Portal:
    """A loop that starts when it is first needed. Any thread may use it, one that runs a loop too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, awaitable: Awaitable[T], timeout_s: float | None = None) -> T:
        """Return what the awaitable gives; raise TimeoutError when it is cancelled for taking too long."""
        loop = self._started()
        if threading.current_thread() is self._thread:
            if inspect.iscoroutine(awaitable):
                awaitable.close()
            raise RuntimeError("a sync call from the loop that would have to run it; await the call instead")
        future = asyncio.run_coroutine_threadsafe(_within(awaitable, timeout_s), loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # matters for an interrupt alone: otherwise it is done
            raise

    @property
    def is_open(self) -> bool:
        return self._loop is not None

    def close(self) -> None:
        """Stop the loop and its thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="client_kit", daemon=True
                )
                self._thread.start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:  # its end cancels what is left
        runner.get_loop().run_forever()


async def _within(awaitable: Awaitable[T], timeout_s: float | None) -> T:
    async with asyncio.timeout(timeout_s):
        return await awaitable


class PortalBody:
    """The body of a stream that lives in a portal's loop."""

    def __init__(self, body: AsyncBody, portal: Portal) -> None:
        self._body = body
        self._portal = portal

    def read(self, timeout_s: float | None) -> bytes:
        return self._portal.run(self._body.read(), timeout_s)

    def close(self) -> None:
        if self._portal.is_open:  # otherwise its loop has ended, and the connection with it
            self._portal.run(self._body.close())


class AsyncOnly(ABC):
    """A transport that is written in async alone: its sync side runs in a portal."""

    def __init__(self) -> None:
        self._portal = Portal()

    @abstractmethod
    async def send(self, request: Request) -> Response: ...

    @abstractmethod
    async def close_running_loop(self) -> None:
        """Close what belongs to the running loop."""

    def send_sync(self, request: Request) -> Response:
        response = self._portal.run(self.send(request), request.timeout_s)
        if response.stream is None:
            return response
        return replace(response, stream=PortalBody(cast(AsyncBody, response.stream), self._portal))

    async def close(self) -> None:
        await self.close_running_loop()
        if self._portal.is_open:
            await asyncio.to_thread(self.close_sync)

    def close_sync(self) -> None:
        if self._portal.is_open:
            self._portal.run(self.close_running_loop())
            self._portal.close()
