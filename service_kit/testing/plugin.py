"""The pytest plugin: the fixture `service_env`, in every project that has service-kit installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import pytest

if TYPE_CHECKING:  # at pytest's start nobody needs it yet
    from service_kit.contract.service import Service
    from service_kit.testing.environment import TestEnvironment

S = TypeVar("S", bound="Service")


class EnvironmentFactory(Protocol):
    """What the fixture `service_env` is."""

    def __call__(self, service: type[S], *, start: datetime | None = None) -> TestEnvironment[S]: ...


@pytest.fixture
def service_env() -> Iterator[EnvironmentFactory]:
    """Make test environments that end with the test: `env = service_env(Orders)`."""
    with ExitStack() as stack:

        def enter(service: type[S], *, start: datetime | None = None) -> TestEnvironment[S]:
            from service_kit.testing.environment import START, TestEnvironment

            return stack.enter_context(TestEnvironment(service, start=start or START))

        yield enter
