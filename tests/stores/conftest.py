"""One store of each implementation, empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from service_kit.runtime.ports import Stores
from service_kit.stores.dynamodb.table import Table
from tests.stores.emulators import EMULATORS
from tests.stores.implementations import STORES
from tests.stores.tables import fresh_table


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path) as opened:
        yield opened


@pytest.fixture(params=EMULATORS)
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    with fresh_table(request.param) as made:
        yield made


@pytest.fixture
def ministack_table() -> Iterator[Table]:
    with fresh_table("ministack") as made:
        yield made


@pytest.fixture
def moto_table() -> Iterator[Table]:
    with fresh_table("moto") as made:
        yield made
