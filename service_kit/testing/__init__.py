"""Testing services: `TestEnvironment`, mocks, virtual time, and `Replayer` for recorded histories.

Shipped to users. It is a host like the local one, in memory; nothing of the other rooms knows of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service_kit.testing.environment import TestEnvironment as TestEnvironment
    from service_kit.testing.execution import Execution as Execution
    from service_kit.testing.mocks import Mock as Mock
    from service_kit.testing.plugin import EnvironmentFactory as EnvironmentFactory
    from service_kit.testing.recorder import RecordedCall as RecordedCall
    from service_kit.testing.recorder import RecordedDelivery as RecordedDelivery
    from service_kit.testing.replayer import RecordedHistory as RecordedHistory
    from service_kit.testing.replayer import Replayer as Replayer
    from service_kit.testing.replayer import ReplaysFailed as ReplaysFailed
    from service_kit.testing.waiting import NeverEnds as NeverEnds

_HOMES = {
    "TestEnvironment": "service_kit.testing.environment",
    "Execution": "service_kit.testing.execution",
    "Mock": "service_kit.testing.mocks",
    "RecordedCall": "service_kit.testing.recorder",
    "RecordedDelivery": "service_kit.testing.recorder",
    "NeverEnds": "service_kit.testing.waiting",
    "RecordedHistory": "service_kit.testing.replayer",
    "Replayer": "service_kit.testing.replayer",
    "ReplaysFailed": "service_kit.testing.replayer",
    "EnvironmentFactory": "service_kit.testing.plugin",
}

__all__ = list(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


if not TYPE_CHECKING:  # to a type checker it would make every misspelt name Any

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'service_kit.testing' has no attribute '{name}'")
        value = getattr(import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
