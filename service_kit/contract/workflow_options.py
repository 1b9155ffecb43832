"""What can be said of a workflow: at its definition, and before its next start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from client_kit.executions import StartOptions

if TYPE_CHECKING:
    from service_kit.contract.schedule import Overlap
    from service_kit.engine.options import ParentClose

SCHEDULING = frozenset({"cron", "timezone", "overlap", "catch_up_s"})


class WorkflowOptions(TypedDict, total=False, closed=True):
    """Options of a workflow."""

    timeout_s: float
    """Of a whole execution, however it was started; past it the execution ends as timed out."""
    parent_close: ParentClose
    """What becomes of it, as a child, when its parent ends: `cancel` (the default), `terminate`, `abandon`."""
    memory_mb: int
    cron: str
    """When it begins by itself: `minute hour day month weekday`, or `@daily` and the like.

    The execution of a time has the id `<workflow>@<time in UTC>`. A parameter that is a `datetime` without a default
    is given the time; all others need defaults.
    """
    timezone: str
    """Of `cron`: an IANA name such as `Europe/Berlin`; `UTC` otherwise."""
    overlap: Overlap
    """What becomes of a time that comes while the run before goes on: `skip` (the default), `buffer_one`, `allow`."""
    catch_up_s: float
    """How late times that were missed are still run, one after another: a day, unless it says else."""


@dataclass(frozen=True, slots=True)
class StartChoices:
    """What `.options(...)` has chosen so far."""

    start: StartOptions = field(default_factory=StartOptions)
    parent_close: ParentClose | None = None
