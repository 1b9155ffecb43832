"""Clients of both emulators."""

from __future__ import annotations

import pytest

from tests.stores.emulators import EMULATORS


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=EMULATORS)
def emulator(request: pytest.FixtureRequest) -> str:
    return str(request.param)
