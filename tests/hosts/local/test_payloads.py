"""Payloads of a local host: large ones, packed ones, and a codec that is chosen when there is data already."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from service_kit import LocalHost, Retry, Service, Signal, task, workflow
from service_kit.stores.packed.codec import Zlib

more = Signal("more", str)


@task(retry=Retry(max_attempts=1))
async def double(text: str) -> str:
    return text * 2


@workflow
async def grow(text: str) -> int:
    doubled = await double(text)
    doubled += await more.receive()
    return len(await double(doubled))


class Growing(Service):
    grow = grow


class Zipped(Growing, name="growing", codecs=lambda: [Zlib()]):
    """The same service, a version later."""


def sizes(path: Path) -> dict[str, int]:
    """Return the length of the longest text in each table."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    return {
        table: max((len(cell) for row in rows for cell in row if isinstance(cell, str)), default=0)
        for table, rows in found.items()
    }


def test_an_execution_with_megabytes_goes_on_in_another_process(tmp_path: Path) -> None:
    path, large = tmp_path / "grow.db", "x" * 1_000_000

    async def begin() -> None:
        async with LocalHost(Growing, path):
            run = await grow.options(id="g").start(large)
            async with asyncio.timeout(30):
                while "TaskSucceeded" not in [event["kind"] for event in await run.history()]:
                    await asyncio.sleep(0.01)

    async def end() -> None:
        async with LocalHost(Zipped, path):
            run = grow.get("g")
            await run.signal(more, large)
            assert await run.result(timeout_s=30) == 6_000_000

    asyncio.run(begin())
    assert {table for table, size in sizes(path).items() if size > 200_000} == {"blobs"}
    asyncio.run(end())
