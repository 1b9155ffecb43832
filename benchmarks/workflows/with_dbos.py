"""DBOS on a SQLite file in WAL mode, its faster one: https://docs.dbos.dev."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dbos import DBOS  # type: ignore[import-not-found, unused-ignore]  # a peer, which need not be installed

from benchmarks.workflows.contest import Contestant


@DBOS.step()  # type: ignore[misc, untyped-decorator, unused-ignore]  # untyped where it is not installed
async def step(number: int) -> int:
    return number + 1


@DBOS.workflow()  # type: ignore[misc, untyped-decorator, unused-ignore]  # untyped where it is not installed
async def count(steps: int) -> int:
    number = 0
    for _ in range(steps):
        number = await step(number)
    return number


@asynccontextmanager
async def open_dbos(folder: Path) -> AsyncIterator[Contestant]:
    file = folder / "store.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    configuration: Any = {
        "name": "benchmark",
        "system_database_url": f"sqlite:///{file}",
        "run_admin_server": False,
        "log_level": "ERROR",
    }
    DBOS(config=configuration)
    DBOS.launch()
    yield Contestant(_count)
    DBOS.destroy()


async def _count(steps: int) -> int:
    handle = await DBOS.start_workflow_async(count, steps)
    result: int = await handle.get_result()
    return result
