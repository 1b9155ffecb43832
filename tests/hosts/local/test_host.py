"""The host as a block of a program."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest

from service_kit import Service, Signal, workflow
from service_kit.hosts.local.host import LocalHost

pytestmark = pytest.mark.anyio

go_on = Signal("go_on", str)
left: list[str] = []


@workflow
async def wait(name: str) -> str:
    try:
        return await go_on.receive()
    finally:
        left.append(name)


class Waiting(Service):
    wait = wait


async def test_the_code_of_what_waits_is_closed_with_the_host_and_goes_on_in_the_next(tmp_path: Path) -> None:
    left.clear()
    async with LocalHost(Waiting, tmp_path / "waiting.db"):
        first, second = [await wait.start(name) for name in ("first", "second")]
    assert sorted(left) == ["first", "second"]
    async with LocalHost(Waiting, tmp_path / "waiting.db"):
        await wait.get(first.id).signal(go_on, "on")
        assert await wait.get(first.id).result() == "on"
        assert await wait.get(second.id).status() == "running"


async def test_starts_of_one_moment_share_an_id_or_have_ids_in_their_order(tmp_path: Path) -> None:
    async with LocalHost(Waiting, tmp_path / "waiting.db"):
        same = await asyncio.gather(*(wait.options(id="one").start("me") for _ in range(5)))
        early = await wait.start("early")
        await asyncio.sleep(0.002)  # ids tell milliseconds apart
        late = await wait.start("late")
    assert {handle.id for handle in same} == {"one"}
    assert early.id < late.id
    assert uuid.UUID(late.id).version == 7
