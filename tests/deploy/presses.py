"""A service whose task may run once at a time."""

from __future__ import annotations

from service_kit import Service, task, workflow


@task(concurrency=1)
async def press(sheet: str) -> None: ...


@workflow
async def printing(sheet: str) -> None:
    await press(sheet)


class Presses(Service):
    printing = printing
