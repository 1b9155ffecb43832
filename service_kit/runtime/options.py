"""What a host chooses for its runtime: randomness, and how a process takes its share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service_kit.runtime.task_worker import WorkerOptions


@dataclass(frozen=True, slots=True)
class Entropy:
    """Where the runtime's randomness comes from."""

    new_id: Callable[[], str]
    """Returns ids that nobody can guess."""
    random: Callable[[], float]
    """Returns floats from [0, 1)."""
    secret: bytes
    """Signs the tokens of tasks; the same in every process of a service."""


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """How a process takes its share."""

    worker: WorkerOptions
    reconcile_s: float = 1.0
    """How often the stores are asked for what nobody has told us."""
    warm_max: int = 5_000
    """Executions kept in memory between their turns; 0 replays the whole history in every turn."""
    batch: int = 1_000
    keep_ended_s: float | None = None
    """How long executions are kept after their end; None: for ever."""
