"""One mistake that `service-kit check` has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error breaks callers or executions; a warning is a doubt, and fails a check only if it is strict."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake."""

    severity: Severity
    code: str
    """For `--ignore`."""
    where: str
    problem: str
    cure: str
