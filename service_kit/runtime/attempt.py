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
    cancelled: bool = False
    """Nobody waits for it any more."""
    lost: bool = False
    """Its claim is somebody else's: what it does does not count any more."""
    waits: bool = False
    """It has not begun: an earlier one of this task may still be ending in this process."""
    over: bool = False
    """It has ended, or ran out of time: a thread that goes on nevertheless hears of it."""
    details: str | None = None
    unsaid: bool = False
    """Whether the store does not know the latest details."""
    beats: int = 0
    """How many heartbeats there were: whoever looks at it now and then knows how many he has seen."""

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
        if self.cancelled or self.over:
            raise asyncio.CancelledError("nobody waits for this attempt any more")
        if details is not None:
            self.details = details
            self.unsaid = True
        self.beats += 1
