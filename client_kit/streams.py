"""Items of a stream, as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

from client_kit.answers import decoded, stream_failure
from client_kit.contracts import CommandContract
from client_kit.deadline import Deadline
from client_kit.errors import AnswerTooLarge, CallTimeout, ConnectionLost, NetworkError
from client_kit.sse import EventParser
from client_kit.wire import AsyncBody, SyncBody

_ANEW = "; call again for a new stream, if what it does may be done twice"
"""No key makes that safe: the service keeps no streams."""


class ItemReader:
    """Turns the bytes of a stream into items, without I/O."""

    def __init__(
        self, contract: CommandContract, deadline: Deadline, idle_timeout_s: float, limit: int
    ) -> None:
        self._contract = contract
        self._deadline = deadline
        self._idle_timeout_s = idle_timeout_s
        self._parser = EventParser(limit)
        self._count = 0
        self._hurried = False
        self.ended: bool = False

    def patience_s(self) -> float:
        """Return how long the next read may take; raise CallTimeout if the call's time is over."""
        remaining_s = self._deadline.remaining_s()
        if remaining_s is not None and remaining_s <= 0:
            raise self._too_late()
        self._hurried = remaining_s is not None and remaining_s <= self._idle_timeout_s
        return remaining_s if self._hurried and remaining_s is not None else self._idle_timeout_s

    def silence(self) -> NetworkError:
        """Return the error for a read that took longer than `patience_s`."""
        if self._hurried:
            return self._too_late()
        return self._lost(f"the stream was silent for {self._idle_timeout_s:g} s, without a heartbeat even")

    def feed(self, chunk: bytes) -> Generator[Any, None, None]:
        """Yield the items that this chunk completes; raise the error that ended the stream, or drift."""
        if not chunk:
            raise self._lost("the stream was cut")
        try:
            events = self._parser.feed(chunk)
        except AnswerTooLarge as error:
            error.command = self._contract.name
            raise
        for event in events:
            match event.kind:
                case "message":
                    yield decoded(self._contract, event.data, f"item {self._count} of its stream")
                    self._count += 1
                case "end":
                    self.ended = True
                    return
                case "error":
                    raise stream_failure(self._contract, event.data)
                case _:  # an event of a later protocol
                    continue

    def name(self, error: NetworkError) -> NetworkError:
        """Return a transport's error with what it does not know."""
        error.command = self._contract.name
        if isinstance(error, ConnectionLost):
            error.reason = f"{error.reason}, after {self._count} items"
            error.hint = _ANEW
        return error

    def _lost(self, reason: str) -> ConnectionLost:
        lost = ConnectionLost(f"{reason} after {self._count} items", self._contract.name)
        lost.hint = _ANEW
        return lost

    def _too_late(self) -> CallTimeout:
        return CallTimeout(
            f"the stream did not end within {self._deadline.timeout_s:g} s, after {self._count} items",
            self._contract.name,
        )


async def read_items(
    begin: Callable[[], Awaitable[tuple[AsyncBody, ItemReader]]],
) -> AsyncGenerator[Any, None]:
    """Open a stream and yield its items; close it at the end, or when the generator is closed."""
    body, reader = await begin()
    try:
        while not reader.ended:
            try:
                async with asyncio.timeout(reader.patience_s()):
                    chunk = await body.read()
            except NetworkError as error:
                raise reader.name(error)  # noqa: B904 - the same error
            except TimeoutError as error:
                raise reader.silence() from error
            for item in reader.feed(chunk):
                yield item
    finally:
        await body.close()


def read_items_sync(begin: Callable[[], tuple[SyncBody, ItemReader]]) -> Generator[Any, None, None]:
    """Open a stream and yield its items; close it at the end, or when the generator is closed."""
    body, reader = begin()
    try:
        while not reader.ended:
            try:
                chunk = body.read(reader.patience_s())
            except NetworkError as error:
                raise reader.name(error)  # noqa: B904 - the same error
            except TimeoutError as error:
                raise reader.silence() from error
            yield from reader.feed(chunk)
    finally:
        body.close()
