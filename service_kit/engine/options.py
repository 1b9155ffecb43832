"""What a call may override of a definition. Recorded with the call, not compared by replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .retry import Retry

__all__ = ["ChildOptions", "ParentClose", "TaskOptions"]

ParentClose: TypeAlias = Literal["cancel", "terminate", "abandon"]
"""What becomes of a running child when its parent ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Override, for one call, what the task's definition says; None keeps the definition's."""

    retry: Retry | None = None
    timeout_s: float | None = None
    """Of one attempt, from its start to its end."""
    schedule_to_close_s: float | None = None
    """Of all attempts together, from the call to the last end."""
    heartbeat_timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOptions:
    """Say, for one call, how a child workflow runs; None keeps the definition's."""

    id: str | None = None
    """The child's execution id; None derives one from the call, equal in every replay."""
    timeout_s: float | None = None
    start_delay_s: float | None = None
    parent_close: ParentClose = "cancel"
