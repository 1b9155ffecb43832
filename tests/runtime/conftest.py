"""Tests of the runtime are coroutines on asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from service_kit.runtime.assembly import Runtime
from tests.runtime import shop
from tests.runtime.running import ManualClock, running


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _nothing_has_happened() -> Iterator[None]:
    yield
    for kept in (shop.acts, shop.log, shop.tokens, shop.chosen):
        kept.clear()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def runtime(clock: ManualClock) -> AsyncIterator[Runtime]:
    async with running(shop.Shop, clock) as opened:
        yield opened
