"""One attempt of a task, as its code and its worker see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from service_kit.runtime.records import Claim, ClaimedTask


@dataclass(slots=True)
class Attempt:
    """A running attempt. Its code may call `heartbeat` from any thread."""

    task: ClaimedTask
    claim: Claim
    token_of: Callable[[ClaimedTask], str]
    loop: asyncio.AbstractEventLoop
    cancelled: bool = False
    """Nobody waits for it any more."""
    lost: bool = False
    """Its claim is somebody else's: what it does does not count any more."""
    details: str | None = None
    beaten_at_s: float = 0.0
    """When the last heartbeat was, by the loop's clock."""

    @property
    def token(self) -> str:
        return self.token_of(self.task)

    @property
    def number(self) -> int:
        return self.task.attempt

    @property
    def idempotency_key(self) -> str:
        key = self.task.key
        return f"{key.execution}:{key.run}:{key.seq}"

    @property
    def last_details(self) -> str | None:
        return self.task.details

    def heartbeat(self, details: str | None) -> None:
        if details is not None:
            self.details = details
        self.beaten_at_s = self.loop.time()
        if self.cancelled:
            raise asyncio.CancelledError("nobody waits for this task any more")
