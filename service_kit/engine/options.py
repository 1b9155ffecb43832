"""What a call may override of a definition. Recorded with the call, not compared by replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..errors import DefinitionError
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

    def __post_init__(self) -> None:
        for name in ("timeout_s", "schedule_to_close_s", "heartbeat_timeout_s"):
            _check_seconds(self, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildOptions:
    """Say, for one call, how a child workflow runs; None keeps the definition's."""

    id: str | None = None
    """The child's execution id; None derives one from the call, equal in every replay."""
    timeout_s: float | None = None
    start_delay_s: float | None = None
    parent_close: ParentClose = "cancel"
    attributes: Mapping[str, str] | None = None
    """Search attributes that it begins with."""

    def __post_init__(self) -> None:
        for name in ("timeout_s", "start_delay_s"):
            _check_seconds(self, name)


def _check_seconds(options: object, name: str) -> None:
    seconds: float | None = getattr(options, name)
    if seconds is not None and not 0 <= seconds < float("inf"):
        problem = "is no number of seconds"
        raise DefinitionError(
            f"{name}={seconds!r}", problem, "give a finite number >= 0, or None for what the definition says"
        )
