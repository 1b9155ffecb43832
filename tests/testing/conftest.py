"""The environment of the example service, by the plugin's own fixture."""

from __future__ import annotations

import pytest

from service_kit.testing import EnvironmentFactory, TestEnvironment
from service_kit.testing.plugin import service_env
from tests.testing.orders import Orders

__all__ = ["service_env"]


@pytest.fixture
def env(service_env: EnvironmentFactory) -> TestEnvironment[Orders]:
    return service_env(Orders)
