"""What an environment remembers of what happened: calls of tasks and workflows, events, and what went wrong."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service_kit.runtime.records import PublishedEvent, TaskKey


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """One attempt of a task, or one run of a workflow."""

    kind: str
    """`task` or `workflow`."""
    name: str
    arguments: Mapping[str, Any]
    """By name, defaults included."""
    execution: str
    """The id of the execution that called the task; of the workflow's own execution."""
    attempt: int
    """1 for a task's first attempt; always 1 for a workflow."""
    at: datetime


@dataclass(slots=True)
class Recorder:
    """The memory of an environment, until it is reset."""

    calls: list[RecordedCall] = field(default_factory=list[RecordedCall])
    events: dict[str, PublishedEvent] = field(default_factory=dict[str, PublishedEvent])
    """By id, in the order of their publication."""
    running: set[TaskKey] = field(default_factory=set[TaskKey])
    """Tasks an attempt of which is running."""
    fires: int = 0
    """How often schedules have gone on, since anything else has."""
    troubles: list[BaseException] = field(default_factory=list[BaseException])
    """What nobody in the service can be told of: code that does not match its history. The test is told."""


def all_arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call, defaults included, in the order of the parameters."""
    bound = inspect.signature(function).bind_partial(**given)
    bound.apply_defaults()
    return dict(bound.arguments)
